"""MIX06xx: legal but unwise."""

from .entry import Code

CODES: dict[str, Code] = {
    "MIX0601": Code(
        "no decontamination",
        "A model trained on its own exam scores well and has learnt nothing. A spec that trains or evaluates says which benchmarks its prompts are checked against, "
        "or says why it needs no check.",
        "train smollm2 { epochs 1 }",
        'decontaminate against "bench/*.jsonl" by 8-grams of prompt\ntrain smollm2 { epochs 1 }',
    ),
}

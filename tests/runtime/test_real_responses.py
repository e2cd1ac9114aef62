"""LALP of real responses under the real tokenizer, for every window the issue asks about, against one plain pass a step.

The model is a tiny random one over the real vocabulary: what can go wrong here is tokens, steps and windows, not weights.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.compiler.plan.stages import Model
from mixc.runtime.engines.students import Students
from mixc.runtime.steps import split
from mixc.runtime.windows import Reach
from mixc.tests.runtime import reference
from mixc.tests.runtime.scoring import SPAN, World, make_world, stage, table, values

WINDOWS = ({"window_steps": 1}, {"window_steps": 2}, {"window_steps": 4}, {"window_steps": 8}, {"window_percent": 15})
ROWS = 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    root = tmp_path_factory.mktemp("real")
    real = Model(student="real", model="models/SmolLM2-135M-Instruct.Q4_1.gguf", folder=str(Path(__file__).parents[2]), dtype="fp32", span=SPAN)
    tokenizer = Students().tokenizer(real).hf
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=2_048, tie_word_embeddings=True, **sizes))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.25)
    model.save_pretrained(root / "student")
    tokenizer.save_pretrained(root / "student")
    return make_world(root, Model(student="tiny", model="student", folder=str(root), dtype="fp32", span=SPAN))


def responses() -> list[tuple[str, str]]:
    """Short prompts' short responses: most of a few steps, some of so many that a window of eight does not see them all."""
    shared = Path(os.environ.get("MIXC_SHARED") or Path(__file__).parents[3] / "shared" / "data")
    data = pl.read_parquet(shared / "teachers.parquet", columns=["corpus", "prompt", "response", "teacher"]).filter(pl.col("corpus") == "gsm8k")
    data = data.filter(pl.col("prompt").str.len_chars() + pl.col("response").str.len_chars() < 520).unique(["prompt", "response"]).sort("prompt", "response")
    made = [(p, r, len(split(r, "sentence"))) for p, r in data.select("prompt", "response").iter_rows()]
    few, many = ([(p, r) for p, r, n in made if low <= n <= high] for low, high in ((2, 4), (10, 13)))
    chosen = [*many[:: max(1, len(many) // 16)][:16], *few[:: max(1, len(few) // ROWS)]]
    return chosen[:ROWS]


@pytest.mark.student
@pytest.mark.shared
@pytest.mark.slow
def test_lalp_is_what_one_plain_pass_a_step_says(world: World) -> None:
    made = responses()
    assert len(made) == ROWS
    found = [values(world, stage(world.model, "local_logprob", **window), table(made)) for window in WINDOWS]
    engine = world.context.students.engine(world.model)
    model, tokenizer = engine.model, engine.tokenizer.hf  # type: ignore[attr-defined]
    told, longest = 0, 0
    for number, (prompt, text) in enumerate(made):
        asked = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False)
        groups = reference.token_steps(tokenizer, text, [text[a:b] for a, b in split(text, "sentence")])
        longest = max(longest, len(groups))
        known: dict[tuple[int, int], float] = {}  # the mean of step i behind so many: windows have many in common
        for window, scores in zip(WINDOWS, found, strict=True):
            reach = Reach(steps=window.get("window_steps"), percent=Fraction(15) if "window_percent" in window else None)
            seen = [reach.back(i) for i in range(len(groups))]
            for i, back in enumerate(seen):
                if (i, back) not in known:
                    (step,) = reference.step_logprobs(model, [*asked, *(t for g in groups[i - back : i] for t in g)], [groups[i]], [0])
                    known[i, back] = sum(step) / len(step)
            expected = sum(known[i, back] for i, back in enumerate(seen)) / len(seen)
            assert scores[number] == pytest.approx(expected, abs=5e-5), (number, window)
            told += 1
    assert told == ROWS * len(WINDOWS) and longest > 9

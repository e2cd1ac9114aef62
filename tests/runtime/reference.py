"""The two log-probability scores, slowly and obviously: one plain forward pass a step, nothing shared with the runtime.

Steps are given as texts; tokens are placed by the tokenizer's own characters, not by its offsets.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any


def token_steps(tokenizer: Any, response: str, steps: Sequence[str]) -> list[list[int]]:
    """The ids of each step: a token belongs to the step that holds the first byte of its character, steps without one drop."""
    ids = tokenizer(response, add_special_tokens=False)["input_ids"]
    ends, total = [], 0
    for step in steps:
        total += len(step.encode())
        ends.append(total)
    grouped: list[list[int]] = [[] for _ in steps]
    position = 0
    data = response.encode()
    for number in ids:
        start = position
        while start > 0 and data[start] & 0xC0 == 0x80:  # inside a character: it began earlier
            start -= 1
        grouped[next(i for i, end in enumerate(ends) if start < end)].append(number)
        position += len(token_bytes(tokenizer, number))
    assert position == len(data)
    return [group for group in grouped if group]


def token_bytes(tokenizer: Any, number: int) -> bytes:
    """The bytes of one token of a byte-level vocabulary (GPT-2's table of printable stand-ins for bytes)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    stand_in = {chr(byte): byte for byte in plain}
    stand_in |= {chr(256 + i): byte for i, byte in enumerate(b for b in range(256) if b not in plain)}
    return bytes(stand_in[c] for c in tokenizer.convert_ids_to_tokens(number))


def step_logprobs(model: Any, prompt: list[int], groups: list[list[int]], seen: Sequence[int]) -> list[list[float]]:
    """log p of every token of step i, given the prompt and the `seen[i]` steps before it, by one pass for each step."""
    import torch

    found = []
    for i, group in enumerate(groups):
        context = [*prompt, *(t for step in groups[i - seen[i] : i] for t in step)]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([context + group])).logits[0]
        table = torch.log_softmax(logits.float(), dim=-1)
        found.append([table[len(context) + t - 1, number].item() for t, number in enumerate(group)])
    return found


def local_logprob(
    model: Any, tokenizer: Any, prompt: str, response: str, steps: Sequence[str],
    window: int | None = None, percent: int | None = None, drop_first: bool = False,
) -> float:
    """LALP: the mean over steps of the mean over their tokens."""
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False
    )
    groups = token_steps(tokenizer, response, steps)
    seen = [
        min(window, i) if window is not None else ceil((percent or 0) * i / 100) for i in range(len(groups))
    ]
    values = step_logprobs(model, asked, groups, seen)
    if drop_first:
        values = [step[1:] for step in values if len(step) > 1]
    means = [sum(step) / len(step) for step in values]
    return sum(means) / len(means)


def global_logprob(model: Any, tokenizer: Any, prompt: str, response: str) -> float:
    """GALP: the mean over the tokens of the response, all of it after the prompt."""
    return local_logprob(model, tokenizer, prompt, response, [response], window=0)

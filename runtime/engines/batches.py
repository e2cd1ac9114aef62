"""Reads windows in padded batches of like lengths: slower than packed rows, and any causal architecture can do it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .base import Reading, Window
from .memory import is_out_of_memory
from .projection import tell
from .rows import TooLong, vocabulary

BUDGET = 1_024
"""Tokens of a batch on a processor, padding included."""
UNPACKED = ("bloom", "mamba", "qwen2_moe")
"""Model types that are known to be read so, for a plan, which loads no model; loading tries each of any type."""


def in_batches(windows: Sequence[Window], budget: int = BUDGET) -> deque[list[int]]:
    """The windows by their index in batches of like lengths, the longest first: as many as fit in `budget` tokens at the length of the first."""
    batches: deque[list[int]] = deque()
    for i in sorted(range(len(windows)), key=lambda i: (-windows[i].length, i)):
        last = batches[-1] if batches else None
        if last and (len(last) + 1) * windows[last[0]].length <= budget:
            last.append(i)
        else:
            batches.append([i])
    return batches


def batch_tokens(windows: Sequence[Window], budget: int = BUDGET) -> int:
    """All tokens that are read in batches, padding included: of each window but its last one."""
    return sum(len(batch) * (windows[batch[0]].length - 1) for batch in in_batches(windows, budget))


def read_batches(
    model: Any, head: Callable[[Any], Any] | None, windows: Sequence[Window], also: frozenset[str], budget: int
) -> Iterator[tuple[int, Reading]]:
    """Every window's index and reading, the longest first; `budget` tokens a batch, halved where memory is short. TooLong where it is one window.

    `head` makes logits of the base model's last hidden states; None where only the whole model can.
    """
    batches = in_batches(windows, budget)
    while batches:
        batch = batches.popleft()
        try:
            found = _read(model, head, [windows[i] for i in batch], also)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise TooLong(windows[batch[0]].length) from None
            half = (len(batch) + 1) // 2
            batches.extendleft([batch[half:], batch[:half]])
            continue
        yield from zip(batch, found, strict=True)


def _read(model: Any, head: Callable[[Any], Any] | None, windows: Sequence[Window], also: frozenset[str]) -> list[Reading]:
    """One batch. Padding stands on the right, where causal attention never looks: no mask is needed."""
    import torch

    with torch.inference_mode():
        ids = torch.zeros((len(windows), max(w.length for w in windows) - 1), dtype=torch.long)
        for row, window in enumerate(windows):  # the last token is only predicted, never read
            ids[row, : window.length - 1] = torch.tensor((*window.prompt, *window.tokens)[:-1])
        rows = torch.tensor([row for row, w in enumerate(windows) for _ in range(w.scored)])
        columns = torch.tensor([t - 1 for w in windows for t in range(len(w.prompt) + w.start, w.length)])
        targets = torch.tensor([token for w in windows for token in w.tokens[w.start :]])
        ids, rows, columns, targets = (one.to(model.device) for one in (ids, rows, columns, targets))
        if head is None:
            states = model(input_ids=ids, use_cache=False).logits[rows, columns]
        else:
            states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[rows, columns]
        told = tell(states, targets, head or (lambda logits: logits), vocabulary(model), also)
    cuts = np.cumsum([w.scored for w in windows])[:-1]
    parts = {name: np.split(values, cuts) for name, values in told.items()}
    return [Reading(**{name: part[i] for name, part in parts.items()}) for i in range(len(windows))]

"""Reads windows in packed rows: a prompt once for all windows behind it, nothing padded, the vocabulary only for what is scored."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..packing import CAPACITY, Row, pack
from .attention import NotPacked, packed
from .base import Reading, Window
from .layout import lay_out
from .memory import free_bytes, is_out_of_memory
from .projection import tell

# Of the memory that is free, the share that the activations of a row may take.
SHARE = 0.4
# The fewest tokens that rows are planned for; what still does not fit is halved when it is met.
LEAST = 256
# How far a packed row may be from plain passes, relative to the size of the hidden states, at the trial of a model.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.02}


class TooLong(Exception):
    """A single window of so many tokens does not fit in memory."""


def read_rows(
    model: Any, head: Callable[[Any], Any], windows: Sequence[Window], also: frozenset[str], capacity: int, flex: bool = False
) -> Iterator[tuple[int, Reading]]:
    """Every window's index and reading, row by row; `flex` as in Layout. A row that does not fit in memory is halved; TooLong where it is one window."""
    rows: deque[Row] = deque(pack(windows, capacity))
    while rows:
        row = rows.popleft()
        try:
            found = read_row(model, head, row, windows, also, flex)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            indices = [i for segment in row.segments for i in segment.windows]
            if len(indices) == 1:
                raise TooLong(windows[indices[0]].length) from None
            middle = len(indices) // 2
            for part in (indices[middle:], indices[:middle]):
                rows.extendleft(reversed([_renumbered(one, part) for one in pack([windows[i] for i in part], row.tokens)]))
            continue
        yield from found


def read_row(
    model: Any, head: Callable[[Any], Any], row: Row, windows: Sequence[Window], also: frozenset[str], flex: bool = False
) -> list[tuple[int, Reading]]:
    """The windows of one row: one pass of the model."""
    import torch

    layout = lay_out(row, windows, model.device, flex)
    with torch.inference_mode(), packed(model, layout):
        states = model.base_model(input_ids=layout.ids[None], position_ids=layout.positions[None], use_cache=False)
        scored = states.last_hidden_state[0].index_select(0, layout.source)
        told = tell(scored, layout.targets, head, vocabulary(model), also)
    cuts = np.cumsum(layout.counts)[:-1]
    parts = {name: np.split(values, cuts) for name, values in told.items()}
    return [(index, Reading(**{name: part[i] for name, part in parts.items()})) for i, index in enumerate(layout.windows)]


def vocabulary(model: Any) -> int:
    """How many logits a token has."""
    return model.config.get_text_config().vocab_size


def capacity(model: Any) -> int:
    """The most tokens of a row: CAPACITY, or fewer where memory is short."""
    config = model.config.get_text_config()
    free = free_bytes(model.device)
    if free is None:
        return CAPACITY
    widths = sorted(parameter.shape[0] for name, parameter in model.named_parameters() if parameter.dim() == 2 and parameter.shape[0] != vocabulary(model))
    wide, hidden = (widths[-1] if widths else 4 * config.hidden_size), config.hidden_size
    token = model.dtype.itemsize * (12 * hidden + 3 * max(wide, 4 * hidden)) + 8 * hidden
    return max(LEAST, min(CAPACITY, int(free * SHARE / token)))


def why_not(model: Any, flex: bool = False) -> str | None:
    """Why this model cannot read packed rows, None where it can: it reads a small one, and plain passes must say the same."""
    import torch

    try:
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(0, min(vocabulary(model), 1_000), (96,), generator=generator).tolist()
        first, second = tuple(ids[:11]), tuple(ids[11:16])
        asked = [Window(first, tuple(ids[16:40]), 0), Window(second, tuple(ids[40:47]), 3), Window(first, tuple(ids[47:80]), 5)]
        (row,) = pack(asked)
        layout = lay_out(row, asked, model.device, flex)
        with torch.inference_mode():
            with packed(model, layout):
                states = model.base_model(input_ids=layout.ids[None], position_ids=layout.positions[None], use_cache=False).last_hidden_state[0]
            for index in layout.windows:
                window = asked[index]
                plain = torch.tensor([(*window.prompt, *window.tokens[:-1])], device=model.device)
                expected = model.base_model(input_ids=plain, use_cache=False).last_hidden_state[0, len(window.prompt) :].float()
                start = next(i for i in range(layout.tokens) if layout.ids[i : i + len(expected)].tolist() == list(window.tokens[:-1]))
                far = (states[start : start + len(expected)].float() - expected).norm() / expected.norm()
                if not far < TOLERANCE[str(model.dtype).removeprefix("torch.")]:
                    return "it reads a packed row otherwise than a plain one"
    except NotPacked as error:
        return str(error)
    except Exception as error:  # whatever an architecture does with what it was not written for: it is read plainly then
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            raise
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    return None


def _renumbered(row: Row, indices: Sequence[int]) -> Row:
    segments = tuple(replace(s, windows=tuple(indices[i] for i in s.windows)) for s in row.segments)
    return replace(row, segments=segments)



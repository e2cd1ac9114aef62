"""Lays windows out in long rows, each prompt once for all windows behind it: what an engine reads at once, and how many tokens that is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .engines.base import Window

CAPACITY = 8_192
"""The most tokens of a row, if no single window needs more."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A prompt, and the windows behind it by their index. All see the prompt, none sees another."""

    prompt: tuple[int, ...]
    windows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Segments side by side, none of which sees another, and the tokens of all: each prompt once, each window but its last token."""

    segments: tuple[Segment, ...]
    tokens: int


def places(window: Window) -> int:
    """How many tokens of a window are read behind its prompt: the last one is predicted, never read."""
    return len(window.tokens) - 1


def pack(windows: Sequence[Window], capacity: int = CAPACITY) -> list[Row]:
    """Every window once, in rows of at most `capacity` tokens; prompts by their first occurrence, each group of windows in the first row with room.

    Only a group that fills more than a row is divided, and its prompt repeated; a window that is longer than a row gets one of its own. Behind a prompt of more
    than half a row there is room for as many tokens as it has.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, window in enumerate(windows):
        groups.setdefault(window.prompt, []).append(index)
    rows: list[list[Segment]] = []
    used: list[int] = []
    for prompt, indices in groups.items():
        for piece, size in _pieces(prompt, indices, windows, capacity):
            at = next((i for i, tokens in enumerate(used) if tokens + size <= capacity), len(rows))
            if at == len(rows):
                rows.append([])
                used.append(0)
            rows[at].append(Segment(prompt, tuple(piece)))
            used[at] += size
    return [Row(tuple(segments), size) for segments, size in zip(rows, used, strict=True)]


def tokens(rows: Sequence[Row]) -> int:
    """All tokens that are read."""
    return sum(row.tokens for row in rows)


def _pieces(prompt: tuple[int, ...], indices: Sequence[int], windows: Sequence[Window], capacity: int) -> list[tuple[list[int], int]]:
    """The windows of one prompt in as few pieces as fit in a row each (first fit), and the tokens of each, prompt included."""
    pieces: list[tuple[list[int], int]] = []
    # behind a long prompt there is room for as many tokens as it has: it is never read for one window at a time
    room = max(capacity, 2 * len(prompt)) if len(prompt) * 2 > capacity else capacity
    for index in indices:
        size = places(windows[index])
        at = next((i for i, (_, held) in enumerate(pieces) if held + size <= room), None)
        if at is None:
            pieces.append(([index], len(prompt) + size))
        else:
            piece, held = pieces[at]
            piece.append(index)
            pieces[at] = piece, held + size
    return pieces

"""A packed row as tensors: which tokens it holds at which positions, which are scored, and in which blocks their attention is computed.

A block is a group of windows behind one prompt, of like lengths: as queries their tokens, as keys those of the prompt
and then of the window itself. It knows no model; heads come in when a model's attention asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..packing import Row, places
from .base import Window

# Keys of a block are padded to a multiple of it: vectorised softmax and matrix products have no rest then.
ALIGN = 32
# The most attention weights of one head that a block holds, so that they stay in the processor's cache.
AREA = 2**19
# So many weights of one head may be computed for nothing before a block ends: about what a block of its own costs.
WASTE = 2**15
# Long windows are cut into spans of so many queries, and what is left over, so that few weights lie beyond what is seen.
SPAN = 128


@dataclass(frozen=True, slots=True)
class Piece:
    """`size` tokens of a row that attend causally to themselves, to the `before` tokens from `start` on that they follow, and to all of the
    `prompt` (start, size)."""

    prompt: tuple[int, int]
    start: int
    before: int
    size: int

    @property
    def keys(self) -> int:
        """How many tokens the last of them sees."""
        return self.prompt[1] + self.before + self.size


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces whose first query follows `before` tokens, those of one prompt included, padded to `queries` and `keys`. Tensors of token indices in the row:

    `query` [pieces, queries] and `key` [pieces, keys], both padded with a piece's last token.
    """

    before: int
    queries: int
    keys: int
    query: Any
    key: Any


@dataclass(slots=True)
class Layout:
    """A row of T tokens: `ids` and `positions` int64[T]; `source` int64[N] the tokens whose successor is scored, in the order of `windows`
    (indices of the windows asked), `targets` int64[N] these successors, `counts` how many are each window's. `pieces` are in the row's order.
    `flex`: attention is one kernel over the row, instead of products of blocks."""

    windows: tuple[int, ...]
    ids: Any
    positions: Any
    source: Any
    targets: Any
    counts: tuple[int, ...]
    pieces: tuple[Piece, ...]
    device: Any
    flex: bool = False
    cache: dict[object, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """T."""
        return len(self.ids)


def lay_out(row: Row, windows: Sequence[Window], device: Any, flex: bool = False) -> Layout:
    """The row in tensors on `device`: each segment's prompt, then its windows one after the other, each but its last token."""
    import torch

    ids: list[int] = []
    positions: list[int] = []
    source: list[int] = []
    targets: list[int] = []
    order: list[int] = []
    pieces: list[Piece] = []
    for segment in row.segments:
        prompt = (len(ids), len(segment.prompt))
        ids += segment.prompt
        positions += range(prompt[1])
        if prompt[1]:
            pieces += _spans((prompt[0], 0), *prompt)
        for index in segment.windows:
            window, start = windows[index], len(ids)
            ids += window.tokens[:-1]
            positions += range(prompt[1], prompt[1] + places(window))
            # a token is predicted by the one before it, the first of a window by the prompt's last
            before = [prompt[0] + prompt[1] - 1] if window.start == 0 else []
            source += (*before, *range(start + max(window.start, 1) - 1, start + places(window)))
            targets += window.tokens[window.start :]
            order.append(index)
            pieces += _spans(prompt, start, places(window))
    as_tensor = lambda values: torch.tensor(values, dtype=torch.long).to(device)  # noqa: E731
    counts = tuple(windows[index].scored for index in order)
    return Layout(
        tuple(order), as_tensor(ids), as_tensor(positions), as_tensor(source), as_tensor(targets), counts, tuple(pieces), device, flex
    )


def _spans(prompt: tuple[int, int], start: int, size: int) -> list[Piece]:
    """A window's tokens in spans; what is left over is a span of its own if it is half of one at least."""
    cuts = [*range(0, size - SPAN // 2, SPAN), size] if size > SPAN // 2 else [0, size]
    return [Piece(prompt, start, low, high - low) for low, high in pairwise(cuts) if high > low]


def blocks(layout: Layout) -> tuple[Block, ...]:
    """The pieces of a row in blocks: behind one prompt and as many tokens, by falling length, as many together as fit and waste little."""
    found = layout.cache.get("blocks")
    if found is None:
        groups: dict[tuple[int, int, int], list[Piece]] = {}
        for piece in layout.pieces:
            where = piece.prompt[0] if piece.prompt[1] else -1
            groups.setdefault((where, piece.prompt[1], piece.before), []).append(piece)
        found = tuple(_block(part, layout.device) for group in groups.values() for part in _parts(group))
        layout.cache["blocks"] = found
    return found


def _parts(pieces: Sequence[Piece]) -> list[list[Piece]]:
    parts: list[list[Piece]] = []
    wasted = 0
    for piece in sorted(pieces, key=lambda p: (-p.size, p.start)):
        if parts:
            longest = parts[-1][0]
            wasted += longest.size * longest.keys - piece.size * piece.keys
            if wasted <= WASTE and (len(parts[-1]) + 1) * longest.size * longest.keys <= AREA:
                parts[-1].append(piece)
                continue
        parts.append([piece])
        wasted = 0
    return parts


def _block(pieces: Sequence[Piece], device: Any) -> Block:
    import torch

    longest = pieces[0]
    prompt, queries = longest.prompt[1], longest.size
    keys = -(-longest.keys // ALIGN) * ALIGN
    starts = torch.tensor([p.start for p in pieces])[:, None]
    ends = torch.tensor([p.start + p.before + p.size - 1 for p in pieces])[:, None]
    query = torch.minimum(starts + longest.before + torch.arange(queries), ends)
    own = torch.minimum(starts + torch.arange(keys - prompt), ends)
    before = torch.tensor([p.prompt[0] for p in pieces])[:, None] + torch.arange(prompt)
    key = torch.cat([before, own], dim=1)
    return Block(prompt + longest.before, queries, keys, query.to(device), key.to(device))

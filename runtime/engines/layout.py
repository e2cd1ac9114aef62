"""A packed row as tensors: which tokens it holds at which positions, which are scored, and in which blocks their attention is computed.

A block is a group of windows behind one prompt, of like lengths: as queries their tokens, as keys those of the prompt
and then of the window itself. It knows no model; heads come in when a model's attention asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..packing import Row, places
from .base import Window

# Keys of a block are padded to a multiple of it: vectorised softmax and matrix products have no rest then.
ALIGN = 32
# The most attention weights of one head that a block holds, so that they stay in the processor's cache.
AREA = 2**18
# So many weights of one head may be computed for nothing before a block ends: about what a block of its own costs.
WASTE = 2**14


@dataclass(frozen=True, slots=True)
class Piece:
    """`size` tokens of a row from `start` on, that attend causally to themselves and to all of the `prompt` (start, size)."""

    prompt: tuple[int, int]
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces behind one prompt of `prompt` tokens, padded to `queries` and `keys`. Tensors of token indices in the row:

    `query` [pieces, queries] (padded with a piece's last token), `key` [pieces, keys] (padded likewise); `sizes` of the pieces.
    """

    prompt: int
    queries: int
    keys: int
    sizes: tuple[int, ...]
    query: Any
    key: Any


@dataclass(slots=True)
class Layout:
    """A row of T tokens: `ids` and `positions` int64[T]; `source` int64[N] the tokens whose successor is scored, in the order of `windows`
    (indices of the windows asked), `targets` int64[N] these successors, `counts` how many are each window's. `pieces` are in the row's order."""

    windows: tuple[int, ...]
    ids: Any
    positions: Any
    source: Any
    targets: Any
    counts: tuple[int, ...]
    pieces: tuple[Piece, ...]
    device: Any
    cache: dict[object, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """T."""
        return len(self.ids)


def lay_out(row: Row, windows: Sequence[Window], device: Any) -> Layout:
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
            pieces.append(Piece((prompt[0], 0), *prompt))
        for index in segment.windows:
            window, start = windows[index], len(ids)
            ids += window.tokens[:-1]
            positions += range(prompt[1], prompt[1] + places(window))
            # a token is predicted by the one before it, the first of a window by the prompt's last
            before = [prompt[0] + prompt[1] - 1] if window.start == 0 else []
            source += (*before, *range(start + max(window.start, 1) - 1, start + places(window)))
            targets += window.tokens[window.start :]
            order.append(index)
            if places(window):
                pieces.append(Piece(prompt, start, places(window)))
    as_tensor = lambda values: torch.tensor(values, dtype=torch.long).to(device)  # noqa: E731
    counts = tuple(windows[index].scored for index in order)
    return Layout(
        tuple(order), as_tensor(ids), as_tensor(positions), as_tensor(source), as_tensor(targets), counts, tuple(pieces), device
    )


def blocks(layout: Layout) -> tuple[Block, ...]:
    """The pieces of a row in blocks: of one prompt, by falling length, as many together as fit and waste little."""
    found = layout.cache.get("blocks")
    if found is None:
        groups: dict[tuple[int, int], list[Piece]] = {}
        for piece in layout.pieces:
            groups.setdefault(piece.prompt if piece.prompt[1] else (-1, 0), []).append(piece)
        found = tuple(_block(part, layout.device) for group in groups.values() for part in _parts(group))
        layout.cache["blocks"] = found
    return found


def _parts(pieces: Sequence[Piece]) -> list[list[Piece]]:
    parts: list[list[Piece]] = []
    wasted = 0
    for piece in sorted(pieces, key=lambda p: (-p.size, p.start)):
        if parts:
            longest = parts[-1][0]
            keys = longest.prompt[1] + longest.size
            wasted += longest.size * keys - piece.size * (piece.prompt[1] + piece.size)
            if wasted <= WASTE and (len(parts[-1]) + 1) * longest.size * keys <= AREA:
                parts[-1].append(piece)
                continue
        parts.append([piece])
        wasted = 0
    return parts


def _block(pieces: Sequence[Piece], device: Any) -> Block:
    import torch

    prompt, queries = pieces[0].prompt[1], pieces[0].size
    keys = -(-(prompt + queries) // ALIGN) * ALIGN
    starts = torch.tensor([p.start for p in pieces])[:, None]
    ends = torch.tensor([p.start + p.size - 1 for p in pieces])[:, None]
    query = torch.minimum(starts + torch.arange(queries), ends)
    own = torch.minimum(starts + torch.arange(keys - prompt), ends)
    before = torch.tensor([p.prompt[0] for p in pieces])[:, None] + torch.arange(prompt)
    key = torch.cat([before, own], dim=1)
    return Block(prompt, queries, keys, tuple(p.size for p in pieces), query.to(device), key.to(device))

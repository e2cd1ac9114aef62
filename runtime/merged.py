"""All rows in the order of their ids, some at a time: each part is sorted, so every range of ids is a slice of it. It knows parts, not columns."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from .identity import by_row_id
from .rows import MOST, Rows, Stored

AT_ONCE = MOST // 4
"""Rows that are held at once, about."""


def merged(rows: Rows, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The rows with these columns, frame after frame in the order of row ids."""
    if len(rows.parts) == 1:
        yield by_row_id(next(rows.each(names)))
        return
    edges = _edges(-(-rows.height // AT_ONCE))
    bounds = [pl.Series([0, *part["row_id"].search_sorted(edges), part.height]).to_list() for part in rows.each(["row_id"])]
    for number in range(len(edges) + 1):
        found = [_slice(part, names, at[number], at[number + 1]) for part, at in zip(rows.parts, bounds, strict=True)]
        yield by_row_id(pl.concat(found))


def _edges(ranges: int) -> pl.Series:
    """The first 64 bits of an id, as text, where the ranges but the first begin."""
    return pl.Series([f"{int(n):016x}" for n in np.linspace(0, 2.0**64, ranges + 1)[1:-1]], dtype=pl.String)


def _slice(part: pl.DataFrame | Stored, names: Sequence[str], start: int, end: int) -> pl.DataFrame:
    return part.read(names, start, end - start) if isinstance(part, Stored) else part.select(names).slice(start, end - start)

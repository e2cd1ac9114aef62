"""Totals over many rows from a few of them: a seeded sample, and the ratio to something that is known of all. Knows no models."""

from collections.abc import Callable

import numpy as np
import polars as pl

from .figure import Figure
from .identity import seeded_hash
from .rows import Rows
from .texts import characters as count

# Counting tokens takes about a second for so many rows; beyond it a sample is counted.
EXACT_ROWS = 20_000
SAMPLE_ROWS = 2_000

Count = Callable[[pl.DataFrame], dict[str, int]]


def sample(rows: pl.DataFrame, key: str, size: int = SAMPLE_ROWS) -> pl.DataFrame:
    """The `size` rows with the smallest hash of `key`: the same rows every time."""
    if rows.height <= size:
        return rows
    hashed = pl.Series("mixc:sample", seeded_hash(0, rows[key]), dtype=pl.UInt64)
    return rows.with_columns(hashed).sort("mixc:sample", key).head(size).drop("mixc:sample")


def sample_of(rows: Rows, key: str, size: int = SAMPLE_ROWS, *, live: bool = False) -> pl.DataFrame:
    """The same of all parts, or of their rows without a reason."""
    return sample(pl.concat([sample(part, key, size) for part in (rows.live() if live else rows.each())]), key, size)


def total(rows: pl.DataFrame, key: str, count: Count, exact: bool, limit: int = EXACT_ROWS, size: int = SAMPLE_ROWS) -> Figure:
    """The sum of what `count` says of each row, exact up to `limit` rows if `exact`, else by a sample of `size`.

    A sample is scaled by the characters of prompt and response, which are known of every row.
    """
    if rows.height <= limit:
        return Figure(value=sum(count(rows).values()), exact=exact)
    few = sample(rows, key, size)
    counted = count(few)
    found = np.array([counted[k] for k in few[key]], dtype=np.float64)
    mine, all_characters = characters(few), int(characters(rows).sum())
    return ratio(found, mine.to_numpy().astype(np.float64), float(all_characters), rows.height)


def ratio(found: np.ndarray, known: np.ndarray, known_of_all: float, rows: int) -> Figure:
    """The ratio estimate of a total over `rows` rows, with its standard error."""
    slope = float(found.sum() / known.sum()) if known.sum() else 0.0
    residual = found - slope * known
    n = len(found)
    spread = float(np.sqrt((residual**2).sum() / max(n - 1, 1)))
    return Figure(value=slope * known_of_all, exact=False, error=rows * spread / n**0.5 * max(0.0, 1 - n / rows) ** 0.5)


def characters(rows: pl.DataFrame) -> pl.Series:
    """Characters of prompt and response of each row."""
    lengths = [count("prompt", rows).fill_null(0).cast(pl.Int64), count("response", rows).fill_null(0).cast(pl.Int64)]
    return rows.select((lengths[0] + lengths[1]).alias("characters")).to_series()

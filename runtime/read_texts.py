"""One text of each of many rows, so many rows at a time that memory never holds all texts. Knows where rows were read, nothing of stages."""

from collections.abc import Iterator

import polars as pl

from .texts import CHARACTERS, FILE, ROW, Texts

SLICE = 100_000
"""So many rows at a time at most..."""
LONG = 1 << 26
"""... and of long texts about so many characters."""


def read_texts(rows: pl.DataFrame, name: str, texts: Texts) -> Iterator[pl.DataFrame]:
    """The rows in the order in which they stand in their files, a slice at a time, with the column `name` (prompt or response). Faults as `Texts.add`."""
    ordered = rows.sort(FILE, ROW) if {FILE, ROW} <= set(rows.columns) else rows
    if CHARACTERS[name] in rows.columns:
        number = ordered[CHARACTERS[name]].fill_null(0).cast(pl.Int64).cum_sum() // LONG
        ordered = ordered.with_columns(number.alias("mixc:slice"))
        parts = ordered.partition_by("mixc:slice", maintain_order=True, include_key=False) if ordered.height else []
    else:
        parts = [ordered]
    for part in parts:
        for piece in part.iter_slices(SLICE):
            yield texts.add(piece, (name,))


def places(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Of the rows that are still in, what is needed to read the text `name` of each."""
    wanted = ("row_id", "prompt_id", FILE, ROW, CHARACTERS[name], name)
    return rows.lazy().filter(pl.col("reason").is_null()).select(n for n in wanted if n in rows.columns).collect()

"""`ledger.parquet`: every scanned row, what it scored, whether it is in, why, and what each filter saw of it. Knows columns, not folders."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from ..compiler.plan.stages import Plan
from .identity import by_row_id
from .materialise import parquet, scores, skills, tokens
from .merged import merged
from .rows import Rows, stored

TRACED = "of the trace"
"""What is added to the name of a trace's column where a score has that name."""
_GROUP = 65_536


def ledger(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, sorted by row id: what each scored, whether it is in, and why not."""
    selected = pl.col("reason").is_null()
    return by_row_id(rows).select(
        "row_id",
        "prompt_id",
        "teacher",
        skills(rows),
        tokens(plan, rows),
        *scores(plan, rows),
        status=pl.when(selected).then(pl.lit("selected")).otherwise(pl.lit("dropped")),
        reason="reason",
    )


def traced(ledger: pl.DataFrame, columns: pl.DataFrame) -> pl.DataFrame:
    """The ledger with the columns of a trace at its end; both are sorted by row id. One that has the name of a score gets another."""
    others = columns.drop("row_id", "reason")
    return pl.concat([ledger, others.rename({name: f"{name} {TRACED}" for name in others.columns if name in ledger.columns})], how="horizontal")


def write_ledger(plan: Plan, rows: Rows, columns: Rows, path: Path) -> None:
    """Write the ledger with the columns of a trace, sorted by row id; of several parts some rows at a time."""
    both = zip(rows.each(), columns.each(), strict=True)
    parts = (traced(ledger(plan, part), trace) for part, trace in both)
    if rows.scratch is None:
        path.write_bytes(parquet(next(parts)))
        return
    whole = Rows(tuple(stored(part, rows.scratch) for part in parts), rows.scratch)

    def frames(columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None) -> Iterator[pl.DataFrame]:
        yield from merged(whole, columns or whole.columns)

    plan_of_it = register_io_source(frames, schema=pl.Schema(whole.schema), is_pure=True)
    plan_of_it.sink_parquet(path, compression="zstd", compression_level=3, row_group_size=_GROUP)

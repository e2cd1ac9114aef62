"""The teachers of a build: what became of each one's rows, and how it scores, by the same definition as `mixc rank-teachers`."""

import math
from typing import Any

import polars as pl

from ..compiler.plan.stages import Plan, Score
from .materialise import ledger
from .ranked_by import declared, judges
from .ranking import Mean, correct, means, valued
from .select import UNCHOSEN


def teacher_table(plan: Plan, rows: pl.DataFrame) -> dict[str, object]:
    """`teachers.json`, after selection: `judge`, the score that tells correct responses (null where none does, or several might), and `teachers`.

    Of each: `rows` scanned, `candidates` that passed every filter, `selected`, `selected tokens`, `correct` (of the responses that came to the
    judge), `mean NAME` of each numeric score over the rows that have it, and under `scores`, for each other score of the candidates, what
    `ranking.means` gives over the correct responses, or over all without a judge.
    """
    known = judges(plan)
    judge = known[0] if len(known) == 1 else None
    right = correct(rows, judge)
    scored = {name: means(_pool(rows, name, judge), name, plan.seed) for name in _candidates(plan, rows) if name != judge}
    return {"judge": judge, "teachers": [_teacher(row, right, scored) for row in _counts(plan, rows)]}


def _candidates(plan: Plan, rows: pl.DataFrame) -> list[str]:
    """The scores that were computed before the selection and are numbers or truths."""
    stages = [s for s in declared(plan).values() if s.rows == "candidates" and f"score:{s.name}" in rows.columns]
    return [s.name for s in stages if _countable(s, rows)]


def _countable(stage: Score, rows: pl.DataFrame) -> bool:
    dtype = rows.schema[f"score:{stage.name}"]
    return dtype.is_numeric() or dtype == pl.Boolean()


def _pool(rows: pl.DataFrame, name: str, judge: str | None) -> pl.DataFrame:
    if judge is None or f"score:{judge}" not in rows.columns:
        return valued(rows, name)
    return valued(rows.filter(pl.col(f"score:{judge}").fill_null(value=False)), name)


def _counts(plan: Plan, rows: pl.DataFrame) -> list[dict[str, Any]]:
    frame = ledger(plan, rows)
    scored = [name for name in declared(plan) if frame.schema[name].is_numeric()]
    picked = pl.col("status") == "selected"
    table = frame.group_by("teacher").agg(
        pl.len().alias("rows"),
        (picked | pl.col("reason").str.starts_with(UNCHOSEN)).sum().alias("candidates"),
        picked.sum().alias("selected"),
        pl.col("tokens").filter(picked).sum().alias("selected tokens"),
        *(pl.col(name).drop_nulls() for name in scored),
    )
    return [_with_means(row, scored) for row in table.sort("teacher").iter_rows(named=True)]


def _with_means(row: dict[str, Any], scored: list[str]) -> dict[str, Any]:
    """Means by exact sums: Polars' own depend on the number of threads in the last digit."""
    found = {f"mean {name}": math.fsum(row[name]) / len(row[name]) if row[name] else None for name in scored}
    return {name: value for name, value in row.items() if name not in scored} | found


def _teacher(row: dict[str, Any], right: dict[str, tuple[int, int]], scored: dict[str, dict[str, Mean]]) -> dict[str, Any]:
    counted = right.get(row["teacher"])
    share = None if counted is None else {"responses": counted[0], "of": counted[1], "share": round(counted[0] / counted[1], 6)}
    return row | {"correct": share, "scores": {name: by[row["teacher"]].to_data() for name, by in scored.items() if row["teacher"] in by}}

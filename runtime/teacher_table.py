"""The teachers of a build: what became of each one's rows, and how it scores, by the same definition as `mixc rank-teachers`."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from ..compiler.plan.stages import Plan, Score
from .ledger import ledger
from .path import UNCHOSEN
from .ranked_by import declared, judges
from .ranking import Mean, correct, means, valued
from .rows import Rows
from .sums import Sum


def teacher_table(plan: Plan, rows: Rows) -> dict[str, object]:
    """`teachers.json`, after selection: `judge`, the score that tells correct responses (null where none does, or several might), and `teachers`.

    Of each: `rows` scanned, `candidates` that passed every filter, `selected`, `selected tokens`, `correct` (of the responses that came to the
    judge), `mean NAME` of each numeric score over the rows that have it, and under `scores`, for each other score of the candidates, what
    `ranking.means` gives over the correct responses, or over all without a judge.
    """
    known = judges(plan)
    judge = known[0] if len(known) == 1 else None
    right: dict[str, tuple[int, int]] = {}
    for part in rows.each(["teacher", f"score:{judge}"]):
        for teacher, (good, of) in correct(part, judge).items():
            before = right.get(teacher, (0, 0))
            right[teacher] = before[0] + good, before[1] + of
    scored = {name: means(_pools(rows, name, judge), name, plan.seed) for name in _candidates(plan, rows) if name != judge}
    return {"judge": judge, "teachers": [_teacher(row, right, scored) for row in _counts(plan, rows)]}


def _candidates(plan: Plan, rows: Rows) -> list[str]:
    """The scores that were computed before the selection and are numbers or truths."""
    stages = [s for s in declared(plan).values() if s.rows == "candidates" and f"score:{s.name}" in rows.columns]
    return [s.name for s in stages if _countable(s, rows)]


def _countable(stage: Score, rows: Rows) -> bool:
    dtype = rows.schema[f"score:{stage.name}"]
    return dtype.is_numeric() or dtype == pl.Boolean()


def _pools(rows: Rows, name: str, judge: str | None) -> Iterator[pl.DataFrame]:
    score = f"score:{name}"
    for part in rows.each(["row_id", "teacher", "prompt_id", score, f"{score}:over", f"{score}:under", f"score:{judge}"]):
        judged = judge is not None and f"score:{judge}" in part.columns
        yield valued(part.filter(pl.col(f"score:{judge}").fill_null(value=False)) if judged else part, name)


def _counts(plan: Plan, rows: Rows) -> list[dict[str, Any]]:
    picked = pl.col("status") == "selected"
    tables, sums, scored = [], dict[tuple[str | None, str], Sum](), list[str]()
    for part in rows.each():
        frame = ledger(plan, part)
        scored = [name for name in declared(plan) if frame.schema[name].is_numeric()]
        tables.append(frame.group_by("teacher").agg(
            pl.len().alias("rows"),
            (picked | pl.col("reason").str.starts_with(UNCHOSEN)).sum().alias("candidates"),
            picked.sum().alias("selected"),
            pl.col("tokens").filter(picked).sum().alias("selected tokens"),
        ))  # fmt: skip
        for (teacher,), mine in frame.select("teacher", *scored).group_by("teacher"):
            for name in scored:
                sums.setdefault((teacher, name), Sum()).add(mine[name].drop_nulls().cast(pl.Float64).to_numpy())  # type: ignore[arg-type]
    table = pl.concat(tables).group_by("teacher").agg(pl.all().sum())
    # Means by exact sums: Polars' own depend on the number of threads in the last digit.
    return [row | {f"mean {name}": sums[row["teacher"], name].mean for name in scored} for row in table.sort("teacher").iter_rows(named=True)]


def _teacher(row: dict[str, Any], right: dict[str, tuple[int, int]], scored: dict[str, dict[str, Mean]]) -> dict[str, Any]:
    counted = right.get(row["teacher"])
    share = None if counted is None else {"responses": counted[0], "of": counted[1], "share": round(counted[0] / counted[1], 6)}
    return row | {"correct": share, "scores": {name: by[row["teacher"]].to_data() for name, by in scored.items() if row["teacher"] in by}}

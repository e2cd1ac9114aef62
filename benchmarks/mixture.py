"""The clauses of the selection benchmark over a table of `candidates`: its filters, and 45 floors, 21 caps, a share of tokens for each teacher, two budgets."""

import polars as pl
from mixc.compiler.expressions import Column, Constant, Operation, Rank
from mixc.compiler.plan.stages import AtMost, Budget, Group, Keep, Quota, Where
from mixc.compiler.source import Span
from mixc.runtime.selection.table import Table

HERE = Span("bench_selection.mix", 0, 0)


def filters(most: int) -> tuple[Where | Keep, ...]:
    """Rows that are right and short, the best of each prompt, at most so many a skill."""
    objective = Column("score", "objective")
    short = Operation("and", (Column("score", "correct"), Operation("<=", (Column("score", "tokens"), Constant(1000)))))
    capped = Operation("<=", (Rank(objective, Column("column", "skill")), Constant(most)))
    return (
        Where(text="where correct and tokens <= 1k tokens", condition=short, span=HERE),
        Keep(text="keep best 1 per prompt by objective", count=1, by=objective, span=HERE),
        Where(text=f"where rank(objective) within skill <= {most}", condition=capped, span=HERE),
    )


def named(frame: pl.LazyFrame, tie: str) -> pl.LazyFrame:
    """The table under the names that filters read, its numbers for ids."""
    names = {"row_id": "row", "prompt_id": "prompt", tie: "tie", "column:skill": "skill"} | {f"score:{s}": s for s in ("objective", "correct", "tokens")}
    return frame.select(reason=pl.lit(None, pl.String), **{name: pl.col(column) for name, column in names.items()})


def mixture(frame: pl.LazyFrame, selected: int) -> Table:
    """All clauses bind: hard skills have floors above what they would get, easy ones caps below, two budgets leave short rows only."""
    supply = frame.group_by("skill").len().sort("skill").collect(engine="streaming")
    share = {s: n * selected / supply["len"].sum() for s, n in supply.iter_rows()}
    quotas, members = [], []
    for i in range(45):
        skill = 117 - i
        quotas.append(_quota("skill", skill, float(int(0.9 * share.get(skill, 0))), None, "examples"))
        members.append(pl.col("skill") == skill)
    for skill in range(21):
        quotas.append(_quota("skill", skill, None, float(int(1.05 * share.get(skill, 0))), "examples"))
        members.append(pl.col("skill") == skill)
    for teacher in range(5):
        low, high = (None, 22.0) if teacher % 3 == 0 else (18.0, None)
        quotas.append(_quota("teacher", teacher, low, high, "% of tokens"))
        members.append(pl.col("teacher") == teacher)
    return Table(
        frame=frame,
        at_most=AtMost(text="keep at most 1 per prompt", count=1, span=HERE),
        quotas=tuple(quotas),
        members=tuple(members),
        budgets=(_budget(selected, "examples"), _budget(selected * 250, "tokens")),
    )


def _quota(kind: str, value: int, low: float | None, high: float | None, unit: str) -> Quota:
    text = f'quota {kind} "{value}" {low}..{high} {unit}'
    return Quota(text=text, group=Group(kind=kind, value=str(value)), low=low, high=high, unit=unit, span=HERE)


def _budget(amount: int, unit: str) -> Budget:
    return Budget(text=f"budget {amount} {unit}", amount=amount, unit=unit, span=HERE)

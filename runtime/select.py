"""The Select stage: filters in their order, then the clauses that act together, solved. Leaves every row either chosen or with a reason."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ..compiler.backends.polars import apply_keep, apply_where, with_value
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Filter, Keep, Select, Where
from . import lazy
from .conflicts import infeasible
from .groups import group_rows
from .identity import by_row_id, seeded_hash
from .selection.exact import solve
from .selection.problem import Infeasible, Problem, Solution

TIE = "mixc:tie"
_DROPPED_BY = "mixc:dropped by"
UNCHOSEN = "select: not "
"""How the reason of a candidate begins that passed every filter and was not chosen."""


@dataclass(frozen=True, slots=True)
class Step:
    """How many rows a clause left."""

    clause: str
    rows: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """All rows, `reason` null for those selected; the solver's answer; what each filter left; what should be told."""

    rows: pl.DataFrame
    solution: Solution
    funnel: tuple[Step, ...] = field(default=())
    notices: tuple[str, ...] = field(default=())


def alive(rows: pl.DataFrame) -> int:
    """How many rows are still candidates."""
    return rows["reason"].null_count()


def filter_rows(stage: Filter, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """The `where`s of a Filter stage, one after the other."""
    return _steps(stage.wheres, tied(rows, stage.seed))


def select(stage: Select, rows: pl.DataFrame, funnel: tuple[Step, ...] = ()) -> Chosen:
    """Apply the stage to the rows. Fault MIX0401 when its clauses cannot hold together; `funnel` is what earlier clauses left, for that message."""
    filtered, steps = _steps(stage.steps, tied(rows, stage.seed))
    candidates, more = _with_objective(stage, filtered)
    candidates, counted = _with_tokens(stage, candidates)
    steps = (*steps, *more, *counted)
    live = candidates.filter(pl.col("reason").is_null())
    answer = solve(problem(stage, live))
    if isinstance(answer, Infeasible):
        raise Fault(infeasible(answer.conflict, candidates, (*funnel, *steps)))
    reason = _unchosen(stage, answer)
    verdict = live.select("row_id", chosen=pl.Series(answer.chosen, dtype=pl.Boolean))
    judged = candidates.join(verdict, on="row_id", how="left", maintain_order="left").with_columns(
        reason=pl.when(pl.col("reason").is_null() & ~pl.col("chosen")).then(pl.lit(reason)).otherwise("reason")
    )
    done = judged.drop("chosen", "mixc:objective", TIE)
    return Chosen(done, answer, steps, _empty_caps(stage, rows))


def tied(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows, sorted by row id, with the seeded hash that breaks ties."""
    rows = by_row_id(rows)
    return rows.with_columns(pl.Series(TIE, seeded_hash(seed, rows["row_id"]), dtype=pl.UInt64))


def _steps(steps: tuple[Where | Keep, ...], rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """The filters as one lazy plan, and how many rows each left: the number of the step that dropped a row stands beside it while the plan runs."""
    if not steps:
        return rows, ()
    by, out = pl.col(_DROPPED_BY), pl.col("reason").is_not_null()
    frame = rows.lazy().with_columns(pl.when(out).then(pl.lit(0, pl.UInt16)).alias(_DROPPED_BY))
    for number, step in enumerate(steps, 1):
        lazy.show(one_step(rows, step), step.text)
        frame = one_step(frame, step).with_columns(pl.when(by.is_null() & out).then(pl.lit(number, pl.UInt16)).otherwise(by).alias(_DROPPED_BY))
    done = frame.collect(engine="streaming")
    gone = np.bincount(done[_DROPPED_BY].drop_nulls().to_numpy(), minlength=len(steps) + 1).cumsum()
    return done.drop(_DROPPED_BY), tuple(Step(step.text, int(done.height - gone[number])) for number, step in enumerate(steps, 1))


def one_step(rows: pl.DataFrame | pl.LazyFrame, step: Where | Keep) -> pl.LazyFrame:
    """The lazy plan of one filter over rows that `tied` has seen; their order stays."""
    return apply_where(rows.lazy(), step, TIE) if isinstance(step, Where) else apply_keep(rows.lazy(), step, TIE)


def _with_objective(stage: Select, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """The rows with `mixc:objective`; a row without one cannot be selected."""
    if stage.objective is None:
        value = rows[TIE].to_numpy().astype(np.float64) / 2.0**64
        return rows.with_columns(pl.Series("mixc:objective", value)), ()
    plan = with_value(rows.lazy(), stage.objective, "mixc:objective", TIE)
    valued = lazy.collect(plan, f"maximize {stage.objective_text}")
    number = pl.col("mixc:objective").cast(pl.Float64)
    valued = valued.with_columns(pl.when(number.is_finite()).then(number).alias("mixc:objective"))
    clause = f"maximize {stage.objective_text}"
    return _drop(valued, pl.col("mixc:objective").is_null(), f"{clause}: null", clause)


def _with_tokens(stage: Select, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    bounded = [c for c in (*stage.quotas, *stage.budgets) if "tokens" in c.unit]
    if not bounded:
        return rows, ()
    return _drop(
        rows,
        pl.col(f"score:{stage.tokens}").is_null(),
        f"{bounded[0].text}: the row's tokens are not known",
        f"count tokens by {stage.tokens}",
    )


def _drop(rows: pl.DataFrame, without: pl.Expr, reason: str, clause: str) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    before = alive(rows)
    dropped = rows.with_columns(reason=pl.when(pl.col("reason").is_null() & without).then(pl.lit(reason)).otherwise("reason"))
    left = alive(dropped)
    return dropped, (Step(clause, left),) if left < before else ()


def problem(stage: Select, live: pl.DataFrame) -> Problem:
    """The clauses that act together, over candidates with `mixc:objective` and their tie, sorted by row id. Fault MIX0502 for negative tokens."""
    tokens = live[f"score:{stage.tokens}"].cast(pl.Float64) if stage.tokens else pl.zeros(live.height, eager=True)
    whole = tokens.fill_null(0).round().cast(pl.Int64)
    if whole.len() and (whole.min() or 0) < 0:  # type: ignore[operator]
        raise Fault(
            Diagnostic("MIX0502", f"`{stage.tokens}` counts tokens, but some counts are negative", Label(stage.span, "selects by it"))
        )
    return Problem(
        prompt=live["prompt_id"].rank("dense").cast(pl.Int32).to_numpy() - 1 if live.height else np.zeros(0, np.int32),
        tokens=whole.to_numpy(),
        objective=live["mixc:objective"].to_numpy(),
        tie=live[TIE].to_numpy(),
        at_most=stage.at_most,
        quotas=stage.quotas,
        members=tuple(group_rows(q.group, live) for q in stage.quotas),
        budgets=stage.budgets,
    )


def _empty_caps(stage: Select, rows: pl.DataFrame) -> tuple[str, ...]:
    """Caps on groups that no scanned row belongs to: misspelt, as likely as not."""
    caps = [q for q in stage.quotas if q.low is None and not group_rows(q.group, rows).any()]
    return tuple(f"MIX0403: `{q.text}` caps a group that no row belongs to; is it spelt right?" for q in caps)


def _unchosen(stage: Select, solution: Solution) -> str:
    """Why the rows that no filter dropped are out: what they were judged by, and the clauses that left no room."""
    binding = [o.clause.text for o in solution.outcomes if o.binding]
    judged = f"maximize {stage.objective_text}"
    return (
        f"{UNCHOSEN}among the best by `{judged}` under {', '.join(f'`{b}`' for b in binding)}"
        if binding
        else f"{UNCHOSEN}chosen by `{judged}`"
    )

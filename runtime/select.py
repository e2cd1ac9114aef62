"""The Select stage: filters in their order, then the clauses that act together, solved. Leaves every row either chosen or with a reason."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ..compiler.backends.polars import apply_keep, apply_where, with_value
from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Filter, Keep, Select, Where
from . import lazy
from .candidates import OBJECTIVE, TIE, problem
from .conflicts import infeasible
from .groups import group_rows
from .identity import by_row_id, seeded_hash
from .path import BEFORE, SELECTION, key
from .selection.problem import Infeasible, Solution
from .soft import draw_rows
from .solvers import solved

ADVANTAGE = "mixc:advantage"
DROPPED_AT = "mixc:step"
"""The filter that dropped a row, by its `path.key`; null while it is a candidate."""
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
    return _steps(stage.id, stage.wheres, tied(rows, stage.seed))


def select(stage: Select, rows: pl.DataFrame, funnel: tuple[Step, ...] = ()) -> Chosen:
    """Apply the stage to the rows. Fault MIX0401 when its clauses cannot hold together; `funnel` is what earlier clauses left, for that message."""
    filtered, steps = _steps(stage.id, stage.steps, tied(rows, stage.seed))
    candidates, more = _with_objective(stage, filtered)
    candidates, counted = _with_tokens(stage, candidates)
    steps = (*steps, *more, *counted)
    live = candidates.filter(pl.col("reason").is_null())
    told: tuple[str, ...] = ()
    if stage.soft and stage.soft.shape == "paper":
        answer, told = draw_rows(stage, stage.soft, live, problem(stage, live))
    else:
        answer = solved(stage, live)
    if isinstance(answer, Infeasible):
        raise Fault(infeasible(answer.conflict, candidates, (*funnel, *steps)))
    reason = _unchosen(stage, answer)
    advantage = pl.Series(answer.advantage, dtype=pl.Float64) if answer.advantage is not None else pl.lit(None, pl.Float64)
    verdict = live.select("row_id", pl.Series("chosen", answer.chosen, dtype=pl.Boolean), advantage.alias(ADVANTAGE))
    judged = candidates.join(verdict, on="row_id", how="left", maintain_order="left").with_columns(
        reason=pl.when(pl.col("reason").is_null() & ~pl.col("chosen")).then(pl.lit(reason)).otherwise("reason")
    )
    done = judged.drop("chosen").with_columns(_dropped_at(SELECTION))
    return Chosen(done, answer, steps, (*_empty_caps(stage, rows), *told))


def tied(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows, sorted by row id, with the seeded hash that breaks ties."""
    rows = by_row_id(rows)
    return rows.with_columns(pl.Series(TIE, seeded_hash(seed, rows["row_id"]), dtype=pl.UInt64))


def _steps(stage: str, steps: tuple[Where | Keep, ...], rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """The filters as one lazy plan, and how many rows each left: the key of the step that dropped a row stands beside it."""
    known = rows.columns if DROPPED_AT in rows.columns else (*rows.columns, pl.lit(None, pl.String).alias(DROPPED_AT))
    rows = rows.select(*known).with_columns(_dropped_at(BEFORE))
    if not steps:
        return rows, ()
    frame = rows.lazy()
    for index, step in enumerate(steps):
        lazy.show(one_step(rows, step), step.text)
        frame = one_step(frame, step).with_columns(_dropped_at(key(stage, index)))
    done = frame.collect(engine="streaming")
    gone = dict(done[DROPPED_AT].value_counts().iter_rows())
    left, counts = alive(rows), []
    for index, step in enumerate(steps):
        left -= gone.get(key(stage, index), 0)
        counts.append(Step(step.text, left))
    return done, tuple(counts)


def _dropped_at(key: str) -> pl.Expr:
    """Notes for the rows that have a reason and no filter yet that it was the one with this key."""
    known = pl.col(DROPPED_AT)
    return pl.when(known.is_null() & pl.col("reason").is_not_null()).then(pl.lit(key)).otherwise(known).alias(DROPPED_AT)


def one_step(rows: pl.DataFrame | pl.LazyFrame, step: Where | Keep) -> pl.LazyFrame:
    """The lazy plan of one filter over rows that `tied` has seen; their order stays."""
    return apply_where(rows.lazy(), step, TIE) if isinstance(step, Where) else apply_keep(rows.lazy(), step, TIE)


def _with_objective(stage: Select, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Step, ...]]:
    """The rows with `mixc:objective`; a row without one cannot be selected."""
    if stage.objective is None:
        value = rows[TIE].to_numpy().astype(np.float64) / 2.0**64
        return rows.with_columns(pl.Series(OBJECTIVE, value)), ()
    plan = with_value(rows.lazy(), stage.objective, OBJECTIVE, TIE)
    valued = lazy.collect(plan, f"maximize {stage.objective_text}")
    number = pl.col(OBJECTIVE).cast(pl.Float64)
    valued = valued.with_columns(pl.when(number.is_finite()).then(number).alias(OBJECTIVE))
    clause = f"maximize {stage.objective_text}"
    return _drop(valued, pl.col(OBJECTIVE).is_null(), f"{clause}: null", clause)


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


def _empty_caps(stage: Select, rows: pl.DataFrame) -> tuple[str, ...]:
    """Caps on groups that no scanned row belongs to: misspelt, as likely as not."""
    caps = [q for q in stage.quotas if q.low is None and not group_rows(q.group, rows).any()]
    return tuple(f"MIX0403: `{q.text}` caps a group that no row belongs to; is it spelt right?" for q in caps)


def _unchosen(stage: Select, solution: Solution) -> str:
    """Why the rows that no filter dropped are out: what they were judged by, and the clauses that left no room."""
    if solution.method == "paper" and stage.soft:
        return f"{UNCHOSEN}drawn by `{stage.soft.text}`"
    binding = [*([stage.soft.text] if solution.soft and stage.soft else []), *(o.clause.text for o in solution.outcomes if o.binding)]
    judged = f"maximize {stage.objective_text}"
    return (
        f"{UNCHOSEN}among the best by `{judged}` under {', '.join(f'`{b}`' for b in binding)}"
        if binding
        else f"{UNCHOSEN}chosen by `{judged}`"
    )

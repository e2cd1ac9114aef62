"""The Select stage: filters in their order, then the clauses that act together, solved. Leaves every row either chosen or with a reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ..compiler.backends.polars import apply_keep, apply_where, with_value
from ..compiler.backends.polars_barriers import Known, looks_across
from ..compiler.diagnostics import Fault
from ..compiler.expressions import Expression
from ..compiler.plan.stages import Filter, Keep, Select, Where
from . import lazy
from .candidates import OBJECTIVE, TIE, Candidates, candidates, grouped, problem
from .conflicts import infeasible
from .groups import group_rows
from .identity import by_row_id, seeded_hash
from .path import BEFORE, SELECTION, UNCHOSEN, key
from .rows import Rows
from .selection.problem import Infeasible, Solution
from .settled import settled, unsettled
from .soft import draw_rows
from .solvers import solved

ADVANTAGE = "mixc:advantage"
DROPPED_AT = "mixc:step"
"""The filter that dropped a row, by its `path.key`; null while it is a candidate."""
MOST_NAMED = 6
"""A reason names at most so many of the clauses that left no room."""


@dataclass(frozen=True, slots=True)
class Step:
    """How many rows a clause left."""

    clause: str
    rows: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """All rows, `reason` null for those selected; the solver's answer; what each filter left; what should be told."""

    rows: Rows
    solution: Solution
    funnel: tuple[Step, ...] = field(default=())
    notices: tuple[str, ...] = field(default=())


def filter_rows(stage: Filter, rows: Rows) -> tuple[Rows, tuple[Step, ...]]:
    """The `where`s of a Filter stage, one after the other."""
    return _steps(stage.id, stage.wheres, rows, stage.seed)


def select(stage: Select, rows: Rows, funnel: tuple[Step, ...] = ()) -> Chosen:
    """Apply the stage to the rows. Fault MIX0401 when its clauses cannot hold together; `funnel` is what earlier clauses left, for that message."""
    filtered, steps = _steps(stage.id, stage.steps, rows, stage.seed)
    valued, more = _with_objective(stage, filtered)
    counted, last = _with_tokens(stage, valued)
    steps = (*steps, *more, *last)
    live = candidates(stage, counted)
    told: tuple[str, ...] = ()
    if stage.soft and stage.soft.shape == "paper":
        answer, told = draw_rows(stage, stage.soft, live.skills(), problem(stage, live))
    else:
        answer = solved(stage, live)
    if isinstance(answer, Infeasible):
        raise Fault(infeasible(answer.conflict, counted, (*funnel, *steps)))
    done = _judged(counted, live, answer, _unchosen(stage, answer))
    return Chosen(done, answer, steps, (*_empty_caps(stage, rows), *told))


def tied(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows, sorted by row id, with the seeded hash that breaks ties."""
    rows = by_row_id(rows)
    return rows.with_columns(pl.Series(TIE, seeded_hash(seed, rows["row_id"]), dtype=pl.UInt64))


def _judged(rows: Rows, live: Candidates, answer: Solution, reason: str) -> Rows:
    """The rows with what became of the candidates."""
    chosen = live.in_parts(answer.chosen)
    advantage = None if answer.advantage is None else live.in_parts(answer.advantage)
    said = pl.Series([reason])  # every row shares this text
    start = 0

    def judge(part: pl.DataFrame) -> pl.DataFrame:
        nonlocal start
        inside = part["reason"].is_null().to_numpy()
        mine = slice(start, start := start + int(inside.sum()))
        lost, value = np.zeros(part.height, bool), np.zeros(part.height)
        lost[inside] = ~chosen[mine]
        if advantage is not None:
            value[inside] = advantage[mine]
        why = said.gather(pl.Series(lost).replace_strict({True: 0}, default=None, return_dtype=pl.UInt32))
        return part.with_columns(
            pl.when(pl.col("reason").is_null() & (advantage is not None)).then(pl.Series(value)).alias(ADVANTAGE), pl.coalesce("reason", why).alias("reason")
        ).with_columns(_dropped_at(SELECTION))

    return rows.map(judge)


def _steps(stage: str, steps: tuple[Where | Keep, ...], rows: Rows, seed: int) -> tuple[Rows, tuple[Step, ...]]:
    """The filters, and how many rows each left: the key of the step that dropped a row stands beside it.

    Of each part they are one lazy plan, up to a filter that looks at the rows of other parts.
    """
    left, counts = rows.alive, []
    done = rows.map(lambda part: _noted(tied(part, seed)))
    for first, several in _together(steps, len(rows.parts)):
        known: Known = {}
        if len(several) == 1:
            done, known = settled(done, _of(several[0]), TIE)
        done, gone = done.both(lambda part, first=first, several=several, known=known: _filtered(part, stage, first, several, known))
        for index, step in enumerate(several, first):
            left -= sum(each.get(key(stage, index), 0) for each in gone)
            counts.append(Step(step.text, left))
    return done, tuple(counts)


def _together(steps: tuple[Where | Keep, ...], parts: int) -> Iterator[tuple[int, tuple[Where | Keep, ...]]]:
    """The filters that need one reading of the rows, with the place of the first: each that looks across parts stands alone."""
    start = 0
    for index, step in enumerate(steps):
        if parts > 1 and looks_across(_of(step)):
            yield from [(start, steps[start:index])] if index > start else []
            yield index, (step,)
            start = index + 1
    yield from [(start, steps[start:])] if start < len(steps) else []


def _of(step: Where | Keep) -> Expression:
    return step.condition if isinstance(step, Where) else step.by


def _noted(part: pl.DataFrame) -> pl.DataFrame:
    known = part.columns if DROPPED_AT in part.columns else (*part.columns, pl.lit(None, pl.String).alias(DROPPED_AT))
    return part.select(*known).with_columns(_dropped_at(BEFORE))


def _filtered(part: pl.DataFrame, stage: str, first: int, steps: tuple[Where | Keep, ...], known: Known) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows after these filters, and how many each dropped."""
    before = dict(part[DROPPED_AT].value_counts().iter_rows())
    frame = part.lazy()
    for index, step in enumerate(steps, first):
        lazy.show(one_step(part, step, known), step.text)
        frame = one_step(frame, step, known).with_columns(_dropped_at(key(stage, index)))
    done = frame.collect(engine="streaming")
    after = dict(done[DROPPED_AT].value_counts().iter_rows())
    return unsettled(done), {name: count - before.get(name, 0) for name, count in after.items()}


def _dropped_at(key: str) -> pl.Expr:
    """Notes for the rows that have a reason and no filter yet that it was the one with this key."""
    known = pl.col(DROPPED_AT)
    return pl.when(known.is_null() & pl.col("reason").is_not_null()).then(pl.lit(key)).otherwise(known).alias(DROPPED_AT)


def one_step(rows: pl.DataFrame | pl.LazyFrame, step: Where | Keep, known: Known | None = None) -> pl.LazyFrame:
    """The lazy plan of one filter over rows that `tied` has seen; their order stays. `known`: as `settled` says."""
    return apply_where(rows.lazy(), step, TIE, known) if isinstance(step, Where) else apply_keep(rows.lazy(), step, TIE, known)


def _with_objective(stage: Select, rows: Rows) -> tuple[Rows, tuple[Step, ...]]:
    """The rows with `mixc:objective`; a row without one cannot be selected."""
    if stage.objective is None:
        return rows.map(lambda part: part.with_columns(pl.Series(OBJECTIVE, _drawn(stage, part).astype(np.float64) / 2.0**64))), ()
    objective, clause = stage.objective, f"maximize {stage.objective_text}"
    rows, known = settled(rows, objective, TIE)

    def value(part: pl.DataFrame) -> pl.DataFrame:
        valued = unsettled(lazy.collect(with_value(part.lazy(), objective, OBJECTIVE, TIE, known), clause))
        number = pl.col(OBJECTIVE).cast(pl.Float64)
        valued = valued.with_columns(pl.when(number.is_finite()).then(number).alias(OBJECTIVE))
        return _drop(valued, pl.col(OBJECTIVE).is_null(), f"{clause}: null")

    return _left(rows, rows.map(value), clause)


def _drawn(stage: Select, part: pl.DataFrame) -> np.ndarray:
    """The number of each row that a random objective goes by."""
    return part[TIE].to_numpy() if stage.draw is None else seeded_hash(stage.draw, part["row_id"])


def _with_tokens(stage: Select, rows: Rows) -> tuple[Rows, tuple[Step, ...]]:
    bounded = [c for c in (*stage.quotas, *stage.budgets) if "tokens" in c.unit]
    if not bounded:
        return rows, ()
    reason = f"{bounded[0].text}: the row's tokens are not known"
    done = rows.map(lambda part: _drop(part, pl.col(f"score:{stage.tokens}").is_null(), reason))
    return _left(rows, done, f"count tokens by {stage.tokens}")


def _drop(rows: pl.DataFrame, without: pl.Expr, reason: str) -> pl.DataFrame:
    return rows.with_columns(reason=pl.when(pl.col("reason").is_null() & without).then(pl.lit(reason)).otherwise("reason"))


def _left(before: Rows, after: Rows, clause: str) -> tuple[Rows, tuple[Step, ...]]:
    return after, (Step(clause, after.alive),) if after.alive < before.alive else ()


def _empty_caps(stage: Select, rows: Rows) -> tuple[str, ...]:
    """Caps on groups that no scanned row belongs to: misspelt, as likely as not."""
    caps = [q for q in stage.quotas if q.low is None]
    for part in rows.each(grouped(stage)) if caps else ():
        caps = [q for q in caps if not group_rows(q.group, part).any()]
    return tuple(f"MIX0403: `{q.text}` caps a group that no row belongs to; is it spelt right?" for q in caps)


def _unchosen(stage: Select, solution: Solution) -> str:
    """Why the rows that no filter dropped are out: what they were judged by, and the clauses that left no room."""
    if solution.method == "paper" and stage.soft:
        return f"{UNCHOSEN}drawn by `{stage.soft.text}`"
    binding = [*([stage.soft.text] if solution.soft and stage.soft else []), *(o.clause.text for o in solution.outcomes if o.binding)]
    judged = f"maximize {stage.objective_text}"
    if not binding:
        return f"{UNCHOSEN}chosen by `{judged}`"
    more = f" and {len(binding) - MOST_NAMED:,} more" if len(binding) > MOST_NAMED else ""
    return f"{UNCHOSEN}among the best by `{judged}` under {', '.join(f'`{b}`' for b in binding[:MOST_NAMED])}{more}"

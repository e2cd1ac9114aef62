"""What must hold of a selection whatever the missing scores turn out to be: rows that drop in any case, and clauses that nothing can satisfy.

The rows here are a superset of the candidates of a run. Clauses that more rows, or rows chosen more freely, could break are left out.
"""

import re
from dataclasses import replace

import polars as pl

from ..compiler.diagnostics import Diagnostic
from ..compiler.expressions import columns, is_barrier
from ..compiler.plan.stages import AtMost, Keep, Select, Where
from . import lazy
from .candidates import problem, table
from .conflicts import infeasible
from .select import Step, alive, one_step, tied
from .selection.corners.conflict_of import conflict_of
from .selection.exact import solve
from .selection.problem import Change, Conflict, Infeasible

# Above so many rows clauses are held against fractions of rows, in a few passes over them, and whole rows are not searched.
TOGETHER_ROWS = 50_000
NOTE = "certain before anything more is scored: these are the most candidates that there can be, whatever the scores turn out to be"


def unknown(rows: pl.DataFrame) -> set[str]:
    """The scores that some row has yet to get."""
    return {name.removeprefix("open:") for name in rows.columns if name.startswith("open:")}


def reads(step: Where | Keep) -> set[str]:
    """The scores that a filter reads."""
    return {c.name for c in columns(step.condition if isinstance(step, Where) else step.by) if c.source == "score"}


def still_in(rows: pl.DataFrame, step: Where | Keep, seed: int) -> pl.DataFrame:
    """The rows without those that `step` drops in any case: where it looks at one row, and all scores that it reads are known."""
    plan = one_step(tied(rows, seed), step)
    if isinstance(step, Keep) or is_barrier(step.condition):
        lazy.show(plan, step.text)
        return rows
    judged = lazy.collect(plan, step.text).sort("row_id")
    open_ = [pl.col(f"open:{name}") for name in sorted(reads(step) & unknown(rows))]
    if not open_:
        return judged.select(rows.columns)
    before = judged.select("row_id").join(rows.select("row_id", was="reason"), on="row_id", how="left", maintain_order="left")["was"]
    kept = pl.when(pl.any_horizontal(open_)).then(before).otherwise("reason")
    return judged.with_columns(reason=kept).select(rows.columns)


def at_most(rows: pl.DataFrame, keeps: list[Keep]) -> int:
    """The most rows that can pass all of `keeps`."""
    fewest = min((k.count for k in keeps), default=None)
    if fewest is None:
        return alive(rows)
    live = rows.filter(pl.col("reason").is_null())
    return int(live.group_by("prompt_id").len()["len"].clip(upper_bound=fewest).sum())


def impossible(stage: Select, rows: pl.DataFrame, funnel: tuple[Step, ...]) -> Diagnostic | None:
    """The MIX0401 of clauses that no outcome of the missing scores could satisfy; None where none is found."""
    open_ = unknown(rows)
    keeps = [step for step in stage.steps if isinstance(step, Keep)]
    caps = [*([stage.at_most] if stage.at_most else []), *(AtMost(text=k.text, count=k.count, span=k.span) for k in keeps)]
    counts_tokens = stage.tokens is not None and stage.tokens not in open_
    quotas = [q for q in stage.quotas if counts_tokens or "tokens" not in q.unit]
    budgets = [b for b in stage.budgets if counts_tokens or b.unit != "tokens"]
    live = tied(rows, stage.seed).filter(pl.col("reason").is_null()).sort("row_id")
    if not budgets:
        # Nothing bounds how much is selected: only what is too little of all there is, is too little.
        quotas = [replace(q, high=None, equal=False) for q in quotas if q.low is not None and q.unit in ("examples", "tokens") and not q.equal]
    relaxed = replace(
        stage, at_most=min(caps, key=lambda c: c.count, default=None) if budgets else None, quotas=tuple(quotas), budgets=tuple(budgets),
        tokens=stage.tokens if counts_tokens else None, soft=None,
    )  # fmt: skip
    conflict = _conflict(relaxed, live)
    if conflict is None:
        return None
    texts = {k.text: k for k in keeps}
    changes = tuple(_as_keep(change, texts) for change in conflict.changes)
    diagnostic = infeasible(replace(conflict, changes=changes), rows, funnel)
    return replace(diagnostic, notes=(*diagnostic.notes, NOTE))


def _conflict(stage: Select, live: pl.DataFrame) -> Conflict | None:
    """Why no selection satisfies the clauses of the stage; None where one does, or where of many candidates fractions do."""
    if stage.budgets and live.height > TOGETHER_ROWS:
        return conflict_of(table(stage, live, pl.repeat(0.0, live.height, eager=True)))
    answer = solve(problem(stage, live.with_columns(pl.lit(0.0).alias("mixc:objective"))))
    return answer.conflict if isinstance(answer, Infeasible) else None


def _as_keep(change: Change, keeps: dict[str, Keep]) -> Change:
    """A change of `keep best k` in the words of that clause."""
    if not isinstance(change.changed, AtMost) or change.clause.text not in keeps:
        return change
    text = re.sub(r"^keep best \d+", f"keep best {change.changed.count}", change.clause.text)
    return replace(change, changed=replace(change.changed, text=text))

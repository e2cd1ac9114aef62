"""What must hold of a selection whatever the missing scores turn out to be: rows that drop in any case, and clauses that nothing can satisfy.

The rows here are a superset of the candidates of a run. Clauses that more rows, or rows chosen more freely, could break are left out.
"""

import re
from dataclasses import replace

import polars as pl

from ..compiler.diagnostics import Diagnostic
from ..compiler.expressions import Column, columns, is_barrier
from ..compiler.plan.stages import AtMost, Keep, Select, Where
from . import lazy
from .by_embedding import OPEN
from .candidates import OBJECTIVE, Candidates, candidates, problem, table
from .conflicts import infeasible
from .rows import Rows
from .select import Step, one_step, tied
from .selection.corners.conflict_of import conflict_of
from .selection.exact import solve
from .selection.problem import Change, Conflict, Infeasible

# Above so many rows clauses are held against fractions of rows, in a few passes over them, and whole rows are not searched.
TOGETHER_ROWS = 50_000
SKILL = Column("role", "skill")
NOTE = "certain before anything more is scored: these are the most candidates that there can be, whatever the scores turn out to be"


def unknown(rows: Rows) -> set[str]:
    """The scores that some row has yet to get, and OPEN where it is the skills."""
    return {name.removeprefix("open:") for name in rows.columns if name.startswith("open:")}


def reads(step: Where | Keep) -> set[str]:
    """The scores that a filter reads, and OPEN where it reads skills."""
    found = columns(step.condition if isinstance(step, Where) else step.by)
    return {c.name if c.source == "score" else OPEN for c in found if c.source == "score" or (c.source, c.name) == ("role", "skill")}


def still_in(rows: Rows, step: Where | Keep, seed: int) -> Rows:
    """The rows without those that `step` drops in any case: where it looks at one row, and all scores that it reads are known."""
    if isinstance(step, Keep) or is_barrier(step.condition):
        lazy.show(one_step(tied(next(rows.each()), seed), step), step.text)
        return rows
    open_ = [pl.col(f"open:{name}") for name in sorted(reads(step) & unknown(rows))]

    def judge(part: pl.DataFrame) -> pl.DataFrame:
        judged = lazy.collect(one_step(tied(part, seed), step), step.text).sort("row_id")
        if not open_:
            return judged.select(part.columns)
        before = judged.select("row_id").join(part.select("row_id", was="reason"), on="row_id", how="left", maintain_order="left")["was"]
        kept = pl.when(pl.any_horizontal(open_)).then(before).otherwise("reason")
        return judged.with_columns(reason=kept).select(part.columns)

    return rows.map(judge)


def at_most(rows: Rows, keeps: list[Keep]) -> int:
    """The most rows that can pass all of `keeps`."""
    fewest = min((k.count for k in keeps), default=None)
    if fewest is None:
        return rows.alive
    return sum(int(live.group_by("prompt_id").len()["len"].clip(upper_bound=fewest).sum()) for live in rows.live(["prompt_id"]))


def impossible(stage: Select, rows: Rows, funnel: tuple[Step, ...]) -> Diagnostic | None:
    """The MIX0401 of clauses that no outcome of the missing scores could satisfy; None where none is found."""
    open_ = unknown(rows)
    keeps = [step for step in stage.steps if isinstance(step, Keep)]
    caps = [*([stage.at_most] if stage.at_most else []), *(AtMost(text=k.text, count=k.count, span=k.span) for k in keeps)]
    counts_tokens = stage.tokens is not None and stage.tokens not in open_
    quotas = [q for q in stage.quotas if (counts_tokens or "tokens" not in q.unit) and (OPEN not in open_ or q.group.kind != "skill")]
    budgets = [b for b in stage.budgets if counts_tokens or b.unit != "tokens"]
    if not budgets:
        # Nothing bounds how much is selected: only what is too little of all there is, is too little.
        quotas = [replace(q, high=None, equal=False) for q in quotas if q.low is not None and q.unit in ("examples", "tokens") and not q.equal]
    relaxed = replace(
        stage, at_most=min(caps, key=lambda c: c.count, default=None) if budgets else None, quotas=tuple(quotas), budgets=tuple(budgets),
        tokens=stage.tokens if counts_tokens else None, soft=None,
    )  # fmt: skip
    valued = rows.map(lambda part: tied(part, stage.seed).with_columns(pl.lit(0.0).alias(OBJECTIVE)))
    conflict = _conflict(relaxed, candidates(relaxed, valued))
    if conflict is None:
        return None
    texts = {k.text: k for k in keeps}
    changes = tuple(_as_keep(change, texts) for change in conflict.changes)
    diagnostic = infeasible(replace(conflict, changes=changes), rows, funnel)
    return replace(diagnostic, notes=(*diagnostic.notes, NOTE))


def _conflict(stage: Select, live: Candidates) -> Conflict | None:
    """Why no selection satisfies the clauses of the stage; None where one does, or where of many candidates fractions do."""
    if stage.budgets and live.size > TOGETHER_ROWS:
        return conflict_of(table(stage, live, live.frame["objective"]))
    answer = solve(problem(stage, live))
    return answer.conflict if isinstance(answer, Infeasible) else None


def _as_keep(change: Change, keeps: dict[str, Keep]) -> Change:
    """A change of `keep best k` in the words of that clause."""
    if not isinstance(change.changed, AtMost) or change.clause.text not in keeps:
        return change
    text = re.sub(r"^keep best \d+", f"keep best {change.changed.count}", change.clause.text)
    return replace(change, changed=replace(change.changed, text=text))

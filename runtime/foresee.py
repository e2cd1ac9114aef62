"""Whether the stages ahead can come to a selection at all, asked before the next score is paid for. It computes no score and changes nothing."""

from collections.abc import Sequence
from dataclasses import replace

from ..compiler.diagnostics import Diagnostic
from ..compiler.plan.stages import Filter, Keep, Profile, Score, Select, Stage
from .bounds import at_most, impossible, reads, still_in, unknown
from .context import Context
from .events import ignore
from .score import from_store
from .select import Step
from .walk import Walk, advance


def foresee(ahead: Sequence[Stage], walk: Walk, context: Context) -> Diagnostic | None:
    """The MIX0401 of a selection that no outcome of the missing scores can satisfy; None where none is found.

    `ahead`: the stages that the walk has yet to pass. It looks ahead only where the first of them is a score that some row lacks, or a profile to be
    measured: before it nothing is paid for.
    """
    measures = isinstance(ahead[0], Profile) and ahead[0].measured
    if not ((_asks(ahead[0]) or measures) and any(isinstance(stage, Select) for stage in ahead)):
        return None
    seen = Walk(needed=walk.needed, rows=walk.rows, teachers=walk.teachers, funnel=list(walk.funnel))
    exact = True
    for stage in ahead:
        match stage:
            case Score() if _asks(stage):
                _from_store(stage, seen, context, exact)
                if stage is ahead[0] and not unknown(seen.rows):
                    return None
            case Filter() if not exact or any(reads(where) & unknown(seen.rows) for where in stage.wheres):
                exact = False
                for where in stage.wheres:
                    seen.rows = still_in(seen.rows, where, stage.seed)
                    seen.funnel.append(Step(where.text, seen.rows.alive))
            case Profile():
                pass  # it says nothing of rows
            case Select():
                return _selected(stage, seen)
            case _:
                advance(stage, seen, replace(context, watch=ignore))
    return None


def _asks(stage: Stage) -> bool:
    return isinstance(stage, Score) and stage.rows == "candidates" and stage.scorer != "column"


def _from_store(stage: Score, seen: Walk, context: Context, exact: bool) -> None:
    absent = stage.model is not None and not context.students.is_here(stage.model)
    seen.rows = from_store(stage, seen.rows, context, absent=absent, exact=exact)


def _selected(stage: Select, seen: Walk) -> Diagnostic | None:
    keeps = []
    for step in stage.steps:
        seen.rows = still_in(seen.rows, step, stage.seed)
        keeps += [step] if isinstance(step, Keep) else []
        seen.funnel.append(Step(step.text, at_most(seen.rows, keeps)))
    return impossible(stage, seen.rows, tuple(seen.funnel))

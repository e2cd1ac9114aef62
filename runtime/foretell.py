"""What tokenising will do to the rows of a selection that a plan knows already: nothing is trained, and no weights are loaded."""

from collections.abc import Mapping, Sequence

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.stages import Arm, Plan, Select, Train
from .arms import refuse_unkept
from .context import Context
from .costs import EXACT_ROWS
from .examples import Report
from .lengths import NOT_AT_HAND
from .promised import promised
from .rows import Rows
from .train import foreseen
from .walk import Walk


def foretell(stage: Train, plan: Plan, rows: Rows, chosen: pl.DataFrame, context: Context) -> tuple[Report | None, tuple[Diagnostic, ...]]:
    """The report of a training on the `chosen` rows, or the MIX0513 with which a build would stop; neither where the rows are many, or no tokenizer is at hand."""
    if chosen.height > EXACT_ROWS or not context.students.is_here(stage.model):
        return None, ()
    select = next(s for s in plan.stages if isinstance(s, Select))
    try:
        return foreseen(stage, chosen, context, promised(select, rows)), ()
    except Fault as fault:
        if {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            return None, ()
        if {d.code for d in fault.diagnostics} == {"MIX0513"}:
            return None, fault.diagnostics
        raise


def foretell_arms(stage: Train, arms: Sequence[Arm], chosen: Mapping[str, pl.DataFrame], walk: Walk, context: Context) -> tuple[Diagnostic, ...]:
    """The fault with which a build would stop before a baseline is trained; none where its rows are many, or no tokenizer is at hand."""
    few = [arm for arm in arms if arm.select is not None and chosen[arm.name].height <= EXACT_ROWS]
    if not few or not context.students.is_here(stage.model):
        return ()
    try:
        refuse_unkept(stage, few, chosen, walk, context)
    except Fault as fault:
        return () if {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND) else fault.diagnostics
    return ()

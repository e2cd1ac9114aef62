"""What tokenising will do to the rows of a selection that a plan knows already: nothing is trained, and no weights are loaded."""

from dataclasses import replace

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.stages import Plan, Select, Train
from .context import Context
from .costs import EXACT_ROWS
from .events import ignore
from .examples import Report, tokenise
from .hold import hold
from .lengths import NOT_AT_HAND
from .promised import promised
from .rows import Rows
from .train import longest_example


def foretell(stage: Train, plan: Plan, rows: Rows, chosen: pl.DataFrame, context: Context) -> tuple[Report | None, tuple[Diagnostic, ...]]:
    """The report of a training on the `chosen` rows, or the MIX0513 with which a build would stop; neither where the rows are many, or no tokenizer is at hand."""
    if chosen.height > EXACT_ROWS or not context.students.is_here(stage.model):
        return None, ()
    select = next(s for s in plan.stages if isinstance(s, Select))
    quiet = replace(context, watch=ignore)
    try:
        _, report = tokenise(stage, chosen, context.students.tokenizer(stage.model), longest_example(stage, quiet))
        return hold(stage, report, promised(select, rows), quiet), ()
    except Fault as fault:
        if {d.code for d in fault.diagnostics} <= set(NOT_AT_HAND):
            return None, ()
        if {d.code for d in fault.diagnostics} == {"MIX0513"}:
            return None, fault.diagnostics
        raise

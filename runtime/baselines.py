"""What each baseline of an evaluation selects of the very candidates that the recipe selects from. Knows rows, not what is trained on them."""

from collections.abc import Sequence
from dataclasses import replace

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Arm, Select
from .context import Context
from .events import Notice
from .rows import Rows
from .select import Step, select


def select_arms(arms: Sequence[Arm], candidates: Rows, funnel: Sequence[Step], recipe: int, context: Context) -> dict[str, Rows]:
    """The rows that each baseline selects of the candidates that `select` had, by the arm's name; of all others there is no row.

    `recipe`: how many rows the recipe selected; another number is told. Faults MIX0401 and MIX0503 at the baseline's clause.
    """
    found: dict[str, Rows] = {}
    known: dict[Select, Rows] = {}
    for arm in arms:
        if arm.select is None:
            continue
        if arm.select not in known:
            known[arm.select] = _selected(arm, arm.select, candidates, funnel)
            if known[arm.select].alive != recipe:
                said = f"the baseline `{arm.recipe}` has {known[arm.select].alive:,} examples, the recipe {recipe:,}: they are not of equal size"
                context.watch(Notice("select", said))
        found[arm.name] = known[arm.select]
    return found


def _selected(arm: Arm, stage: Select, candidates: Rows, funnel: Sequence[Step]) -> Rows:
    try:
        chosen = select(stage, candidates, tuple(funnel))
    except Fault as fault:
        place = Label(arm.span, "this baseline")
        raise Fault(
            *(replace(d, message=f"the baseline `{arm.recipe}` cannot be selected: {d.message}", secondary=(*d.secondary, place)) for d in fault.diagnostics)
        ) from fault
    if not chosen.rows.alive:
        steps = ", ".join(f"{step.rows:,} after `{step.clause}`" for step in (*funnel, *chosen.funnel))
        raise Fault(Diagnostic(
            "MIX0503", f"no row is left for the baseline `{arm.recipe}`", Label(arm.span, "selects nothing"), notes=(steps,),
            help="loosen the clause that dropped the last rows, or take the baseline out",
        ))  # fmt: skip
    return Rows.of(chosen.rows.candidates())

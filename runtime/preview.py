"""What a run would find, without running anything dear: the walk over the data with scores from the store only."""

from dataclasses import dataclass, field

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.pending import concerns
from ..compiler.plan.stages import Evaluate, Filter, Heldout, Materialise, Plan, Profile, Score, Select, Stage, Train
from .context import Context
from .select import alive
from .walk import Walk, advance, unscored


@dataclass(slots=True)
class Preview:
    """`known`: a line for each stage id. `missing`: scores to compute, by score name, at most that many. `feasible` is None where it cannot be told yet.

    `stopped`: the clause that the runtime does not do yet and beyond which nothing is known.
    """

    known: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    feasible: bool | None = None
    stopped: str | None = None
    faults: tuple[Diagnostic, ...] = ()
    walk: Walk = field(default_factory=Walk)


def preview(plan: Plan, context: Context) -> Preview:
    """Walk the plan as far as exact counts go; behind the first score that is not in the store, counts are upper bounds."""
    seen = Preview()
    exact = True
    try:
        for stage in plan.stages:
            if waiting := [p for p in plan.pending if concerns(p, stage, plan)]:
                seen.stopped, seen.known[stage.id] = waiting[0].what, "not run yet"
                break
            exact = _stage(stage, seen, exact, context)
    except Fault as fault:
        seen.faults = fault.diagnostics
        if any(d.code == "MIX0401" for d in fault.diagnostics):
            seen.feasible = False
    return seen


def _stage(stage: Stage, seen: Preview, exact: bool, context: Context) -> bool:
    match stage:
        case Score(rows="candidates"):
            lacking = unscored(stage, seen.walk, context)
            rows = alive(seen.walk.rows)
            if lacking and stage.scorer != "column":
                seen.missing[stage.name] = lacking
                bound = "" if exact else "at most "
                seen.known[stage.id] = f"{bound}{lacking:,} to score, {rows - lacking:,} from the store"
                return False
            if exact:
                seen.known[stage.id] = advance(stage, seen.walk, context)
            else:
                seen.known[stage.id] = f"at most {rows:,}, all from the store"
        case Filter() | Select() if not exact:
            seen.known[stage.id] = f"at most {alive(seen.walk.rows):,} rows come in"
        case Score() | Materialise() | Train() | Evaluate() | Profile():
            pass
        case Heldout():
            seen.known[stage.id] = advance(stage, seen.walk, context)
        case _:
            seen.known[stage.id] = advance(stage, seen.walk, context)
            if isinstance(stage, Select):
                seen.feasible = True
    return exact

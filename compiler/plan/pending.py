"""Which stage a clause that is not run yet belongs to."""

from .stages import Pending, Plan, Stage, kind


def concerns(pending: Pending, stage: Stage, plan: Plan) -> bool:
    """Whether the clause belongs to this stage: the only one of its kind, or the one that the clause stands in."""
    if pending.stage != kind(stage):
        return False
    alone = sum(kind(other) == pending.stage for other in plan.stages) == 1
    return alone or (pending.span.path == stage.span.path and stage.span.start <= pending.span.start < stage.span.end)

"""Which stage a clause that is not run yet belongs to."""

from .stages import Pending, Plan, Stage, kind


def concerns(pending: Pending, stage: Stage, plan: Plan) -> bool:
    """Whether the clause belongs to this stage: the one of its kind that it stands in, or all of them where it stands in none."""
    if pending.stage != kind(stage):
        return False
    holders = [other for other in plan.stages if kind(other) == pending.stage and _stands_in(pending, other)]
    return _stands_in(pending, stage) or not holders


def _stands_in(pending: Pending, stage: Stage) -> bool:
    return pending.span.path == stage.span.path and stage.span.start <= pending.span.start < stage.span.end

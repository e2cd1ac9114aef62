"""What a plan says of its own scores: which one teachers are ranked by, which one tells correct responses, and which end of a score is the better one."""

from collections.abc import Iterable

from ..compiler.expressions import Column, Expression, Operation, columns
from ..compiler.plan.stages import Keep, Plan, Score, Select, Where
from .pass_rates import PASS_RATE
from .scorers.base import Directed
from .scorers.registry import scorer

GRADERS = ("verify_math", "exact_match", "choice")


def declared(plan: Plan) -> dict[str, Score]:
    """The scores of the spec by name; the count of tokens that stands in for one is none."""
    return {s.name: s for s in plan.stages if isinstance(s, Score) and s.name != "tokens"}


def rankable(plan: Plan) -> tuple[str, ...]:
    """The scores that teachers can be ranked by: all but those of text."""
    return tuple(name for name, stage in declared(plan).items() if stage.type != "text")


def favoured(plan: Plan) -> tuple[str, ...]:
    """The scores that teachers may be meant to be ranked by: those that the objective reads, else those of `keep best`, else the numeric ones, else all.

    One is an answer; several are a question.
    """
    known = rankable(plan)
    for expressions in _aims(plan):
        if read := [name for name in known if any(Column("score", name) in columns(e) for e in expressions)]:
            return tuple(read)
    return tuple(name for name in known if declared(plan)[name].type != "bool") or known


def judges(plan: Plan) -> tuple[str, ...]:
    """The scores that may tell whether a response is correct: the graders, else the other true-or-false scores. One is an answer, several are a question."""
    truths = {name: stage for name, stage in declared(plan).items() if stage.type == "bool"}
    return tuple(name for name, stage in truths.items() if stage.scorer in GRADERS) or tuple(truths)


def better(plan: Plan, name: str) -> str:
    """`high` or `low`: what the scorer says, else `low` where the selection aims at the negated score, else `high`."""
    stage = declared(plan)[name]
    if stage.scorer not in ("column", PASS_RATE) and isinstance(known := scorer(stage), Directed):
        return known.better
    negated = Operation("negate", (Column("score", name),))
    return "low" if any(negated in expressions for expressions in _aims(plan)) else "high"


def reads(where: Where, names: Iterable[str]) -> bool:
    """Whether a condition reads one of these scores."""
    return not columns(where.condition).isdisjoint(Column("score", name) for name in names)


def _aims(plan: Plan) -> list[list[Expression]]:
    """What `maximize` reads, then what `keep best` reads."""
    selects = [s for s in plan.stages if isinstance(s, Select)]
    return [
        [s.objective for s in selects if s.objective is not None],
        [step.by for s in selects for step in s.steps if isinstance(step, Keep)],
    ]

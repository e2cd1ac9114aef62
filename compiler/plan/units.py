"""The unit of an expression of a plan, by the rules that typed it. It knows the units of scores only: a column of the corpus has none."""

from ..expressions import Column, Constant, Expression, Operation, Quantile, Rank
from .stages import Plan, Score, Select


def unit_of(expression: Expression | None, plan: Plan) -> str | None:
    """`nats`, `tokens`, …; None for what is without a unit: a rank, a ratio of like to like, a random objective."""
    return None if expression is None else _unit(expression, {s.name: s.unit for s in plan.stages if isinstance(s, Score)})


def objective_unit(plan: Plan) -> str | None:
    """The unit of what the plan's selection maximises, of one row."""
    return next((unit_of(stage.objective, plan) for stage in plan.stages if isinstance(stage, Select)), None)


def _unit(expression: Expression, scores: dict[str, str | None]) -> str | None:
    match expression:
        case Column(source="score", name=name):
            return scores.get(name)
        case Operation(operator="negate", arguments=(operand,)) | Quantile(of=operand):
            return _unit(operand, scores)
        case Operation(operator="/", arguments=(left, right)):
            above, below = _unit(left, scores), _unit(right, scores)
            return None if above == below else above
        case Operation(operator="+" | "-" | "*", arguments=(left, right)):
            return _unit(left, scores) or _unit(right, scores)
        case Constant() | Rank() | _:
            return None

"""The filters of a plan in the order in which they act, each taken apart into what it compares, and where the ledger has the values. It reads no rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..compiler.clauses import Keep, Where
from ..compiler.expressions import Column, Constant, Expression, Operation, Quantile, Rank
from ..compiler.plan.express import express
from ..compiler.plan.stages import Filter, Plan, Score, Select
from ..compiler.source import Span

COMPARES = ("==", "!=", "<", "<=", ">", ">=")
SKILL = Column("role", "skill")
TEXTS = ("prompt", "response", "reference")
BEFORE = "before"
SELECTION = "selection"
"""Keys of what is no filter: all that drops rows before them, and the clauses that act together after them."""
UNCHOSEN = "select: not "
"""How the reason of a candidate begins that passed every filter and was not chosen."""
KEPT = ("place", "rival", "margin")
"""What the ledger says of `keep best` beside the value: the row's place in its prompt, the row it won or lost against, and by how much."""


@dataclass(frozen=True, slots=True)
class Side:
    """A value that a clause looks at: a `constant`, or else what the ledger has in `column`.

    `made` where the column is the trace's own; otherwise it is one that every ledger has. `nearest`: a value with one for each skill of the row
    stands for the one that is easiest to meet, the smallest (`min`) or the greatest (`max`).
    """

    text: str
    expression: Expression
    column: str | None = None
    made: bool = False
    nearest: str | None = None

    @property
    def constant(self) -> object:
        return self.expression.value if isinstance(self.expression, Constant) else None


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a condition without `and`, `or`, `not`: a comparison with its two sides, or what is true or false by itself (`truth`)."""

    expression: Expression
    text: str
    operator: str | None = None
    left: Side | None = None
    right: Side | None = None
    truth: Side | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        return tuple(side for side in (self.left, self.right, self.truth) if side is not None)


@dataclass(frozen=True, slots=True)
class Clause:
    """One filter. `number`: its place among all filters of the plan, from 1. `key`: how a run knows it. `value`: what `keep best` compares."""

    number: int
    key: str
    step: Where | Keep
    seed: int
    atoms: tuple[Atom, ...] = ()
    value: Side | None = None

    @property
    def text(self) -> str:
        return self.step.text

    @property
    def span(self) -> Span:
        return self.step.span

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.value,) if self.value else tuple(side for atom in self.atoms for side in atom.sides)

    def column(self, name: str) -> str:
        """The ledger's column for `place`, `rival` or `margin` of a `keep best`."""
        return f"{self.number}: {name}"


def unscored(plan: Plan, expressions: Iterable[Expression], step: int | None) -> bool:
    """Whether any of the scores in `expressions` was worked out only after filter number `step` had dropped the row (0: it was dropped before all)."""
    if step is None:
        return False
    order = [stage.id for stage in plan.stages]
    gone = next((order.index(clause.key.rpartition("/")[0]) for clause in path(plan) if clause.number == step), 0 if step == 0 else len(order))
    read = {name for e in expressions for name in _scores(e)}
    return any(isinstance(stage, Score) and stage.name in read for stage in plan.stages[gone:])


def _scores(e: Expression) -> Iterator[str]:
    match e:
        case Column(source="score", name=name):
            yield name
        case Operation(arguments=arguments):
            for argument in arguments:
                yield from _scores(argument)
        case Quantile(of=of) | Rank(of=of):
            yield from _scores(of)


def key(stage: str, index: int) -> str:
    """How a run knows a filter: its stage, and its place there."""
    return f"{stage}/{index}"


def path(plan: Plan) -> tuple[Clause, ...]:
    """The filters of the plan, numbered in the order in which they act."""
    found: list[Clause] = []
    for stage in plan.stages:
        steps = stage.wheres if isinstance(stage, Filter) else stage.steps if isinstance(stage, Select) else ()
        for index, step in enumerate(steps):
            found.append(_clause(len(found) + 1, key(stage.id, index), step, stage.seed))  # type: ignore[union-attr]
    return tuple(found)


def _clause(number: int, key: str, step: Where | Keep, seed: int) -> Clause:
    if isinstance(step, Keep):
        return Clause(number, key, step, seed, value=_side(step.by, number))
    return Clause(number, key, step, seed, atoms=tuple(_atom(part, number) for part in parts(step.condition)))


def parts(condition: Expression) -> Iterator[Expression]:
    """The parts of a condition that `and`, `or` and `not` join, as they are written."""
    if isinstance(condition, Operation) and condition.operator in ("and", "or", "not"):
        for argument in condition.arguments:
            yield from parts(argument)
    else:
        yield condition


def _atom(part: Expression, number: int) -> Atom:
    text = express(part)
    if isinstance(part, Operation) and part.operator in COMPARES:
        left, right = part.arguments
        by_skill = [within_skill(left), within_skill(right)]
        plain = not any(side == SKILL or (isinstance(side, Column) and side.source == "role" and side.name in TEXTS) for side in (left, right))
        if plain and not all(by_skill) and (not any(by_skill) or part.operator not in ("==", "!=")):
            high = part.operator in (">", ">=")
            first = _side(left, number, ("max" if high else "min") if by_skill[0] else None)
            second = _side(right, number, ("min" if high else "max") if by_skill[1] else None)
            return Atom(part, text, part.operator, first, second)
    return Atom(part, text, truth=_side(part, number))


def _side(e: Expression, number: int, nearest: str | None = None) -> Side:
    text = express(e)
    if isinstance(e, Constant):
        return Side(text, e)
    if isinstance(e, Column) and e.source == "score" and e.name != "tokens":
        return Side(text, e, e.name)
    return Side(text, e, f"{number}: {text}", True, nearest)


def within_skill(e: Expression) -> bool:
    """Whether a quantile or rank in it is within skill."""
    return any(node.group == SKILL for node in barriers(e))


def barriers(e: Expression) -> Iterator[Quantile | Rank]:
    """The quantiles and ranks in an expression, the inner ones first."""
    match e:
        case Operation(arguments=arguments):
            for argument in arguments:
                yield from barriers(argument)
        case Quantile(of=of) | Rank(of=of):
            yield from barriers(of)
            yield e

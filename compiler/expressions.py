"""Expressions over the rows of a corpus, names resolved and units settled: shared by the typed IR and the plan. No logic."""

from dataclasses import dataclass
from typing import Literal

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the row: a declared score, a role (prompt response reference teacher id skill), or a column of the corpus."""

    source: Literal["score", "role", "column"]
    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: Scalar


@dataclass(frozen=True, slots=True)
class Constants:
    """The right side of `in`."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """`and or not == != < <= > >= in matches contains + - * / negate`, applied to its arguments."""

    operator: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Quantile:
    """The ceil(percent/100 n)-th smallest of the non-null `of` among the rows that survive so far, within each value of `group`."""

    of: "Expression"
    percent: int
    group: Column | None = None


@dataclass(frozen=True, slots=True)
class Rank:
    """1 for the highest `of` within each value of `group`, ties by the seeded hash of the row id."""

    of: "Expression"
    group: Column | None = None


Expression = Column | Constant | Constants | Operation | Quantile | Rank


def columns(expression: Expression) -> frozenset[Column]:
    """Every value of the row that an expression reads."""
    match expression:
        case Column():
            return frozenset((expression,))
        case Constant() | Constants():
            return frozenset()
        case Operation(_, arguments):
            return frozenset().union(*(columns(a) for a in arguments))
        case Quantile(of=of, group=group) | Rank(of=of, group=group):
            return columns(of) | (frozenset((group,)) if group else frozenset())


def conjuncts(condition: Expression) -> list[Expression]:
    """The parts of a condition that `and` joins, at any depth, in their order."""
    if isinstance(condition, Operation) and condition.operator == "and":
        return [each for part in condition.arguments for each in conjuncts(part)]
    return [condition]


def is_barrier(expression: Expression) -> bool:
    """Whether an expression looks at other rows (a quantile, a rank), so that no filter may be moved across it."""
    match expression:
        case Quantile() | Rank():
            return True
        case Operation(_, arguments):
            return any(is_barrier(a) for a in arguments)
        case _:
            return False

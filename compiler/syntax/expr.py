"""Values and expressions as they were written, with their places."""

from dataclasses import dataclass, field

from ..source import Span


def place() -> Span:
    """A span: needed by every node, no part of what makes two nodes equal."""
    return field(compare=False, repr=False, kw_only=True)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    span: Span = place()


@dataclass(frozen=True, slots=True)
class String:
    """A string, escapes resolved."""

    value: str
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Number:
    """`15%`, `4k tokens`, `0.6`: the value with k, M, B applied (an int where it is whole); the unit `%`, `% of tokens`, a word, or None.

    A percentage keeps the number that was written (15, not 0.15). `text` is the number as written, without its unit.
    """

    value: int | float
    unit: str | None = None
    text: str = field(default="", compare=False)
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Param:
    """`$w`, `$w steps`, `$cap%`: stands wherever a number may; gone after `resolve`."""

    name: str
    unit: str | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Nothing:
    """`none`."""

    span: Span = place()


@dataclass(frozen=True, slots=True)
class List:
    items: tuple["Expr", ...]
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x`, `-x`."""

    operator: str
    operand: "Expr"
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Binary:
    """`and or == != < <= > >= in matches contains + - * /`, and `not in` as one operator."""

    operator: str
    left: "Expr"
    right: "Expr"
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Quantile:
    """`p20 within teacher`."""

    percent: int
    within: Name | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Rank:
    """`rank(E) within prompt`."""

    operand: "Expr"
    within: Name | None = None
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Argument:
    """`window: 4 steps` (named) or `reference` (name is None)."""

    name: Name | None
    value: "Expr"
    span: Span = place()


@dataclass(frozen=True, slots=True)
class Call:
    """`local_logprob(student: smollm2, window: 4 steps)`, `given(column)`, `beta(1, 1)`."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span = place()


Expr = Name | String | Number | Param | Boolean | Nothing | List | Unary | Binary | Quantile | Rank | Call

"""One expression of the plan as one Polars expression. What looks at other rows is handed in.

Logic is three-valued, NaN counts as null, and integers never wrap around.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import polars as pl

from ..expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank, columns, is_barrier

Binary = Callable[[pl.Expr, pl.Expr], pl.Expr]
SKILL, PROMPT = Column("role", "skill"), Column("role", "prompt")
COMPARE: dict[str, Binary] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ARITHMETIC: dict[str, Binary] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ROLES = {"teacher": "teacher_value", "skill": "skills", "id": "prompt_id"}
_GROUPS = {"teacher": "teacher", "prompt": "prompt_id", "corpus": "corpus"}


def column_name(column: Column) -> str:
    """The name under which the frame holds this value of a row."""
    return _ROLES.get(column.name, column.name) if column.source == "role" else f"{column.source}:{column.name}"


def group_column(column: Column) -> str:
    """The name under which the frame holds what a quantile or rank is within."""
    return _GROUPS.get(column.name, column_name(column)) if column.source == "role" else column_name(column)


@dataclass(frozen=True, slots=True)
class Lowering:
    """The columns' types, and the columns that hold what was worked out over other rows, by `id` of the node.

    `last`: of a comparison with a rank, the row id of the last row of the group that passes it.
    """

    schema: Mapping[str, pl.DataType]
    known: dict[int, pl.Expr] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    last: dict[int, pl.Expr] = field(default_factory=dict)

    def new_name(self) -> str:
        """A column name that no other has."""
        return f"mixc:{next(self.numbers)}"

    def lower(self, e: Expression) -> pl.Expr:
        if id(e) in self.known:
            return self.known[id(e)]
        match e:
            case Column():
                return self._column(column_name(e))
            case Constant(value):
                return pl.lit(None if value != value else value)
            case Operation(op, arguments):
                return self._operation(op, arguments)
            case Quantile() | Rank():
                raise TypeError(f"{type(e).__name__} looks at other rows: it needs the frame")
            case _:
                raise TypeError(f"{type(e).__name__} has no value of its own")

    def is_whole(self, e: Expression) -> bool:
        """Whether the value is known to be an integer."""
        match e:
            case Column():
                return (dtype := self.schema.get(column_name(e))) is not None and dtype.is_integer()
            case Constant(value):
                return type(value) is int
            case Operation("+" | "-" | "*" | "negate", arguments):
                return all(self.is_whole(a) for a in arguments)
            case Quantile(of=of):
                return self.is_whole(of)
            case _:
                return isinstance(e, Rank)

    def is_number(self, e: Expression) -> bool:
        """Whether the value is known to be a number."""
        match e:
            case Column():
                return (dtype := self.schema.get(column_name(e))) is not None and dtype.is_numeric()
            case Constant(value):
                return isinstance(value, int | float) and not isinstance(value, bool)
            case Quantile(of=of):
                return self.is_number(of)
            case Operation(op, _):
                return op in ARITHMETIC or op in ("/", "negate")
            case _:
                return isinstance(e, Rank)

    def _column(self, name: str) -> pl.Expr:
        dtype = self.schema.get(name)
        if dtype is not None and dtype.is_float():
            return pl.col(name).cast(pl.Float64).fill_nan(None)
        return pl.col(name).cast(pl.Int64) if dtype is not None and dtype.is_integer() else pl.col(name)

    def _operation(self, op: str, arguments: tuple[Expression, ...]) -> pl.Expr:
        first, *rest = arguments
        if first == SKILL:
            return _skill(op, rest[0])
        match op:
            case "not":
                return ~self.lower(first)
            case "and":
                return self.lower(first) & self.lower(rest[0])
            case "or":
                return self.lower(first) | self.lower(rest[0])
            case "negate":
                value = self.lower(first)
                return self._exact(operator.mul, value, pl.lit(-1), self.is_whole(first))
            case "in":
                return _member(self.lower(first), rest[0])
            case "matches" | "contains":
                return self.lower(first).str.contains(text_of(rest[0]), literal=op == "contains")
            case "/":
                below = self.lower(rest[0]).cast(pl.Float64)
                return (self.lower(first).cast(pl.Float64) / pl.when(below != 0).then(below)).fill_nan(None)
        left, right = self.lower(first), self.lower(rest[0])
        if op in COMPARE:
            if not columns(first) and not is_barrier(first):  # in Polars 2.1 `literal < constant column` loses its height
                return COMPARE[_MIRRORED.get(op, op)](right, left)
            return COMPARE[op](left, right)
        if op in ARITHMETIC:
            return self._exact(ARITHMETIC[op], left, right, self.is_whole(first) and self.is_whole(rest[0]))
        raise TypeError(f"no operator `{op}`")

    def _exact(self, op: Binary, left: pl.Expr, right: pl.Expr, whole: bool) -> pl.Expr:
        """Int64 wraps around in Polars: integers are worked out in 128 bits, and what leaves 64 is null."""
        if whole:
            return op(left.cast(pl.Int128), right.cast(pl.Int128)).cast(pl.Int64, strict=False)
        return op(left, right).fill_nan(None)


def text_of(e: Expression) -> str:
    """The text that `matches` or `contains` searches for."""
    if isinstance(e, Constant) and isinstance(e.value, str):
        return e.value
    raise TypeError("only a plain text can be searched for")


def _member(value: pl.Expr, e: Expression) -> pl.Expr:
    """`in` is `==` joined by `or`: a null in the list makes a miss null."""
    assert isinstance(e, Constants)
    given = [v for v in e.values if v is not None]
    if all(isinstance(v, str) for v in given):
        found = value.is_in(given) if given else pl.lit(False)
    else:
        found = pl.any_horizontal([value == v for v in given])
    return found | pl.lit(None, dtype=pl.Boolean) if None in e.values else found


def _skill(op: str, e: Expression) -> pl.Expr:
    """Whether any element of any chain is it, is in it, contains or matches it; null where skills are."""
    elements = pl.col("skills").list.eval(pl.element().str.split("->").explode())
    match op, e:
        case "==", Constant(value):
            return elements.list.contains(value)
        case "!=", Constant(value):
            return ~elements.list.contains(value)
        case "in", Constants(values):
            return pl.any_horizontal([elements.list.len() < 0, *(elements.list.contains(v) for v in values)])
        case "contains" | "matches", _:
            return elements.list.eval(pl.element().str.contains(text_of(e), literal=op == "contains")).list.any()
        case _:
            raise TypeError(f"no operator `{op}` on skills")

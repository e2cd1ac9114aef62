"""Expressions: names looked up, types and units settled. An expression with an error in it is reported once and has no type."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..diagnostics import Diagnostics, Edit, Label
from ..expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank
from ..source import Span
from ..suggest import suggest
from ..syntax import ast
from ..syntax.format import format_expression
from .meant import is_plain, meant, quoted
from .shared import barred
from .types import BOOL, NUMBER, TEXT, Type, of_column
from .words import TAGS, check_regex, in_words, mismatch

NO_NULLS = "rows without a value drop out of a comparison by themselves"
Typed = tuple[Expression, Type]
_SKILL = Column("role", "skill")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Declared:
    """A score: its type and where it was declared."""

    type: Type
    span: Span
    line: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """What a name can mean here. `columns` None: the files cannot be looked at, so any other name is a column of unknown type."""

    scores: Mapping[str, Declared] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    columns: Mapping[str, str] | None = None
    groups: bool = True


def infer(expr: ast.Expr, names: Names, notes: Diagnostics) -> Typed | None:
    """The expression with its names resolved, and its type; None after an error was reported."""
    match expr:
        case ast.Name():
            return _name(expr, names, notes)
        case ast.String(value=value):
            return Constant(value), TEXT
        case ast.Boolean(value=value):
            return Constant(value), BOOL
        case ast.Number(value=value, unit=unit):
            return Constant(value), Type("number", unit)
        case ast.Nothing():
            notes.error("MIX0301", "`none` is no value of a row", expr.span, help=NO_NULLS)
            return None
        case ast.Unary(operator="-", operand=operand):
            inner = infer(operand, names, notes)
            if inner and inner[1].kind not in ("number", "unknown"):
                notes.error("MIX0304", f"only a number can be negated, this is {in_words(inner[1])}", operand.span)
                return None
            if inner and isinstance(inner[0], Constant) and isinstance(inner[0].value, (int, float)):
                return Constant(-inner[0].value), inner[1]
            return inner and (Operation("negate", (inner[0],)), inner[1])
        case ast.Unary(operand=operand):
            inner = condition(operand, names, notes)
            return inner and (Operation("not", (inner,)), BOOL)
        case ast.Binary(operator="and" | "or" as operator, left=left, right=right):
            sides = condition(left, names, notes), condition(right, names, notes)
            return (Operation(operator, (sides[0], sides[1])), BOOL) if sides[0] and sides[1] else None
        case ast.Binary(operator=operator) if operator in _COMPARISONS:
            return _compare(expr, names, notes)
        case ast.Binary(operator="in" | "not in"):
            return _member(expr, names, notes)
        case ast.Binary(operator="matches" | "contains"):
            return _search(expr, names, notes)
        case ast.Binary():
            return _arithmetic(expr, names, notes)
        case ast.Rank(operand=operand):
            inner = infer(operand, names, notes)
            group = _group(expr.within, names, notes)
            if inner and inner[1].kind not in ("number", "unknown"):
                notes.error("MIX0310", f"only numbers can be ranked, this is {in_words(inner[1])}", operand.span)
                return None
            return (Rank(inner[0], group[0]), NUMBER) if inner and group else None
        case ast.Quantile():
            notes.error(
                "MIX0310",
                "a quantile stands alone on the right of a comparison",
                expr.span,
                help=f"write `EXPR >= {format_expression(expr)}`",
            )
            return None
        case _:
            help = "what is computed of a row is a score, declared outside: `score NAME = scorer(…)`" if isinstance(expr, ast.Call) else None
            notes.error("MIX0301", "this is not a value of a row", expr.span, help=help)
            return None


def condition(expr: ast.Expr, names: Names, notes: Diagnostics) -> Expression | None:
    """The expression, which must be true or false."""
    typed = infer(expr, names, notes)
    if typed and typed[1].kind not in ("bool", "unknown") and not _cut_short(expr, notes):
        notes.error("MIX0308", f"a condition is true or false, this is {in_words(typed[1])}", expr.span, "compare it with something")
        return None
    return typed and typed[0]


def _cut_short(expr: ast.Expr, notes: Diagnostics) -> bool:
    """Whether the parser could not read on behind the expression, so that this is not all of what was written."""
    end = expr.span.end
    places = (d.primary.span for d in notes if d.primary and d.code.startswith("MIX01"))
    return any(p.path == expr.span.path and end <= p.start <= end + 1 for p in places)


def _name(expr: ast.Name, names: Names, notes: Diagnostics) -> Typed | None:
    name = expr.text
    if name in names.scores:
        return Column("score", name), names.scores[name].type
    if name in names.roles:
        return Column("role", name), TEXT
    if names.columns is None:
        return Column("column", name), Type("unknown")
    if barred(name, names.columns, expr.span, notes):
        return None
    if name in names.columns:
        return Column("column", name), of_column(names.columns[name])
    if _literal(expr, notes):
        return None
    known = {**dict.fromkeys(names.scores, "score"), **dict.fromkeys(names.roles, "role"), **dict.fromkeys(names.columns, "column")}
    near = suggest(name, known)
    given = meant(name, known, expr.span, _list(known), said=f"the {known[near]} `{{}}`" if near else "")
    notes.error("MIX0201", f"no score, role or column named `{name}`", expr.span, "not known here", **given)
    return None


def _literal(expr: ast.Name, notes: Diagnostics) -> bool:
    """Whether an unknown name is a plain value as other languages write it, or nearly a quantile; it is reported."""
    word = expr.text.lower()
    quantile = word[0] == "p" and word[1:].isdecimal()
    if word in ("null", "none", "nil", "nan"):
        notes.error("MIX0301", f"`{expr.text}` is no value of a row", expr.span, help=NO_NULLS)
    elif word in ("true", "false") or (quantile and len(word) < 4):
        notes.error("MIX0201", f"`{expr.text}` is written `{word}`", expr.span, "", help=f"write `{word}`", edits=(Edit(expr.span, word),))
    elif quantile:
        notes.error("MIX0201", f"there is no quantile `{expr.text}`", expr.span, "not known here", help="quantiles go from `p0` to `p99`")
    else:
        return False
    return True


def _list(known: Mapping[str, str]) -> str | None:
    shown = sorted(known)[:12]
    return f"known here: {', '.join(shown)}{' …' if len(known) > 12 else ''}" if shown else None


def _group(within: ast.Name | None, names: Names, notes: Diagnostics) -> tuple[Column | None] | None:
    if within is None:
        return (None,)
    name = within.text
    if name == "skill" and "skill" not in names.roles:
        help = "declare them: `skills NAME { tag by column COLUMN }`"
        notes.error("MIX0207", "no skills are declared", within.span, "needed here", help=help)
        return None
    if name in ("teacher", "prompt", "skill", "corpus"):
        return (Column("role", name),)
    if barred(name, names.columns, within.span, notes):
        return None
    if names.columns is None or name in names.columns:
        return (Column("column", name),)
    known = ["teacher", "prompt", "skill", "corpus", *names.columns]
    given = meant(name, known, within.span, "a group is teacher, prompt, skill, corpus or a column")
    notes.error("MIX0201", f"no group named `{name}`", within.span, "not a column", **given)
    return None


def _compare(expr: ast.Binary, names: Names, notes: Diagnostics) -> Typed | None:
    left = infer(expr.left, names, notes)
    if isinstance(expr.right, ast.Quantile):
        return _quantile(expr, expr.right, left, names, notes)
    right = infer(expr.right, names, notes)
    if not left or not right:
        return None
    ordered = expr.operator not in ("==", "!=")
    if _SKILL in (left[0], right[0]):
        return _of_skills(expr, left, right, notes)
    if isinstance(right[0], Constant) and _quoted_name(expr.left, names, notes):
        return None
    if not _comparable(left[1], right[1], ordered):
        mismatch(expr, left[1], right[1], names.scores, notes)
        return None
    return Operation(expr.operator, (left[0], right[0])), BOOL


def _quoted_name(left: ast.Expr, names: Names, notes: Diagnostics) -> bool:
    """Whether a name stands in quotes where a value says nothing, being compared with another value; it is reported."""
    if not isinstance(left, ast.String) or left.value not in (*names.scores, *names.roles, *(names.columns or ())):
        return False
    plain = is_plain(left.value)
    help = f"write `{left.value}`" if plain else f"give the column a plain name: `score NAME = column({quoted(left.value)})`"
    edits = (Edit(left.span, left.value),) if plain else ()
    notes.error("MIX0120", "a text in quotes is a value, not a name", left.span, "two values are compared", help=help, edits=edits)
    return True


def _of_skills(expr: ast.Binary, left: Typed, right: Typed, notes: Diagnostics) -> Typed | None:
    """`skill == "Algebra"`, either way round: a row has several skills, so nothing else can be asked of them."""
    given, name = (left, right) if left[0] == _SKILL else (right, left)
    if expr.operator in ("==", "!=") and isinstance(name[0], Constant) and isinstance(name[0].value, str):
        return Operation(expr.operator, (given[0], name[0])), BOOL
    notes.error(
        "MIX0304",
        "a row may have several skills, which have no order and are compared with texts in double quotes alone",
        expr.span,
        help='write `skill == "NAME"`, `skill in ["A", "B"]` or `skill matches "…"`',
    )
    return None


def _comparable(left: Type, right: Type, ordered: bool) -> bool:
    if "unknown" in (left.kind, right.kind):
        return True
    if left.kind != right.kind or left.kind == "list":
        return False
    return left.unit == right.unit and not (ordered and left.kind == "bool")


def _quantile(expr: ast.Binary, quantile: ast.Quantile, left: Typed | None, names: Names, notes: Diagnostics) -> Typed | None:
    group = _group(quantile.within, names, notes)
    if not left or not group:
        return None
    if expr.operator in ("==", "!="):
        notes.error("MIX0310", "a quantile is compared with `>=`, `>`, `<=` or `<`", expr.span)
        return None
    if left[1].kind not in ("number", "unknown"):
        notes.error(
            "MIX0310", f"a quantile is taken of numbers, this is {in_words(left[1])}", expr.left.span, "no order to take a quantile in"
        )
        return None
    if not 0 <= quantile.percent <= 100:
        notes.error("MIX0306", f"there is no p{quantile.percent:02}: quantiles go from p0 to p100", quantile.span)
        return None
    return Operation(expr.operator, (left[0], Quantile(left[0], quantile.percent, group[0]))), BOOL


def _member(expr: ast.Binary, names: Names, notes: Diagnostics) -> Typed | None:
    left = infer(expr.left, names, notes)
    if not isinstance(expr.right, ast.List):
        notes.error("MIX0301", "`in` needs a list", expr.right.span, help='write it as `in ["a", "b"]`')
        return None
    values = [(item, infer(item, names, notes)) for item in expr.right.items]
    if not left or not all(typed for _, typed in values):
        return None
    constants = []
    for item, typed in values:
        assert typed is not None
        if not isinstance(typed[0], Constant):
            notes.error("MIX0301", "a list holds plain values", item.span, help="texts stand in double quotes")
            return None
        if not _comparable(left[1], typed[1], False):
            notes.error(
                "MIX0304",
                f"{in_words(left[1])} cannot be in a list with {in_words(typed[1])}",
                item.span,
                "of another type",
                secondary=(Label(expr.left.span, in_words(left[1])),),
            )
            return None
        constants.append(typed[0].value)
    found = Operation("in", (left[0], Constants(tuple(constants))))
    return (Operation("not", (found,)) if expr.operator == "not in" else found), BOOL


def _search(expr: ast.Binary, names: Names, notes: Diagnostics) -> Typed | None:
    left = infer(expr.left, names, notes)
    if not isinstance(expr.right, ast.String):
        notes.error("MIX0301", f"`{expr.operator}` needs a text in double quotes", expr.right.span)
        return None
    if not left:
        return None
    if left[1].kind not in ("text", "unknown"):
        notes.error("MIX0304", f"only a text can be searched, this is {in_words(left[1])}", expr.left.span, help=TAGS if left[1].kind == "list" else None)
        return None
    if expr.operator == "matches" and not check_regex(expr.right, notes):
        return None
    return Operation(expr.operator, (left[0], Constant(expr.right.value))), BOOL


def _arithmetic(expr: ast.Binary, names: Names, notes: Diagnostics) -> Typed | None:
    left, right = infer(expr.left, names, notes), infer(expr.right, names, notes)
    if not left or not right:
        return None
    for side, typed in ((expr.left, left), (expr.right, right)):
        if typed[1].kind not in ("number", "unknown"):
            notes.error("MIX0304", f"`{expr.operator}` needs numbers, this is {in_words(typed[1])}", side.span)
            return None
    if expr.operator == "/" and right[0] == Constant(0):
        notes.error("MIX0306", "nothing can be divided by 0", expr.right.span, "always 0")
        return None
    a, b = left[1].unit, right[1].unit
    if expr.operator in ("+", "-"):
        if a != b and "unknown" not in (left[1].kind, right[1].kind):
            mismatch(expr, left[1], right[1], names.scores, notes)
            return None
        unit = a or b
    elif expr.operator == "*":
        if a and b:
            notes.error("MIX0304", f"{in_words(left[1])} times {in_words(right[1])} has no unit in this language", expr.span)
            return None
        unit = a or b
    else:
        if b and a != b:
            notes.error("MIX0304", f"{in_words(left[1])} divided by {in_words(right[1])} has no unit in this language", expr.span)
            return None
        unit = None if a == b else a
    return Operation(expr.operator, (left[0], right[0])), Type("number", unit)

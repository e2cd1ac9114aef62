"""The canonical text of one clause or expression: one space between words, no needless parentheses, numbers as written.

Knows nothing of blocks, comments and columns.
"""

import re
from functools import singledispatch

from . import ast

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LEVELS = {
    "or": 1, "and": 2, "not": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "not in": 4, "matches": 4, "contains": 4,
    "+": 5, "-": 5, "*": 6, "/": 6,
}  # fmt: skip
SIGN = 7
ATOM = 8


def format_expression(expression: ast.Expr) -> str:
    """The text of an expression; equal text means equal trees."""
    return _write(expression, 0)


def format_group(group: ast.Group) -> str:
    """`skill "Algebra"`, `teacher strong`, `column level "hard"`."""
    column = f" {_label(group.column.text)}" if group.column else ""
    return f"{group.kind}{column} {_write(group.value, 0)}"


def format_pattern(pattern: ast.Pattern) -> str:
    """`where correct`, `keep`, `budget tokens`, `quota skill "Algebra"`, `quota skill weakness`."""
    match pattern.keyword, pattern.detail:
        case "count", _:
            return "count tokens"
        case keyword, None:
            return keyword
        case keyword, ast.Group() as group:
            return f"{keyword} {format_group(group)}"
        case "quota", detail:
            return f"quota skill {_write(detail, 0)}"
        case keyword, detail:
            return f"{keyword} {_write(detail, 0)}"


@singledispatch
def format_clause(line: ast.Line) -> str:
    """The text of one line of a block."""
    raise TypeError(f"no text for {type(line).__name__}")


@format_clause.register
def _(line: ast.Setting) -> str:
    between = " from " if line.keyword.text == "prompts" else " "
    return line.keyword.text + between + _setting_value(line.value)


@format_clause.register
def _(line: ast.RemoveSetting) -> str:
    return f"remove {line.keyword.text}"


@format_clause.register
def _(line: ast.Where) -> str:
    return f"where {format_expression(line.condition)}"


@format_clause.register
def _(line: ast.Keep) -> str:
    count = format_expression(line.count)
    if line.by is None:
        return f"keep at most {count} per prompt"
    return f"keep best {count} per prompt by {format_expression(line.by)}"


@format_clause.register
def _(line: ast.Quota) -> str:
    return f"quota {format_group(line.group)} {_bound(line.bound)}"


@format_clause.register
def _(line: ast.SoftQuota) -> str:
    return f"quota skill {_method(line.shape, line.arguments)}"


@format_clause.register
def _(line: ast.Budget) -> str:
    return f"budget {'up to ' if line.up_to else ''}{format_expression(line.amount)}"


@format_clause.register
def _(line: ast.Maximize) -> str:
    return f"maximize {format_expression(line.by)}"


@format_clause.register
def _(line: ast.CountTokens) -> str:
    return f"count tokens by {line.score.text}"


@format_clause.register
def _(line: ast.Replace) -> str:
    pattern = f"{format_pattern(line.pattern)} with " if line.pattern else ""
    return f"replace {pattern}{format_clause(line.clause)}"


@format_clause.register
def _(line: ast.RemoveClause) -> str:
    return f"remove {format_pattern(line.pattern)}"


@format_clause.register
def _(line: ast.Add) -> str:
    place = f" {line.side} {format_pattern(line.pattern)}" if line.side and line.pattern else ""
    return f"add {format_clause(line.clause)}{place}"


def _setting_value(value: ast.Value) -> str:
    match value:
        case ast.TagBy(method, ast.Call() as call) if method == call.function:
            return f"by {_write(call, 0)}"
        case ast.TagBy(method, given):
            return f"by {method.text} {_write(given, 0)}"
        case ast.Benchmark(name, path, samples, limit):
            return (
                f"{name.text} {_write(path, 0)}"
                + (f" samples {_write(samples, 0)}" if samples else "")
                + (f" limit {_write(limit, 0)}" if limit else "")
            )
        case ast.Heldout(corpus, where):
            return f"{corpus.text} where {_write(where, 0)}"
        case ast.PerSkill(amount, per):
            return f"{_write(amount, 0)} per {per.text}"
        case ast.Expect(subject, operator, amount):
            said = format_group(subject) if isinstance(subject, ast.Group) else subject.text
            return f"{said} {operator} {_write(amount, 0)}" if operator else f"{said} {_write(amount, 0)}"
        case _:
            return _write(value, 0)


def _bound(bound: ast.Bound) -> str:
    if bound.operator != "..":
        amount = bound.high if bound.low is None else bound.low
        assert amount is not None
        return f"{bound.operator} {_write(amount, 0)}"
    assert bound.low is not None and bound.high is not None
    low = _write(bound.low, 0)
    if bound.low.unit == bound.high.unit:
        low = _figure(bound.low) + ("%" if (bound.low.unit or "").startswith("%") else "")
    return f"{low}..{_write(bound.high, 0)}"


def _method(name: ast.Name, arguments: tuple[ast.Argument, ...]) -> str:
    return f"{name.text}({', '.join(_argument(a) for a in arguments)})" if arguments else name.text


def _argument(argument: ast.Argument) -> str:
    value = _write(argument.value, 0)
    return f"{argument.name.text}: {value}" if argument.name else value


def _label(text: str) -> str:
    return text if PLAIN.match(text) else _quote(text)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _figure(number: ast.Number | ast.Param) -> str:
    return f"${number.name}" if isinstance(number, ast.Param) else number.text or repr(number.value)


def _with_unit(figure: str, unit: str | None) -> str:
    if unit is None:
        return figure
    return figure + unit if unit.startswith("%") else f"{figure} {unit}"


def _write(node: ast.Expr, least: int) -> str:
    """The text of a node, in parentheses where it binds less than `least`."""
    text, level = _text(node)
    return f"({text})" if level < least else text


def _text(node: ast.Expr) -> tuple[str, int]:
    match node:
        case ast.Name(text):
            return text, ATOM
        case ast.String(value):
            return _quote(value), ATOM
        case ast.Number(value):
            return _with_unit(_figure(node), node.unit), SIGN if value < 0 or node.text.startswith("-") else ATOM
        case ast.Param():
            return _with_unit(_figure(node), node.unit), ATOM
        case ast.Boolean(value):
            return ("true" if value else "false"), ATOM
        case ast.Nothing():
            return "none", ATOM
        case ast.List(items):
            return f"[{', '.join(_write(item, 0) for item in items)}]", ATOM
        case ast.Unary("not", operand):
            return f"not {_write(operand, LEVELS['not'])}", LEVELS["not"]
        case ast.Unary(operator, operand):
            inner = _write(operand, SIGN)
            return operator + (f"({inner})" if isinstance(operand, ast.Number) else inner), SIGN
        case ast.Binary(operator, left, right):
            level = LEVELS[operator]
            # A comparison does not chain, so both its sides bind closer; the others group to the left.
            first = level + 1 if level == LEVELS["=="] else level
            return f"{_write(left, first)} {operator} {_write(right, level + 1)}", level
        case ast.Quantile(percent, within):
            return f"p{percent}{_within(within)}", ATOM
        case ast.Rank(operand, within):
            return f"rank({_write(operand, 0)}){_within(within)}", ATOM
        case ast.Call(function, arguments):
            return f"{function.text}({', '.join(_argument(a) for a in arguments)})", ATOM


def _within(group: ast.Name | None) -> str:
    return f" within {group.text}" if group else ""

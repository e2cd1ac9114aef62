"""An expression to its words. A chain of operands, a list and the arguments of a call are groups, so that they may be broken."""

import re
from dataclasses import replace
from functools import cache

from ..source import Span
from . import ast
from .automaton import load
from .document import Group, Item, Text

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
QUANTILE = re.compile(r"p[0-9]{1,2}\Z")
LEVELS = {
    "or": 1, "and": 2, "not": 3,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "not in": 4, "matches": 4, "contains": 4,
    "+": 5, "-": 5, "*": 6, "/": 6,
}  # fmt: skip
SIGN = 7
ATOM = 8
PARTED = frozenset(("or", "and"))
"""The operators before which a long expression is broken."""


def compose_expression(node: ast.Expr, least: int = 0) -> Text:
    """The words of an expression, in parentheses where it binds less than `least`."""
    text, level = _words(node)
    if level >= least:
        return text
    match text:
        case (Group(shown=False) as group,):
            return (replace(group, shown=True),)
        case _:
            return ("(", *text, ")")


def slot(expression: ast.Expr, span: Span) -> Group:
    """An expression where parentheses of its own may stand around the whole; a comment in them is at `span`."""
    return Group((_item(expression, 0),), span.start, span.end)


def arguments_of(arguments: tuple[ast.Argument, ...], start: int, end: int) -> Group:
    """The arguments of a call that stands at `start:end`; without any, not even the brackets are written."""
    items = tuple(Item(_argument(a), a.span.start, _extent(a.value)[1]) for a in arguments)
    return Group(items, start, end, shown=bool(arguments), commas=True, breaks=bool(arguments))


def quoted(text: str) -> str:
    """A string as it is written."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def label(text: str) -> str:
    """A column as it is written: a plain name, or a string where it is none."""
    return text if PLAIN.match(text) and not QUANTILE.match(text) and text not in _reserved() else quoted(text)


@cache
def _reserved() -> frozenset[str]:
    """The words that cannot be a name, read off the parse table."""
    table = load()
    return table.words - table.accepted(table.after(("param",)))


def figure(number: ast.Number | ast.Param) -> str:
    """A number as written, or a parameter, without its unit."""
    return f"${number.name}" if isinstance(number, ast.Param) else number.text or repr(number.value)


def _with_unit(figure: str, unit: str | None) -> str:
    if unit is None:
        return figure
    return figure + unit if unit.startswith("%") else f"{figure} {unit}"


def _item(node: ast.Expr, least: int, operator: str = "") -> Item:
    text = compose_expression(node, least)
    return Item((f"{operator} ", *text) if operator else text, *_extent(node))


def _extent(node: ast.Expr) -> tuple[int, int]:
    """Where an expression stands, without parentheses around it or around the whole of its first and last operand."""
    match node:
        case ast.Binary(_, left, right):
            return _extent(left)[0], _extent(right)[1]
        case ast.Unary(_, operand):
            return node.span.start, _extent(operand)[1]
        case _:
            return node.span.start, node.span.end


def _words(node: ast.Expr) -> tuple[Text, int]:
    match node:
        case ast.Name(text):
            return (text,), ATOM
        case ast.String(value):
            return (quoted(value),), ATOM
        case ast.Number(value):
            signed = value < 0 or node.text.startswith("-")
            return (_with_unit(figure(node), node.unit),), SIGN if signed else ATOM
        case ast.Param():
            return (_with_unit(figure(node), node.unit),), ATOM
        case ast.Boolean(value):
            return ("true" if value else "false",), ATOM
        case ast.Nothing():
            return ("none",), ATOM
        case ast.List(items, span=span):
            return (Group(tuple(_item(i, 0) for i in items), span.start, span.end, "[]", shown=True, commas=True, breaks=True),), ATOM
        case ast.Unary("not", operand):
            return ("not ", *compose_expression(operand, LEVELS["not"])), LEVELS["not"]
        case ast.Unary(operator, operand):
            inner = compose_expression(operand, SIGN)
            return (operator, *(("(", *inner, ")") if isinstance(operand, ast.Number) else inner)), SIGN
        case ast.Binary():
            return (_chain(node),), LEVELS[node.operator]
        case ast.Quantile(percent, within):
            return (f"p{percent:02}{_within(within)}",), ATOM
        case ast.Rank(operand, within, span=span):
            # No comma may follow what is ranked, so it is no list of arguments.
            return ("rank", Group((_item(operand, 0),), span.start, span.end, shown=True, breaks=True), _within(within)), ATOM
        case ast.Call(function, arguments, span=span):
            return (function.text, replace(arguments_of(arguments, span.start, span.end), shown=True)), ATOM


def _chain(node: ast.Binary) -> Group:
    """Operands of one level, the first without an operator: `a`, `and b`, `and c`."""
    level = LEVELS[node.operator]
    compares = level == LEVELS["=="]
    items: list[Item] = []
    left: ast.Expr = node
    while isinstance(left, ast.Binary) and LEVELS[left.operator] == level and not (compares and items):
        items.append(_item(left.right, level + 1, left.operator))
        left = left.left
    # A comparison does not chain, so both its sides bind closer; the others group to the left.
    items.append(_item(left, level + 1 if compares else level))
    items.reverse()
    return Group(tuple(items), items[0].start, items[-1].end, breaks=node.operator in PARTED)


def _argument(argument: ast.Argument) -> Text:
    value = compose_expression(argument.value, 0)
    return (f"{argument.name.text}: ", *value) if argument.name else value


def _within(group: ast.Name | None) -> str:
    return f" within {group.text}" if group else ""

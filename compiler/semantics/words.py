"""Types in the user's words, and the messages that compare two of them."""

import re
import warnings
from collections.abc import Mapping
from typing import Protocol

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from ..syntax import ast
from ..syntax.format import format_expression
from .types import Type

TAGS = 'a list can tag rows: declare `skills NAME { tag by column COLUMN }`, and write `skill == "NAME"`'


class HasPlace(Protocol):
    @property
    def span(self) -> Span: ...
    @property
    def line(self) -> int: ...
    @property
    def type(self) -> Type: ...


def in_words(type: Type) -> str:
    """`a number of tokens`, `a log-probability in nats`, `true or false`, …"""
    if type.kind == "number" and type.unit == "nats":
        return "a log-probability in nats"
    if type.kind == "number" and type.unit:
        return f"a number of {type.unit}" if type.unit[0] != "%" else "a percentage"
    return {"bool": "true or false", "number": "a bare number", "text": "a text", "list": "a list"}.get(type.kind, "of unknown type")


def mismatch(expr: ast.Binary, left: Type, right: Type, scores: Mapping[str, HasPlace], notes: Diagnostics) -> None:
    """Report that the two sides of a comparison or a sum are not of one type."""
    verb = "compared with" if expr.operator in ("==", "!=", "<", "<=", ">", ">=") else "combined with"
    literal = _literal(expr.right)
    bare = literal and left.kind == right.kind == "number" and left.unit and right.unit is None
    if bare:
        fixed = f"{format_expression(expr.right)} {left.unit}"
        notes.error(
            "MIX0309",
            f"a bare number cannot be {verb} {in_words(left)}",
            expr.right.span,
            "which unit?",
            secondary=(_place(expr.left, left, scores),),
            help=f"write `{format_expression(expr.left)} {expr.operator} {fixed}`",
            edits=(Edit(Span(expr.right.span.path, expr.right.span.end, expr.right.span.end), f" {left.unit}"),),
        )
        return
    if left.kind == right.kind == "bool":
        notes.error(
            "MIX0304",
            f"true and false have no order, so `{expr.operator}` says nothing",
            expr.span,
            help=f"write `{format_expression(expr.left)}` or `not {format_expression(expr.left)}`",
        )
        return
    other = "nats" if right.unit == "nats" else "a percentage" if right.unit and right.unit[0] == "%" else right.unit or in_words(right)
    help, edits = None, ()
    if literal and left.kind == right.kind == "number" and left.unit:
        help, edits = _other_unit(expr, left.unit, right.unit or "", scores)
    elif "list" in (left.kind, right.kind):
        help = TAGS
    notes.error(
        "MIX0304",
        f"{in_words(left)} cannot be {verb} {other}",
        expr.right.span,
        f"these are {right.unit}" if right.unit and literal else f"this is {in_words(right)}",
        secondary=(_place(expr.left, left, scores),),
        help=help,
        edits=edits,
    )


def _other_unit(expr: ast.Binary, unit: str, other: str, scores: Mapping[str, HasPlace]) -> tuple[str, tuple[Edit, ...]]:
    """The help, and the edit, where a number in another unit than `unit` stands on the right."""
    left, number = format_expression(expr.left), expr.right
    ordered = expr.operator in ("<", "<=", ">", ">=")
    if other == "%" and ordered and isinstance(expr.left, ast.Name) and expr.left.text in scores:
        if isinstance(number, ast.Number) and 1 <= number.value <= 99 and number.value == int(number.value):
            quantile = f"p{int(number.value):02}"
            return f"write `{left} {expr.operator} {quantile}` for a quantile", (Edit(number.span, quantile),)
        return f"compare with {unit}, or with a quantile from `p1` to `p99`", ()
    kind = {"nats": "a log-probability"}.get(other, in_words(Type("number", other)))
    if such := next((name for name, declared in scores.items() if declared.type.unit == other), None):
        kind = f"{kind} such as `{such}`"
    if unit != "nats" and (isinstance(number, ast.Unary) or (isinstance(number, ast.Number) and number.value != int(number.value))):
        return f"compare {in_words(Type('number', unit))}, or {kind}", ()
    bare = format_expression(number).split(" ")[0].rstrip("%")
    return f"write `{left} {expr.operator} {bare} {unit}`, or compare {kind}", ()


def _place(expr: ast.Expr, type: Type, scores: Mapping[str, HasPlace]) -> Label:
    declared = scores.get(expr.text) if isinstance(expr, ast.Name) else None
    line = f" (declared on line {declared.line})" if declared and declared.line and declared.span.path == expr.span.path else ""
    return Label(expr.span, f"this is {in_words(type)}{line}")


def _literal(expr: ast.Expr) -> bool:
    return isinstance(expr, ast.Number) or (isinstance(expr, ast.Unary) and isinstance(expr.operand, ast.Number))


def check_regex(pattern: ast.String, notes: Diagnostics) -> bool:
    """Whether a pattern is one that Rust's regex engine takes, as far as can be told without it."""
    if fault := regex_fault(pattern.value):
        message, help = fault
        notes.error("MIX0311", message, pattern.span, help=help)
    return fault is None


def regex_fault(pattern: str) -> tuple[str, str | None] | None:
    """What is wrong with a pattern, and what helps; None where nothing is, as far as can be told without Rust's engine."""
    if found := re.search(r"\(\?<?[=!]|\\[1-9]|\(\?P=", pattern):
        return f"look-around and back-references are not supported: `{found[0]}`", "patterns are those of Rust's regex crate"
    # Python's own syntax differs too much to judge by; only what no engine takes is told here, the rest by Polars when it runs.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as fault:
        if fault.msg.startswith(("missing ), unterminated", "unterminated character set", "nothing to repeat", "unbalanced parenthesis")):
            return f"not a regular expression: {fault.msg}", None
    return None

"""Makes the nodes of the tree, one function for each rule of the grammar that has a node. Knows the rules' children, not their words."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..source import Span
from . import ast
from .numerals import value_of
from .tokens import Token


class Unfit(Exception):
    """Grammatical, but not a thing of the language."""

    def __init__(self, message: str, label: str, span: Span) -> None:
        super().__init__(message)
        self.message, self.label, self.span = message, label, span


@dataclass(frozen=True, slots=True)
class Head:
    """The keyword and the name of a block."""

    kind: str
    name: ast.Name | ast.String | None
    span: Span


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the nodes of one file."""

    path: str

    def __call__(self, node: str, children: list[Any], start: int, end: int) -> Any:
        return NODES[node](Span(self.path, start, end), *children)


def _name(span: Span, token: Token) -> ast.Name:
    return ast.Name(token.text, span=span)


def _string(span: Span, token: Token) -> ast.String:
    return ast.String(re.sub(r"\\(.)", r"\1", token.text[1:-1]), span=span)


def _number(span: Span, token: Token, unit: ast.Name | str | None = None) -> ast.Number:
    percent = token.text.endswith("%")
    text = token.text.rstrip("%")
    return ast.Number(value_of(text), _unit(percent, unit), text, span=span)


def _parameter(span: Span, token: Token, unit: ast.Name | str | None = None) -> ast.Param:
    return ast.Param(token.text.strip("$%"), _unit(token.text.endswith("%"), unit), span=span)


def _unit(percent: bool, unit: ast.Name | str | None) -> str | None:
    if percent:
        return "% of tokens" if unit else "%"
    return unit.text if isinstance(unit, ast.Name) else None


def _count(span: Span, token: Token) -> ast.Number | ast.Param:
    return _parameter(span, token) if token.text.startswith("$") else _number(span, token)


def _negative(span: Span, operand: ast.Expr) -> ast.Expr:
    if isinstance(operand, ast.Number) and not operand.text.startswith("-"):
        return ast.Number(-operand.value, operand.unit, "-" + operand.text, span=span)
    return ast.Unary("-", operand, span=span)


def _block(span: Span, head: Head, *lines: ast.Line) -> ast.Block:
    return ast.Block(head.kind, head.name, lines, head=head.span, span=span)


def _head(span: Span, keyword: Token, name: ast.Name | ast.String | None = None, generate: Token | None = None) -> Head:
    return Head(generate.text if generate else keyword.text, name, span)


def _decontaminate(
    span: Span,
    against: ast.String | tuple[ast.String, ...],
    words: Token,
    of: ast.Name,
    field: ast.Name | ast.String | None = None,
) -> ast.Decontaminate:
    size = value_of(words.text)
    if not isinstance(size, int) or size < 1:
        raise Unfit(
            f"`{words.text}-grams` is not a number of words",
            "write a whole number, such as `8-grams`",
            Span(span.path, words.start, words.end),
        )
    return ast.Decontaminate(against if isinstance(against, tuple) else (against,), size, of, field, span=span)


def _dedup(span: Span, method: ast.Name | ast.Call, of: ast.Name) -> ast.Dedup:
    return ast.Dedup(*_method(method), of, span=span)


def _method(method: ast.Name | ast.Call) -> tuple[ast.Name, tuple[ast.Argument, ...]]:
    return (method.function, method.arguments) if isinstance(method, ast.Call) else (method, ())


def _tag_by(span: Span, method: ast.Name | ast.Call, value: ast.Expr | None = None) -> ast.TagBy:
    if isinstance(method, ast.Call):
        return ast.TagBy(method.function, method, span=span)
    assert value is not None
    return ast.TagBy(method, value, span=span)


def _benchmark(
    span: Span, name: ast.Name, path: ast.String, *options: tuple[str, Any]
) -> ast.Benchmark:
    given = dict(options)
    return ast.Benchmark(name, path, given.get("samples"), given.get("limit"), given.get("columns", ()), given.get("grade"), span=span)


def _group(span: Span, kind: ast.Name, first: ast.Name | ast.String, second: ast.String | None = None) -> ast.Group:
    if second is None:
        return ast.Group(kind.text, first, span=span)
    column = first if isinstance(first, ast.Name) else ast.Name(first.value, span=first.span)
    return ast.Group(kind.text, second, column, span=span)


def _bound(span: Span, operator: Token, amount: ast.Number | ast.Param) -> ast.Bound:
    low = None if operator.text == "<=" else amount
    high = None if operator.text == ">=" else amount
    return ast.Bound(operator.text, low, high, span=span)


def _range(span: Span, low: ast.Number | ast.Param, high: ast.Number | ast.Param) -> ast.Bound:
    if low.unit is None or (low.unit == "%" and high.unit == "% of tokens"):
        low = replace(low, unit=high.unit)
    return ast.Bound("..", low, high, span=span)


def _pattern(span: Span, keyword: Token, detail: Any = None) -> ast.Pattern:
    return ast.Pattern(keyword.text, None if isinstance(detail, Token) else detail, span=span)


def _replace_with(span: Span, _: Token, keyword: Token, __: Token, clause: ast.Clause) -> ast.Replace:
    return ast.Replace(ast.Pattern(keyword.text, span=Span(span.path, keyword.start, keyword.end)), clause, span=span)


def _binary(operator: str) -> Callable[..., ast.Binary]:
    return lambda span, left, right: ast.Binary(operator, left, right, span=span)


def _quantile(span: Span, token: Token, within: ast.Name | None = None) -> ast.Quantile:
    return ast.Quantile(int(token.text[1:]), within, span=span)


NODES: dict[str, Callable[..., Any]] = {
    "file": lambda span, *declarations: declarations,
    "extends": lambda span, path: ast.Extends(path, span=span),
    "param": lambda span, name, value: ast.ParamDeclaration(name, value, span=span),
    "teacher": lambda span, name, corpus, condition=None: ast.Teacher(name, corpus, condition, span=span),
    "score": lambda span, name, call: ast.Score(name, call, span=span),
    "decontaminate": _decontaminate,
    "decontaminate_none": lambda span, _, because: ast.Decontaminate((), because=because, span=span),
    "strings": lambda span, *strings: strings,
    "dedup": _dedup,
    "require": lambda span, subject, allowed: ast.Require(subject, allowed, span=span),
    "sweep": lambda span, param, values: ast.Sweep(param, values, span=span),
    "ablate": lambda span, pattern: ast.Ablate(pattern, span=span),
    "remove_declaration": lambda span, kind, name=None: ast.RemoveDeclaration(kind, name, span=span),
    "word": _name,
    "name": _name,
    "head": _head,
    "block": _block,
    "setting": lambda span, keyword, value: ast.Setting(keyword, value, span=span),
    "remove_setting": lambda span, keyword: ast.RemoveSetting(keyword, span=span),
    "tag_by": _tag_by,
    "per_skill": lambda span, amount, per: ast.PerSkill(amount, per, span=span),
    "benchmark": _benchmark,
    "benchmark_samples": lambda span, count: ("samples", count),
    "benchmark_limit": lambda span, amount: ("limit", amount),
    "benchmark_columns": lambda span, *columns: ("columns", columns),
    "benchmark_column": lambda span, name, column: ast.Argument(name, column, span=span),
    "benchmark_grade": lambda span, grade: ("grade", grade),
    "heldout": lambda span, corpus, where: ast.Heldout(corpus, where, span=span),
    "expect": lambda span, subject, operator, amount: ast.Expect(subject, operator.text, amount, span=span),
    "expect_error": lambda span, error, code: ast.Expect(error, None, code, span=span),
    "replace": lambda span, pattern, clause: ast.Replace(pattern, clause, span=span),
    "replace_maximize": _replace_with,
    "replace_solver": _replace_with,
    "replace_same": lambda span, clause: ast.Replace(None, clause, span=span),
    "remove_clause": lambda span, pattern: ast.RemoveClause(pattern, span=span),
    "add": lambda span, clause, side=None, pattern=None: ast.Add(clause, side and side.text, pattern, span=span),
    "where": lambda span, condition: ast.Where(condition, span=span),
    "keep_best": lambda span, count, by: ast.Keep(count, by, span=span),
    "keep_at_most": lambda span, count: ast.Keep(count, None, span=span),
    "quota": lambda span, group, bound: ast.Quota(group, bound, span=span),
    "soft_quota": lambda span, shape: ast.SoftQuota(*_method(shape), span=span),
    "budget": lambda span, amount: ast.Budget(amount, span=span),
    "budget_up_to": lambda span, amount: ast.Budget(amount, True, span=span),
    "maximize": lambda span, by: ast.Maximize(by, span=span),
    "count_tokens": lambda span, score: ast.CountTokens(score, span=span),
    "solver": lambda span, method: ast.Solver(method, span=span),
    "pattern": _pattern,
    "quota_pattern": lambda span, detail: ast.Pattern("quota", detail, span=span),
    "group": _group,
    "bound": _bound,
    "range": _range,
    "negative": _negative,
    "list": lambda span, *items: ast.List(items, span=span),
    "call": lambda span, function, *arguments: ast.Call(function, arguments, span=span),
    "positional": lambda span, value: ast.Argument(None, value, span=span),
    "named": lambda span, name, value: ast.Argument(name, value, span=span),
    "count": _count,
    "number": _number,
    "parameter": _parameter,
    "of_tokens": lambda span, *_: "of tokens",
    "string": _string,
    "boolean": lambda span, token: ast.Boolean(token.text == "true", span=span),
    "none": lambda span: ast.Nothing(span=span),
    "binary": lambda span, left, operator, right: ast.Binary(operator.text, left, right, span=span),
    "binary_or": _binary("or"),
    "binary_and": _binary("and"),
    "binary_in": _binary("in"),
    "binary_not_in": _binary("not in"),
    "binary_matches": _binary("matches"),
    "binary_contains": _binary("contains"),
    "unary_not": lambda span, operand: ast.Unary("not", operand, span=span),
    "quantile": _quantile,
    "rank": lambda span, operand, within=None: ast.Rank(operand, within, span=span),
}

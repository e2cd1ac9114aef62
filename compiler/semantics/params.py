"""Params: constants of a spec and its parents, set from outside with `--set`, put in place of every `$name`."""

import dataclasses
from collections.abc import Mapping
from functools import cache

from ..diagnostics import Diagnostics, Label
from ..source import Span
from ..suggest import suggest
from ..syntax import ast
from .meant import meant

Literal = ast.Number | ast.String | ast.Boolean | ast.Name | ast.List


def override(
    declared: Mapping[str, ast.ParamDeclaration], given: Mapping[str, tuple[ast.ParamDeclaration, str]], notes: Diagnostics
) -> dict[str, ast.ParamDeclaration]:
    """The params with the values of `--set` (already parsed, each with the text that was typed) in place of the declared ones."""
    params = dict(declared)
    for name, (setting, text) in given.items():
        if name not in declared:
            near = suggest(name, declared)
            help = f"did you mean `--set {near}={text.partition('=')[2]}`?" if near else known(declared)
            notes.error("MIX0206", f"`--set {text}`: the spec has no param named `{name}`", None, help=help)
            continue
        old = declared[name]
        if kind_of(old.value) != kind_of(setting.value):
            notes.error(
                "MIX0307",
                f"`--set {text}`: `{name}` is {kind_of(old.value)}, this is {kind_of(setting.value)}",
                old.span,
                "declared here",
                help=f"give a value like the one declared, as in `--set {name}={_example(old.value)}`",
            )
            continue
        params[name] = dataclasses.replace(setting, value=dataclasses.replace(setting.value, span=old.value.span), span=old.span)
    return params


def substitute(node: object, params: Mapping[str, ast.ParamDeclaration], notes: Diagnostics) -> object:
    """The node with every `$name` replaced by its value, at the place where `$name` stands."""
    if isinstance(node, ast.Param):
        return _value(node, params, notes)
    if isinstance(node, tuple):
        items = tuple([substitute(item, params, notes) for item in node])
        return items if any(new is not old for new, old in zip(items, node, strict=True)) else node
    changes = {}
    for name in _members(type(node)):
        old = getattr(node, name)
        new = substitute(old, params, notes)
        if new is not old:
            changes[name] = new
    return dataclasses.replace(node, **changes) if changes else node  # type: ignore[type-var]


@cache
def _members(kind: type) -> tuple[str, ...]:
    """The fields of a node that may hold others; places never do."""
    if not dataclasses.is_dataclass(kind) or kind is Span:
        return ()
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in ("span", "head"))


def _value(use: ast.Param, params: Mapping[str, ast.ParamDeclaration], notes: Diagnostics) -> ast.Expr:
    param = params.get(use.name)
    if param is None:
        name = Span(use.span.path, use.span.start + 1, use.span.start + 1 + len(use.name))
        given = meant(use.name, params, name, known(params), said="`${}`")
        notes.error("MIX0206", f"no param named `${use.name}`", use.span, "not declared", **given)
        return ast.Number(1, use.unit, "1", span=use.span)
    value = param.value
    if isinstance(value, ast.Number):
        if use.unit and value.unit and use.unit != value.unit:
            notes.error(
                "MIX0303",
                f"`${use.name}` is in {value.unit}, but {use.unit} is written behind it",
                use.span,
                f"`{use.unit}` here",
                secondary=(Label(value.span, f"`{value.unit}` here"),),
                help=f"write `${use.name}` alone",
            )
        return dataclasses.replace(value, unit=value.unit or use.unit, span=use.span)
    if use.unit:
        notes.error(
            "MIX0307", f"`${use.name}` is {kind_of(value)}, so it cannot have a unit", use.span, f"`{use.unit}` behind {kind_of(value)}"
        )
        return ast.Number(1, use.unit, "1", span=use.span)
    return dataclasses.replace(value, span=use.span)


def kind_of(value: ast.Value) -> str:
    """What a value is, in words; two values of one kind may stand for one another."""
    match value:
        case ast.Number():
            return "a number"
        case ast.String():
            return "a text"
        case ast.Boolean():
            return "true or false"
        case ast.List():
            return "a list"
        case _:
            return "a name"


def _example(value: ast.Expr) -> str:
    match value:
        case ast.Number():
            return value.text or str(value.value)
        case ast.Boolean():
            return "true"
        case ast.String():
            return f'"{value.value}"'
        case _:
            return "…"


def known(params: Mapping[str, object]) -> str:
    """The params there are, for a help."""
    return f"the params are {', '.join(f'`{name}`' for name in sorted(params))}" if params else "declare it: `param NAME = VALUE`"

"""The arguments of a call that is no scorer (`embedding(…)`, `llm(…)`): each by its name, at most once."""

from collections.abc import Sequence

from ..diagnostics import Diagnostics, Label
from ..syntax import ast
from .meant import meant


def bind(by: ast.TagBy, names: Sequence[str], notes: Diagnostics) -> tuple[dict[str, ast.Expr], bool]:
    """The arguments by name, and whether each has its place; one without a name is the first of `names`."""
    call, method = by.value, by.method.text
    given: dict[str, ast.Argument] = {}
    fine = True
    for argument in call.arguments if isinstance(call, ast.Call) else ():
        name = argument.name.text if argument.name else names[0]
        if name not in names:
            near = meant(name, names, argument.name.span if argument.name else None, f"it takes {', '.join(f'`{one}`' for one in names)}")
            notes.error("MIX0302", f"`{method}` has no argument `{name}`", argument.span, "not known", **near)
        elif name in given:
            notes.error("MIX0202", f"`{name}` is given twice", argument.span, "again here", secondary=(Label(given[name].span, "first here"),))
        else:
            given[name] = argument
            continue
        fine = False
    return {name: argument.value for name, argument in given.items()}, fine

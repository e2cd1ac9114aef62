"""`skills n { … }`: the tree of skills, and how rows get theirs."""

import json
from collections.abc import Mapping

from ..diagnostics import Diagnostics, Label
from ..paths import beside, is_remote
from ..syntax import ast
from . import ir
from .attribution import attribution
from .inputs import Inputs
from .keyword_file import Keywords, read_keywords
from .meant import meant
from .settings import Settings
from .shared import absent, barred
from .types import of_column

Tree = tuple[tuple[str, str], ...]
_METHODS = ("column", "keywords", "embedding", "llm")


def taxonomy(
    block: ast.Block, inputs: Inputs, columns: Mapping[str, str] | None, notes: Diagnostics, missing: list[ir.Missing]
) -> ir.Taxonomy | None:
    """A skills block: its tree, and how rows are tagged."""
    settings = Settings(block, notes)
    path = settings.text("tree")
    tag = settings.one("tag", "say how rows get their skills: `tag by column subject`")
    tree = _tree(path, inputs, notes) if path else None
    if not isinstance(block.name, ast.Name):
        return None
    faulty = ir.Taxonomy(name=block.name.text, method="column", tree=tree, span=block.head)
    if tag is None or not isinstance(tag.value, ast.TagBy):
        return faulty
    by, given = tag.value, tag.value.value
    method = by.method.text
    column, keywords, model, asked = None, None, None, None
    match method:
        case "column":
            column = _column(given, columns, notes)
            if column is None:
                return faulty
        case "keywords":
            if not isinstance(given, ast.String):
                notes.error("MIX0301", "`tag by keywords` takes a file", given.span, help='write `tag by keywords "keywords.json"`')
                return faulty
            keywords = _keywords(given, inputs, tree, notes)
        case "embedding" | "llm":
            model = _model(by, notes) if method == "embedding" else None
            asked = attribution(by, inputs, notes) if method == "llm" else None
            if path is None and not settings.all("tree") and not block.may_have("tree"):
                help = 'write `tree "skills.json"`'
                notes.error("MIX0207", f"`tag by {method}` needs a tree to choose skills from", tag.span, "which skills?", help=help)
            if model is None and asked is None:
                return faulty
        case _:
            listed = ", ".join(f"`{m}`" for m in _METHODS)
            near = meant(method, _METHODS, by.method.span)
            notes.error("MIX0302", f"rows are tagged by {listed}", by.method.span, "none of them", **near)
            return faulty
    if model is not None:
        missing.append(ir.Missing(what=f"`tag by {method}`", stage="tag", span=tag.span))
    return ir.Taxonomy(name=block.name.text, method=method, column=column, keywords=keywords, model=model, attribution=asked, tree=tree, span=tag.span)


def _column(given: ast.Expr, columns: Mapping[str, str] | None, notes: Diagnostics) -> str | None:
    if not isinstance(given, (ast.Name, ast.String)):
        notes.error("MIX0301", "`tag by column` takes a column's name", given.span)
        return None
    column = given.text if isinstance(given, ast.Name) else given.value
    if barred(column, columns, given.span, notes):
        return None
    if columns is not None and column not in columns:
        absent(column, columns, given.span, notes, text=isinstance(given, ast.String))
    elif columns is not None and columns[column] in ("bool", "number"):
        said = f"skills are texts or lists of texts, but column `{column}` is {of_column(columns[column])}"
        notes.error("MIX0305", said, given.span)
    return column


def _model(by: ast.TagBy, notes: Diagnostics) -> str | None:
    """`embedding(model: "…")`."""
    method, call = by.method.text, by.value
    example = f'write `tag by {method}(model: "Org/name")`'
    found: ast.Argument | None = None
    unknown = False
    for argument in call.arguments if isinstance(call, ast.Call) else ():
        name = argument.name.text if argument.name else "model"
        if name != "model":
            place = argument.name.span if argument.name else None
            near = meant(name, ("model",), place, "it takes `model`")
            notes.error("MIX0302", f"`{method}` has no argument `{name}`", argument.span, "not known", **near)
            unknown = True
        elif found is not None:
            notes.error(
                "MIX0202", "`model` is given twice", argument.span, "again here", secondary=(Label(found.span, "first here"),)
            )
        else:
            found = argument
    if found is None:
        if unknown:
            return None
        notes.error("MIX0207", f"`tag by {method}` needs a model", by.span, "which one?", help=example)
        return None
    if not isinstance(found.value, ast.String) or not found.value.value:
        notes.error("MIX0301", "`model` takes a text in double quotes", found.value.span, "something else", help=example)
        return None
    return found.value.value


def _keywords(path: ast.String, inputs: Inputs, tree: Tree | None, notes: Diagnostics) -> Keywords | None:
    if is_remote(path.value):
        notes.error("MIX0301", "a file of keywords is read with the spec, so it is on this machine", path.span, "elsewhere", help="copy it beside the spec")
        return None
    text = _read(path, inputs, notes)
    return None if text is None else read_keywords(path, text, tree, notes)


def _read(path: ast.String, inputs: Inputs, notes: Diagnostics) -> str | None:
    text = inputs.texts.get(beside(path.value, path.span.path))
    if text is None and beside(path.value, path.span.path) in inputs.texts:
        notes.error("MIX0208", f"no file `{path.value}`", path.span, "not there", help="the path is relative to this spec")
    return text


def _tree(path: ast.String, inputs: Inputs, notes: Diagnostics) -> Tree | None:
    """A tree in JSON: `{"name": …, "children": […]}`, the root's own name in no chain."""
    text = _read(path, inputs, notes)
    if text is None:
        return None
    try:
        root = json.loads(text)
        chains: dict[str, str] = {}
        pending = [(child, "") for child in reversed(root["children"])]
        while pending:
            node, above = pending.pop()
            name = node["name"]
            if not isinstance(name, str) or not name or "->" in name:
                raise ValueError("every node needs a `name` without `->`")
            if name in chains:
                raise ValueError(f"the name `{name}` stands twice")
            chains[name] = f"{above}->{name}" if above else name
            pending.extend((child, chains[name]) for child in reversed(node.get("children", [])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        why = str(fault) if isinstance(fault, ValueError) else 'a node is `{"name": "…", "children": […]}`'
        notes.error("MIX0301", f"`{path.value}` is not a tree of skills: {why}", path.span, "this file")
        return None
    return tuple(chains.items())

"""`skills n { … }`: the tree of skills, and how rows get theirs."""

from collections.abc import Mapping

from ..diagnostics import Diagnostics
from ..paths import beside, is_remote
from ..syntax import ast
from . import ir
from .attribution import attribution
from .inputs import Inputs
from .keyword_file import Keywords, read_keywords
from .meant import meant
from .nearest import nearest
from .settings import Settings
from .shared import absent, barred
from .tree_file import Tree, read_tree
from .types import of_column

_METHODS = ("column", "keywords", "embedding", "llm")


def taxonomy(
    block: ast.Block, inputs: Inputs, columns: Mapping[str, str] | None, notes: Diagnostics
) -> ir.Taxonomy | None:
    """A skills block: its tree, and how rows are tagged."""
    settings = Settings(block, notes)
    path = settings.text("tree")
    tag = settings.one("tag", "say how rows get their skills: `tag by column subject`")
    found = _tree(path, inputs, notes) if path else None
    tree = found.chains if found else None
    if not isinstance(block.name, ast.Name):
        return None
    faulty = ir.Taxonomy(name=block.name.text, method="column", tree=tree, span=block.head)
    if tag is None or not isinstance(tag.value, ast.TagBy):
        return faulty
    by, given = tag.value, tag.value.value
    method = by.method.text
    column, keywords, near, asked = None, None, None, None
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
            near = nearest(by, notes) if method == "embedding" else None
            asked = attribution(by, inputs, notes) if method == "llm" else None
            if path is None and not settings.all("tree") and not block.may_have("tree"):
                help = 'write `tree "skills.json"`'
                notes.error("MIX0207", f"`tag by {method}` needs a tree to choose skills from", tag.span, "which skills?", help=help)
            if near is None and asked is None:
                return faulty
        case _:
            listed = ", ".join(f"`{m}`" for m in _METHODS)
            notes.error("MIX0302", f"rows are tagged by {listed}", by.method.span, "none of them", **meant(method, _METHODS, by.method.span))
            return faulty
    said = found.descriptions if found and (near or asked) else None
    return ir.Taxonomy(
        name=block.name.text, method=method, column=column, keywords=keywords, nearest=near, attribution=asked, tree=tree, descriptions=said or None,
        span=tag.span,
    )  # fmt: skip


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


def _keywords(path: ast.String, inputs: Inputs, tree: tuple[tuple[str, str], ...] | None, notes: Diagnostics) -> Keywords | None:
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
    text = _read(path, inputs, notes)
    return None if text is None else read_tree(path, text, notes)

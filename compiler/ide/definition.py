"""Where the thing under the cursor is declared: in the file, in a spec that it extends, or in a file that it names."""

import json
from dataclasses import dataclass

from ..paths import beside, is_remote
from ..source import Span
from ..syntax import ast
from .facts import setting
from .index import Symbol
from .project import Project


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is what to put the cursor on, `whole` what to show around it; `origin` what was asked about."""

    name: Span
    whole: Span
    origin: Span


def definition(project: Project, offset: int) -> tuple[Target, ...]:
    """The places that declare the name at `offset`, the nearest file first."""
    name = project.file.at(offset)
    if name is None:
        return ()
    match name.symbol.kind:
        case "file":
            path = beside(name.symbol.name, project.source.path)
            start = Span(path, 0, 0)
            return () if is_remote(path) or any(c in path for c in "*?[") else (Target(start, start, name.span),)
        case "skill":
            return tuple(Target(s, s, name.span) for s in _in_tree(project, name.symbol.name))
        case "column":
            return tuple(Target(s, s, name.span) for s in _files(project, name.symbol.name))
        case _:
            return declarations(project, name.symbol, name.span)


def declarations(project: Project, symbol: Symbol, origin: Span) -> tuple[Target, ...]:
    """Where a symbol is declared."""
    found = [Target(o.span, o.whole, origin) for file in project.chain for o in file.names if o.symbol == symbol and o.whole]
    elsewhere = [t for t in found if t.name != origin]
    return tuple(elsewhere or found)


def _in_tree(project: Project, skill: str) -> list[Span]:
    """The skill's name in the JSON of the tree."""
    spans = []
    for block in project.facts.taxonomies.values():
        tree = setting(block, "tree")
        path = beside(tree.value, tree.span.path) if isinstance(tree, ast.String) else ""
        text = project.inputs.texts.get(path) or ""
        for written in dict.fromkeys((json.dumps(skill), json.dumps(skill, ensure_ascii=False))):
            if (start := text.find(written)) >= 0:
                spans.append(Span(path, start + 1, start + len(written) - 1))
    return spans


def _files(project: Project, column: str) -> list[Span]:
    """A column is declared by the files of its corpora: where they are named."""
    spans = []
    for found in project.facts.columns.get(column, ()):
        scan = setting(project.facts.corpora[found.corpus], "scan")
        if isinstance(scan, ast.String):
            spans.append(scan.span)
    return spans

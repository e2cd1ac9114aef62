"""A child's block over its parent's: settings replace by keyword, lines of `select` are edits applied in order."""

import dataclasses

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from ..suggest import suggest
from ..syntax import ast
from ..syntax.format import format_clause, format_pattern


def merge_block(parent: ast.Block | None, child: ast.Block, notes: Diagnostics, *, extends: bool = True) -> ast.Block:
    """The block that holds when `child` stands over `parent` (None: there is none). `extends`: whether the child's spec has a parent."""
    if child.kind == "select":
        return _select(parent, child, notes) if extends else _plain(child, notes)
    lines = list(parent.lines) if parent else []
    removed = {line.keyword.text for line in child.lines if isinstance(line, ast.RemoveSetting)}
    for line in child.lines:
        if isinstance(line, ast.RemoveSetting) and not any(_keyword(old) == line.keyword.text for old in lines):
            known = [k for k in map(_keyword, lines) if k]
            near = suggest(line.keyword.text, known)
            notes.error(
                "MIX0204",
                f"there is no `{line.keyword.text}` to remove",
                line.span,
                "matches nothing in the extended specs" if parent else "nothing is extended here",
                help=f"did you mean `{near}`?" if near else None,
            )
    own = [line for line in child.lines if not isinstance(line, ast.RemoveSetting)]
    replaced = removed | {_keyword(line) for line in own}
    kept = [line for line in lines if _keyword(line) not in replaced]
    return dataclasses.replace(child, lines=(*kept, *own))


def _keyword(line: ast.Line) -> str | None:
    return line.keyword.text if isinstance(line, (ast.Setting, ast.RemoveSetting)) else None


def _select(parent: ast.Block | None, child: ast.Block, notes: Diagnostics) -> ast.Block:
    clauses: list[ast.Line] = list(parent.lines) if parent else []
    for line in child.lines:
        match line:
            case ast.Replace(pattern=pattern, clause=clause):
                found = _find(clauses, pattern or _like(clause), line, notes, None if pattern else clause)
                if found is not None:
                    clauses[found] = clause
            case ast.RemoveClause(pattern=pattern):
                found = _find(clauses, pattern, line, notes)
                if found is not None:
                    del clauses[found]
            case ast.Add(clause=clause, side=side, pattern=pattern):
                at: int | None = len(clauses)
                if pattern is not None:
                    at = _find(clauses, pattern, line, notes)
                if at is not None:
                    clauses.insert(at + (side == "after"), clause)
            case _ if parent is not None:
                text = format_clause(line)
                notes.error(
                    "MIX0205",
                    "in a spec that extends another, every line of `select` is an edit",
                    line.span,
                    "a plain clause",
                    secondary=(Label(parent.head, "the `select` it edits"),),
                    help=f"write `add {text}` or `replace {text}`",
                )
            case _:
                clauses.append(line)
    return dataclasses.replace(child, lines=tuple(clauses))


def _plain(block: ast.Block, notes: Diagnostics) -> ast.Block:
    """A `select` that edits nothing: an edit in it is reported, and the clause that it carries is taken as it stands."""
    clauses: list[ast.Line] = []
    for line in block.lines:
        if not isinstance(line, (ast.Add, ast.Replace, ast.RemoveClause)):
            clauses.append(line)
            continue
        word = {"Add": "add", "Replace": "replace"}.get(type(line).__name__, "remove")
        edits: tuple[Edit, ...] = ()
        if not isinstance(line, ast.RemoveClause):
            clauses.append(line.clause)
            around = (Span(line.span.path, line.span.start, line.clause.span.start), Span(line.span.path, line.clause.span.end, line.span.end))
            edits = tuple(Edit(span, "") for span in around if span.start < span.end)
        notes.error(
            "MIX0204",
            f"`{word}` edits the `select` of an extended spec, and this spec extends nothing",
            line.span,
            "nothing to edit",
            help=f"write `{format_clause(clauses[-1])}`" if edits else "take the line out",
            edits=edits,
        )
    return dataclasses.replace(block, lines=tuple(clauses))


def _like(clause: ast.Clause) -> ast.Pattern:
    """The pattern that `replace CLAUSE` alone stands for: the clause of the same kind, of the same group, of the same unit."""
    span = clause.span
    match clause:
        case ast.Quota(group=group):
            return ast.Pattern("quota", group, span=span)
        case ast.SoftQuota(shape=shape):
            return ast.Pattern("quota", shape, span=span)
        case ast.Budget(amount=amount):
            return ast.Pattern("budget", ast.Name(amount.unit or "", span=span), span=span)
        case ast.Keep():
            return ast.Pattern("keep", span=span)
        case ast.Maximize():
            return ast.Pattern("maximize", span=span)
        case ast.CountTokens():
            return ast.Pattern("count", span=span)
        case ast.Where(condition=condition):
            return ast.Pattern("where", condition, span=span)


def _matches(line: ast.Line, pattern: ast.Pattern) -> bool:
    if not isinstance(line, (ast.Where, ast.Keep, ast.Quota, ast.SoftQuota, ast.Budget, ast.Maximize, ast.CountTokens)):
        return False
    own = _like(line)
    return own.keyword == pattern.keyword and (pattern.detail is None or own.detail == pattern.detail)


def _of_kind(line: ast.Line, clause: ast.Clause) -> bool:
    """Whether `replace CLAUSE` means this line: the one of the same kind, for a quota of the same group, for a budget of the same unit."""
    if isinstance(clause, ast.Where):
        return isinstance(line, ast.Where)
    if isinstance(clause, ast.Keep):
        return isinstance(line, ast.Keep) and (line.by is None) == (clause.by is None)
    return _matches(line, _like(clause))


def _find(clauses: list[ast.Line], pattern: ast.Pattern, edit: ast.Line, notes: Diagnostics, like: ast.Clause | None = None) -> int | None:
    found = [i for i, line in enumerate(clauses) if (_of_kind(line, like) if like else _matches(line, pattern))]
    if len(found) == 1:
        return found[0]
    text = format_pattern(pattern)
    if not found:
        own = [format_clause(line) for line in clauses]
        near = suggest(text, own) or next((c for c in own if c.startswith(pattern.keyword)), None)
        help = f"the extended `select` has `{near}`" if near else "the extended `select` has no such clause"
        notes.error("MIX0204", f"no clause matches `{text}`", edit.span, "matches nothing", help=help)
    else:
        places = tuple(Label(clauses[i].span, "matches") for i in found)
        notes.error(
            "MIX0204",
            f"`{text}` matches {len(found)} clauses",
            edit.span,
            "which one is meant?",
            secondary=places,
            help="write the pattern out, as in `replace where EXPR with …`",
        )
    return None

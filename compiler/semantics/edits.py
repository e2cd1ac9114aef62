"""A child's block over its parent's: settings replace by keyword, lines of `select` are edits applied in order."""

import dataclasses

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from ..suggest import suggest
from ..syntax import ast
from ..syntax.format import format_clause, format_pattern
from .meant import Meant, meant

_EDITS = (ast.Replace, ast.RemoveClause, ast.Add)


def merge_block(parent: ast.Block | None, child: ast.Block, notes: Diagnostics, *, extends: bool = True) -> ast.Block:
    """The block that holds when `child` stands over `parent` (None: there is none). `extends`: whether the child's spec has a parent."""
    if child.kind == "select":
        return _select(parent, child, notes) if extends else _plain(child, notes)
    lines = list(parent.lines) if parent else []
    removed = {line.keyword.text for line in child.lines if isinstance(line, ast.RemoveSetting)}
    for line in child.lines:
        if isinstance(line, ast.RemoveSetting) and not any(_keyword(old) == line.keyword.text for old in lines):
            if parent and parent.may_have(line.keyword.text):
                continue
            known = [k for k in map(_keyword, lines) if k]
            notes.error(
                "MIX0204",
                f"there is no `{line.keyword.text}` to remove",
                line.span,
                "matches nothing in the extended specs" if parent else "nothing is extended here",
                **meant(line.keyword.text, known, line.keyword.span, _removable(known)),
            )
    own = [line for line in child.lines if not isinstance(line, ast.RemoveSetting)]
    replaced = removed | {_keyword(line) for line in own}
    kept = [line for line in lines if _keyword(line) not in replaced]
    return dataclasses.replace(child, lines=(*kept, *own), lost=_lost(parent, child))


def _removable(known: list[str]) -> str | None:
    return f"the extended specs set {', '.join(f'`{k}`' for k in sorted(set(known)))}" if known else None


def without(select: ast.Block | None, ablate: ast.Ablate, notes: Diagnostics) -> ast.Block | None:
    """The `select` less the one clause that `ablate` names; None, and MIX0204, where none or several match."""
    clauses = list(select.lines) if select else []
    found = _find(select, clauses, ablate.pattern, ablate, notes)
    if select is None or found is None:
        return None
    return dataclasses.replace(select, lines=(*clauses[:found], *clauses[found + 1 :]))


def _keyword(line: ast.Line) -> str | None:
    return line.keyword.text if isinstance(line, (ast.Setting, ast.RemoveSetting)) else None


def _select(parent: ast.Block | None, child: ast.Block, notes: Diagnostics) -> ast.Block:
    clauses: list[ast.Line] = list(parent.lines) if parent else []
    for line in child.lines:
        match line:
            case ast.Replace(pattern=pattern, clause=clause):
                found = _find(parent, clauses, pattern or _like(clause), line, notes, None if pattern else clause)
                if found is not None:
                    clauses[found] = clause
            case ast.RemoveClause(pattern=pattern):
                found = _find(parent, clauses, pattern, line, notes)
                if found is not None:
                    del clauses[found]
            case ast.Add(clause=clause, side=side, pattern=pattern):
                at: int | None = len(clauses)
                if pattern is not None:
                    at = _find(parent, clauses, pattern, line, notes)
                if at is not None:
                    clauses.insert(at + (side == "after"), clause)
            case _ if isinstance(line, ast.Clause) and parent is not None:
                text = format_clause(line)
                same = [old for old in parent.lines if _of_kind(old, line)]
                verb, help = _verb(line, same, text)
                notes.error(
                    "MIX0205",
                    "in a spec that extends another, every line of `select` is an edit",
                    line.span,
                    "a plain clause",
                    secondary=(
                        Label(
                            same[0].span if verb == "replace" else parent.head,
                            "stands here already" if verb == "replace" else "the `select` it edits",
                        ),
                    ),
                    help=help,
                    edits=(Edit(Span(line.span.path, line.span.start, line.span.start), f"{verb} "),) if verb else (),
                )
            case _:
                clauses.append(line)
    return dataclasses.replace(child, lines=tuple(clauses), lost=_lost(parent, child))


def _lost(parent: ast.Block | None, child: ast.Block) -> frozenset[str | None]:
    return child.lost | (parent.lost if parent else frozenset())


def _verb(line: ast.Clause, same: list[ast.Line], text: str) -> tuple[str, str]:
    """The edit that a plain clause is plainly meant to be, if it is plain; and the help."""
    if not same:
        return "add", f"write `add {text}`"
    if len(same) == 1 and not isinstance(line, (ast.Where, ast.Keep, ast.Quota)):
        return "replace", f"write `replace {text}`"
    return "", f"write `add {text}` or `replace {text}`"


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
            return ast.Pattern("budget", ast.Name(getattr(amount, "unit", None) or "", span=span), span=span)
        case ast.Keep():
            return ast.Pattern("keep", span=span)
        case ast.Maximize():
            return ast.Pattern("maximize", span=span)
        case ast.CountTokens():
            return ast.Pattern("count", span=span)
        case ast.Solver():
            return ast.Pattern("solver", span=span)
        case ast.Where(condition=condition):
            return ast.Pattern("where", condition, span=span)


def _matches(line: ast.Line, pattern: ast.Pattern) -> bool:
    if not isinstance(line, ast.Clause):
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


def _find(
    parent: ast.Block | None,
    clauses: list[ast.Line],
    pattern: ast.Pattern,
    edit: ast.Line | ast.Ablate,
    notes: Diagnostics,
    like: ast.Clause | None = None,
) -> int | None:
    found = [i for i, line in enumerate(clauses) if (_of_kind(line, like) if like else _matches(line, pattern))]
    if len(found) == 1:
        return found[0]
    text = format_pattern(pattern)
    if found:
        notes.error(
            "MIX0204",
            f"`{text}` matches {len(found)} clauses",
            edit.span,
            "which one is meant?",
            secondary=tuple(Label(clauses[i].span, "matches") for i in found),
            help=f"write the pattern out, as in `{'ablate where EXPR' if isinstance(edit, ast.Ablate) else 'replace where EXPR with …'}`",
        )
    elif parent is None or not parent.may_have(pattern.keyword):
        near, given = _nearest(clauses, pattern, text, like, "`select`" if isinstance(edit, ast.Ablate) else "the extended `select`")
        place = near.span if near else parent.head if parent else None
        label = (Label(place, "the nearest" if near else "this `select`" if isinstance(edit, ast.Ablate) else "the `select` it edits"),) if place else ()
        notes.error("MIX0204", f"no clause matches `{text}`", edit.span, "matches nothing", secondary=label, **given)
    return None


def _nearest(clauses: list[ast.Line], pattern: ast.Pattern, text: str, like: ast.Clause | None, select: str) -> tuple[ast.Line | None, Meant]:
    """The clause that a pattern is nearly, or one of its kind."""
    own = {format_pattern(_like(c)): c for c in clauses if not isinstance(c, (ast.Setting, ast.RemoveSetting, *_EDITS))}
    given = meant(text, own, None if like else pattern.span, fits=True)
    near = suggest(text, own)
    clause = own[near] if near else next((c for p, c in own.items() if p.startswith(pattern.keyword)), None)
    shown = format_clause(clause) if clause else None
    if not near:
        given["help"] = f"{select} has `{shown}`" if shown else f"{select} has no such clause"
    return clause, given

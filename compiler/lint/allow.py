"""`# mixc: allow MIX0602 because "…"`: takes lints out of what was reported where a comment says why, and reports comments that do not do that (MIX0610)."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Diagnostics, Edit, Severity
from ..semantics.resolve import Resolved
from ..source import Source, Span
from ..suggest import suggest
from ..syntax import ast
from .subject import whole_lines

_OURS = re.compile(r"#\s*mixc\s*:")
_ALLOW = re.compile(r'#\s*mixc\s*:\s*allow\s+(?P<code>[A-Za-z0-9]+)(?:\s+because\s+"(?P<reason>(?:[^"\\]|\\.)*)")?\s*\Z')
_ERROR, _OWN = "MIX0601", "MIX0610"
_FORM = 'write `# mixc: allow MIX0604 because "…"` on the line before the clause, or behind it'


JUDGED = frozenset(("MIX0432",))
"""Warnings of the plan that are a person's to judge, and that a comment silences as it does a lint."""
DATA = frozenset(("MIX0432", "MIX0614"))
"""What the data shows, alone or beside the spec: what a comment says of it is for the plan and the build to heed, and is never idle here."""


@dataclass(frozen=True, slots=True)
class Allow:
    """A comment that allows `code` within `target`."""

    code: str
    target: Span | None
    span: Span


def allow(spec: Resolved, notes: Diagnostics, *, whole: bool) -> tuple[Diagnostics, tuple[Diagnostic, ...], tuple[Allow, ...]]:
    """What is left to say, the lints that comments silence, and the comments on lints that only the data shows. `whole`: the lints were all looked for, so that a comment without one is idle."""
    kept = Diagnostics(most=notes.most)
    sources = {s.path: s for s in spec.sources}
    allowed = [a for file in spec.chain for a in _allowed(file, spec, kept)]
    silenced: list[Diagnostic] = []
    busy: set[int] = set()
    by_code: dict[str, list[int]] = {}
    for number, each in enumerate(allowed):
        by_code.setdefault(each.code, []).append(number)
    for diagnostic in notes.reported:
        mine = [n for n in by_code.get(diagnostic.code, ()) if covers(allowed[n], diagnostic)]
        if mine and diagnostic.severity is Severity.WARNING:
            busy.update(mine)
            silenced.append(diagnostic)
        else:
            kept.report(diagnostic)
    for number, each in enumerate(allowed):
        if whole and number not in busy and not (each.code in DATA and each.target) and each.span.path == spec.end.path:
            kept.warning(
                _OWN,
                f"nothing here is reported as {each.code}, so that this comment silences nothing",
                each.span,
                "idle",
                notes=("a comment allows one lint at the clause that follows it, or at the clause on its own line",),
                help="take the comment out, or move it to the clause",
                edits=(Edit(whole_lines(sources[each.span.path], each.span), ""),),
            )
    return kept, tuple(silenced), tuple(each for each in allowed if each.code in DATA)


def covers(each: Allow, diagnostic: Diagnostic) -> bool:
    """Whether the comment speaks of this lint at this place."""
    place, target = diagnostic.primary, each.target
    return (
        each.code == diagnostic.code
        and place is not None
        and target is not None
        and place.span.path == target.path
        and target.start <= place.span.start
        and place.span.end <= target.end
    )


def _allowed(file: ast.Spec, spec: Resolved, notes: Diagnostics) -> Iterator[Allow]:
    comments = [c for c in file.comments if _OURS.match(c.text)]
    if not comments:
        return
    source = next(s for s in spec.sources if s.path == file.span.path)
    nodes = sorted(_nodes(file), key=lambda s: (s.start, -s.end))
    for comment in comments:
        code = _code(comment, notes)
        if code is not None:
            yield Allow(code, _target(comment, nodes, source), comment.span)


def _nodes(file: ast.Spec) -> Iterator[Span]:
    for declaration in file.declarations:
        yield declaration.span
        if isinstance(declaration, ast.Block):
            yield from (line.span for line in declaration.lines)


def _target(comment: ast.Comment, nodes: list[Span], source: Source) -> Span | None:
    """The clause or declaration that a comment speaks of: the next one, or the one on its line."""
    after = bisect_right(nodes, comment.span.start, key=lambda s: s.start)
    if comment.alone:
        return nodes[after] if after < len(nodes) else None
    line = source.position(comment.span.start)[0]
    here: list[Span] = []
    for span in reversed(nodes[:after]):
        if source.position(span.start)[0] == line:
            here.append(span)
        elif here or span.end <= comment.span.start:
            if not here and source.position(max(span.end - 1, span.start))[0] == line:
                here.append(span)
            break
        else:  # a clause over several lines, with the comment inside
            return span
    return max(here, key=lambda s: (s.end <= comment.span.start, s.end - s.start), default=None)


def _code(comment: ast.Comment, notes: Diagnostics) -> str | None:
    """The lint that a comment allows; None after it was reported as unusable."""
    from ..codes.all import CODES

    found = _ALLOW.match(comment.text.rstrip())
    if found is None:
        word = re.sub(r"#\s*mixc\s*:\s*", "", comment.text).partition(" ")[0]
        what = "this comment to mixc cannot be read" if word == "allow" else f"mixc takes `allow` in a comment, not `{word}`"
        notes.warning(_OWN, what, comment.span, "not understood", help=_FORM)
        return None
    code = found["code"].upper()
    lints = [c for c in CODES if (c.startswith("MIX06") and c not in (_ERROR, _OWN)) or c in JUDGED]
    if code == _ERROR:
        message, help = f"{_ERROR} is an error, which no comment silences", 'write `decontaminate none because "…"` instead'
    elif code not in CODES:
        near = suggest(code, lints)
        message, help = f"there is no lint {code}", f"did you mean {near}?" if near else "`mixc explain` lists them"
    elif code not in lints:
        message, help = f"{code} is not a lint, and no comment silences it", "take the comment out, and mend what it is about"
    elif not (found["reason"] or "").strip():
        message, help = f"this comment does not say why {code} is allowed here", f'write `# mixc: allow {code} because "…"`'
    else:
        return code
    notes.warning(_OWN, message, comment.span, "silences nothing", help=help)
    return None

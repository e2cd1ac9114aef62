"""What an editor may offer at a place: the fixes that diagnostics carry, and a comment that allows a lint."""

import re
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Edit, Severity
from ..source import Span
from ..syntax import ast
from .problems import Problem, problems
from .project import Project


@dataclass(frozen=True, slots=True)
class Action:
    """A change that mends one diagnostic; `preferred`: the one that a single key press may take."""

    title: str
    edits: tuple[Edit, ...]
    problem: Problem
    preferred: bool = False


def actions(project: Project, start: int, end: int) -> tuple[Action, ...]:
    """The actions for the problems that touch `start:end`."""
    found: list[Action] = []
    for problem in problems(project):
        if problem.span.end < start or problem.span.start > end:
            continue
        diagnostic = problem.diagnostic
        if diagnostic.edits:
            found.append(Action(_title(diagnostic, project), diagnostic.edits, problem, preferred=True))
        if diagnostic.code.startswith("MIX06") and diagnostic.code != "MIX0610" and diagnostic.severity is Severity.WARNING and _own(diagnostic, project):
            title = f"allow {diagnostic.code} here, with a reason"
            found.append(Action(title, (_allowance(project, problem.span, diagnostic.code),), problem))
    return tuple(found)


def mend(project: Project) -> tuple[Edit, ...]:
    """Every fix of the file at once, the first where two touch one another."""
    taken: list[Edit] = []
    for problem in problems(project):
        edits = problem.diagnostic.edits
        if edits and all(e.span.path == project.source.path for e in edits) and not any(_touch(a, b) for a in edits for b in taken):
            taken.extend(edits)
    return tuple(taken)


def _touch(a: Edit, b: Edit) -> bool:
    return a.span.start <= b.span.end and b.span.start <= a.span.end


def _own(diagnostic: Diagnostic, project: Project) -> bool:
    return diagnostic.primary is not None and diagnostic.primary.span.path == project.source.path


def _clause(project: Project, span: Span) -> Span:
    """The narrowest clause or declaration around a place."""
    declarations = project.file.spec.declarations
    lines = (line.span for d in declarations if isinstance(d, ast.Block) for line in d.lines)
    around = [s for s in (*(d.span for d in declarations), *lines) if s.start <= span.start and span.end <= s.end]
    return min(around, key=lambda s: s.end - s.start, default=span)


def _title(diagnostic: Diagnostic, project: Project) -> str:
    """What the fix does, in the words of the help where it has some."""
    if diagnostic.help and len(diagnostic.help) <= 80 and "\n" not in diagnostic.help:
        asked = re.fullmatch(r"did you mean (?:the \w+ )?(`.*`)\?", diagnostic.help)
        return f"write {asked[1]}" if asked else diagnostic.help
    edit = diagnostic.edits[0]
    old, new = project.text(edit.span).strip(), edit.text.strip()
    if old and new:
        return f"write `{new}` in place of `{old}`"
    return f"write `{new}`" if new else f"remove `{old}`"


def _allowance(project: Project, span: Span, code: str) -> Edit:
    """A comment on a line of its own in front of the clause that the lint is about, indented like it; the reason is for the user to write."""
    source = project.source
    line = source.starts[source.position(_clause(project, span).start)[0] - 1]
    indent = re.match(r"[ \t]*", source.text[line:])
    ending = "\r\n" if "\r\n" in source.text else "\n"
    blank = indent[0] if indent else ""
    return Edit(Span(source.path, line, line), f'{blank}# mixc: allow {code} because ""{ending}')

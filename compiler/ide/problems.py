"""The diagnostics of one open file: its own where they are, those of a spec that it extends at its `extends`."""

from dataclasses import dataclass

from ..codes.all import CODES
from ..diagnostics import Diagnostic, Label
from ..source import Span
from ..syntax import ast
from .project import Project

_UNNECESSARY = ("nothing uses", "changes nothing")
"""In the titles of lints: what is reported could be left out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic to show at `span` of the file; `related` are further places, also in other files.

    `unnecessary`: what stands there could be left out.
    """

    diagnostic: Diagnostic
    span: Span
    message: str
    related: tuple[Label, ...] = ()
    unnecessary: bool = False


def problems(project: Project) -> tuple[Problem, ...]:
    """Everything that compiling reported, placed in the file."""
    return tuple(_placed(d, project) for d in (*project.told, *project.outcome.notes))


def _placed(diagnostic: Diagnostic, project: Project) -> Problem:
    path = project.source.path
    message = _message(diagnostic)
    if diagnostic.primary is None:
        return Problem(diagnostic, Span(path, 0, 0), message, diagnostic.secondary)
    if diagnostic.primary.span.path == path:
        return Problem(diagnostic, _shown(diagnostic.primary.span, project), message, diagnostic.secondary, _unnecessary(diagnostic))
    own = next((label for label in diagnostic.secondary if label.span.path == path), None)
    span = own.span if own else _extends(project)
    where = diagnostic.primary.span.path.rpartition("/")[2]
    line = project.line(diagnostic.primary.span)
    related = (Label(diagnostic.primary.span, diagnostic.primary.text or "here"), *(s for s in diagnostic.secondary if s is not own))
    return Problem(diagnostic, span, f"in `{where}`{f', line {line}' if line else ''}: {message}", related)


def _message(diagnostic: Diagnostic) -> str:
    """One clause, then what to do: editors show nothing but this text."""
    label = f" ({diagnostic.primary.text})" if diagnostic.primary and diagnostic.primary.text else ""
    return "\n".join((diagnostic.message + label, *diagnostic.notes, *((f"help: {diagnostic.help}",) if diagnostic.help else ())))


def _shown(span: Span, project: Project) -> Span:
    """A place without width is shown as the character there, or the one before it."""
    if span.end > span.start:
        return span
    text = project.source.text
    if span.start < len(text) and text[span.start] not in "\r\n":
        return Span(span.path, span.start, span.start + 1)
    return Span(span.path, max(span.start - 1, 0), span.start)


def _extends(project: Project) -> Span:
    found = (d for d in project.file.spec.declarations if isinstance(d, ast.Extends))
    return next((d.path.span for d in found), Span(project.source.path, 0, 0))


def _unnecessary(diagnostic: Diagnostic) -> bool:
    """Whether a lint says that its clause does nothing: by its title, or by a fix that takes the clause away."""
    if not diagnostic.code.startswith("MIX06") or diagnostic.primary is None:
        return False
    removed = any(not e.text.strip() and e.span.start <= diagnostic.primary.span.start for e in diagnostic.edits)
    title = CODES[diagnostic.code].title if diagnostic.code in CODES else ""
    return removed or any(word in title for word in _UNNECESSARY)

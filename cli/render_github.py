"""Diagnostics as the workflow commands that GitHub turns into notes beside the lines of a pull request."""

import posixpath
from collections.abc import Iterable, Mapping

from ..compiler.diagnostics import Diagnostic
from ..compiler.source import Source


def render_github(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source]) -> str:
    """One line each, `::error file=…,line=…,col=…,endLine=…,endColumn=…,title=CODE::message`; notes and help are folded into the message."""
    return "".join(f"{_command(d, sources)}\n" for d in diagnostics)


def _command(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> str:
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in _properties(diagnostic, sources).items())
    return f"::{diagnostic.severity.value} {properties}::{_data(_message(diagnostic, sources))}"


def _properties(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, str | int]:
    if diagnostic.primary is None:
        return {"title": diagnostic.code}
    span = diagnostic.primary.span
    place: dict[str, str | int] = {"file": posixpath.normpath(span.path.replace("\\", "/"))}
    if (source := sources.get(span.path)) is not None:
        (line, column), (end_line, end_column) = (source.position(min(at, len(source.text))) for at in (span.start, span.end))
        place["line"] = line
        if line == end_line:  # columns of a place of several lines are refused
            place |= {"col": column, "endLine": end_line, "endColumn": end_column}
        else:
            place["endLine"] = end_line
    return {**place, "title": diagnostic.code}


def _message(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> str:
    """The message, and below it what else is known, as such a note shows no second place."""
    lines = [diagnostic.message]
    for label in diagnostic.secondary:
        source = sources.get(label.span.path)
        line = f":{source.position(min(label.span.start, len(source.text)))[0]}" if source else ""
        if label.text:
            lines.append(f"{label.span.path}{line}: {label.text}")
    lines += [f"note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"help: {diagnostic.help}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

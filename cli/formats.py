"""One list of diagnostics for many readers: text to stderr for people, the rest to stdout for machines."""

from collections.abc import Iterable, Mapping

from ..compiler.diagnostics import Diagnostic
from ..compiler.source import Source
from .console import Terminal

FORMATS = ("text", "json", "sarif", "github")


def show(format: str, diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], terminal: Terminal) -> None:
    """Write diagnostics in one of `FORMATS`; a format of another kind of result (a plan as `dot`) has its faults as text."""
    match format:
        case "json":
            from .render_json import render_json

            terminal.result(render_json(diagnostics, sources))
        case "sarif":
            from .render_sarif import render_sarif

            terminal.result(render_sarif(diagnostics, sources))
        case "github":
            from .render_github import render_github

            if text := render_github(diagnostics, sources):
                terminal.result(text)
        case _:
            from .render import render_text

            render_text(diagnostics, sources, terminal.err)

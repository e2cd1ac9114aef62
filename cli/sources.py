"""The texts of specs, read the one way that places in them rely on: UTF-8, no byte-order mark, line ends kept."""

from collections.abc import Iterable
from pathlib import Path

from ..compiler.diagnostics import Diagnostic
from ..compiler.source import Source


def read_source(path: str) -> Source:
    """The text of a file, named as the user named it; OSError and UnicodeDecodeError are the caller's to word."""
    return Source(path, Path(path).read_bytes().decode("utf-8-sig"))


def sources_of(diagnostics: Iterable[Diagnostic], known: dict[str, Source]) -> dict[str, Source]:
    """The texts that diagnostics point into: those known, and those that can still be read."""
    sources = dict(known)
    for diagnostic in diagnostics:
        for label in (diagnostic.primary, *diagnostic.secondary):
            if label is None or label.span.path in sources:
                continue
            try:
                sources[label.span.path] = read_source(label.span.path)
            except (OSError, ValueError):
                continue
    return sources

"""Adds to a diagnostic in an extended spec the `extends` lines by which the spec being compiled came to it."""

import dataclasses
from collections.abc import Iterable, Mapping

from ..diagnostics import Diagnostic, Label
from ..source import Span


def show_extends(found: Iterable[Diagnostic], links: Mapping[str, Span]) -> list[Diagnostic]:
    """`links` has, for every spec that was extended, the path in the `extends` that did so."""
    return [_shown(d, links) for d in found]


def _shown(diagnostic: Diagnostic, links: Mapping[str, Span]) -> Diagnostic:
    labels = [label for label in (diagnostic.primary, *diagnostic.secondary) if label]
    ways: dict[Span, None] = {}
    for path in dict.fromkeys(label.span.path for label in labels):
        while (link := links.get(path)) is not None and link not in ways:
            ways[link] = None
            path = link.path
    new = tuple(Label(span, "extended here") for span in ways if all(label.span != span for label in labels))
    return dataclasses.replace(diagnostic, secondary=(*diagnostic.secondary, *new)) if new else diagnostic

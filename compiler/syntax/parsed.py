"""The tree of a text that may have been parsed just before: what is asked for several times in one run is read once."""

from functools import lru_cache

from ..diagnostics import Diagnostic, Diagnostics
from ..source import Source
from . import ast
from .parse import parse


def parsed(source: Source, notes: Diagnostics) -> ast.Spec:
    """As `parse`, and remembered for the texts that were asked for last: an editor asks for a file and its parents at each key."""
    spec, found = _parsed(source)
    for diagnostic in found:
        notes.report(diagnostic)
    return spec


@lru_cache(maxsize=64)
def _parsed(source: Source) -> tuple[ast.Spec, tuple[Diagnostic, ...]]:
    notes = Diagnostics()
    return parse(source, notes), tuple(notes)

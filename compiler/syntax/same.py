"""Whether two texts say the same: the same tree, and the same comments in the same order."""

from ..diagnostics import Diagnostics
from ..source import Source
from . import ast
from .parsed import parsed


def same(a: Source, b: Source) -> bool:
    """Whether both parse without errors, to equal trees and comments; spaces at the end of a comment say nothing."""
    read = [_read(source) for source in (a, b)]
    return None not in read and read[0] == read[1]


def _read(source: Source) -> tuple[ast.Spec, list[str]] | None:
    notes = Diagnostics()
    spec = parsed(source, notes)
    return None if notes.has_errors else (spec, [comment.text.rstrip() for comment in spec.comments])

"""What stands on lines of its own in a file or a block, in its order: clauses or declarations, each with its comments, and comments alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..source import Source
from . import ast


@dataclass(frozen=True, slots=True)
class Entry:
    """A clause or declaration, with the comments inside it and the one beside its end; or, where node is None, a comment alone."""

    node: ast.Declaration | ast.Line | None
    comment: str | None
    inside: tuple[ast.Comment, ...] = ()
    blank: bool = False
    """Whether a blank line is before it."""


def entries(nodes: Sequence[ast.Declaration | ast.Line], comments: Sequence[ast.Comment], source: Source) -> list[Entry]:
    """The entries of a file or a block, of which these are all nodes and all comments, in the order of the text."""
    found: list[Entry] = []
    waiting = list(reversed(comments))
    last = 0
    """The line on which the last entry ended."""

    def alone(before: int) -> None:
        nonlocal last
        while waiting and waiting[-1].span.start < before:
            comment = waiting.pop()
            line = source.position(comment.span.start)[0]
            said = comment.text.rstrip()
            if found and not comment.alone:
                found[-1] = replace(found[-1], comment=said)
            else:
                found.append(Entry(None, said, blank=_is_apart(last, line)))
            last = line

    for node in nodes:
        alone(node.span.start)
        inside: list[ast.Comment] = []
        while waiting and waiting[-1].span.start < node.span.end:
            inside.append(waiting.pop())
        blank = _is_apart(last, source.position(node.span.start)[0])
        found.append(Entry(node, None, tuple(inside), blank))
        last = source.position(node.span.end)[0]
    alone(len(source.text) + 1)
    return found


def _is_apart(last: int, line: int) -> bool:
    return last > 0 and line > last + 1

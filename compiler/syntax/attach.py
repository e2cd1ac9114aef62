"""Puts the comments inside a clause to the items they belong to: before one, after one, beside a bracket, or at the end of a group.

A comment beside the end of an item is that item's; any other is the next item's. Parentheses do not count as places, since
canonical text leaves out those that are needless.
"""

from collections.abc import Sequence
from dataclasses import replace

from .ast import Comment
from .document import Group, Item, Text


def attach(text: Text, comments: Sequence[Comment]) -> Text:
    """The words of a clause with its comments, all of which stand inside brackets of it."""
    attached, homeless = _to_text(text, comments)
    assert not homeless, "a comment stands where no bracket is open"
    return attached


def _to_text(text: Text, comments: Sequence[Comment]) -> tuple[Text, list[Comment]]:
    """The text with the comments that stand in its groups, and those that stand in none and belong before it."""
    parts: list[str | Group] = []
    rest = list(comments)
    for part in text:
        if isinstance(part, Group) and (own := [c for c in rest if part.start <= c.span.start < part.end]):
            part, homeless = _to_group(part, own)
            elsewhere = [c for c in rest if not part.start <= c.span.start < part.end]
            rest = sorted(homeless + elsewhere, key=lambda c: c.span.start)
        parts.append(part)
    return tuple(parts), rest


def _to_group(group: Group, comments: list[Comment]) -> tuple[Group, list[Comment]]:
    """The group with its comments, and those that belong before it: a chain of operands begins with its first one."""
    items: list[Item] = []
    opening: str | None = None
    orphans: list[Comment] = []
    end = group.start
    for item in group.items:
        beside, before = _gap([c for c in comments if end <= c.span.start < item.start])
        if beside and items:
            items[-1] = replace(items[-1], after=beside)
        elif beside:
            opening = beside
        text, inside = _to_text(item.text, [c for c in comments if item.start <= c.span.start < item.end])
        if item.start == group.start:
            orphans, inside = inside, []
        items.append(replace(item, text=text, before=(*before, *map(_said, inside))))
        end = item.end
    beside, closing = _gap([c for c in comments if c.span.start >= end])
    if beside and items:
        items[-1] = replace(items[-1], after=beside)
    elif beside:
        opening = beside
    return replace(group, items=tuple(items), opening=opening, closing=closing), orphans


def _gap(comments: list[Comment]) -> tuple[str | None, tuple[str, ...]]:
    """Of the comments between two items: the one beside the first, and those before the second."""
    if comments and not comments[0].alone:
        return _said(comments[0]), tuple(map(_said, comments[1:]))
    return None, tuple(map(_said, comments))


def _said(comment: Comment) -> str:
    return comment.text.rstrip()

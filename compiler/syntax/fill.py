"""Decides where the lines of one clause end: on one line where it fits and no comment forbids, else groups are broken from the outside in."""

import re
from dataclasses import dataclass, field, replace
from unicodedata import east_asian_width

from .document import Group, Item, Text, flat

WIDTH = 100
"""Columns of a line that is not broken."""
STEP = "  "
CLAUSE_LIKE = re.compile(r"(?:where|maximize)(?:\(| -)")
"""What at the start of a line would begin a clause, even inside brackets."""


def fill(text: Text, indent: str, head: str = "") -> list[str]:
    """The lines of a clause that stands at `indent`; `head` is what the first line begins with, indentation included."""
    page = _Page(head or indent)
    page.write(text, indent, 0)
    return [*page.lines, page.line]


def columns(text: str) -> int:
    """How many columns a text takes on a terminal, wide letters being two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def is_commented(text: Text) -> bool:
    """Whether comments stand in a clause, so that it takes several lines."""
    return any(isinstance(p, Group) and (p.has_comments or any(is_commented(i.text) for i in p.items)) for p in text)


@dataclass(slots=True)
class _Page:
    line: str
    lines: list[str] = field(default_factory=list)

    def write(self, text: Text, indent: str, rest: int) -> None:
        """Go on with `text`, after which `rest` columns follow on the line where it ends."""
        for i, part in enumerate(text):
            if isinstance(part, str):
                self.line += part
            else:
                self._group(part, indent, columns(flat(text[i + 1 :])) + rest)

    def _group(self, group: Group, indent: str, rest: int) -> None:
        if group.has_comments:
            self._broken(group, indent)
        elif self._fits(group, rest):
            self.line += flat((group,))
        elif group.breaks:
            self._broken(group, indent)
        else:
            self._inline(group, indent, rest)

    def _fits(self, group: Group, rest: int) -> bool:
        one = (group,)
        return not is_commented(one) and columns(self.line) + columns(flat(one)) + rest <= WIDTH

    def _inline(self, group: Group, indent: str, rest: int) -> None:
        """Items on this line, though one of them is broken itself."""
        self.line += group.brackets[0] if group.shown else ""
        between, after = ", " if group.commas else " ", rest + group.shown
        for i, item in enumerate(group.items):
            following = sum(len(between) + columns(flat(each.text)) for each in group.items[i + 1 :])
            self.line += between if i else ""
            self.write(item.text, indent, following + after)
        self.line += group.brackets[1] if group.shown else ""

    def _broken(self, group: Group, indent: str) -> None:
        """Items one a line, each with the comments before it and the one after it."""
        self.line += group.brackets[0]
        if group.opening:
            self.line += f"  {group.opening}"
        inner = indent + STEP
        items = self._opened(group, inner)
        is_list = group.brackets == "[]"
        likes = [CLAUSE_LIKE.match(flat(item.text)) is not None for item in items]
        for i, item in enumerate(items):
            # What begins like a clause may not begin a line: in a list the comma goes before it, elsewhere a bracket.
            follows_comma = is_list and likes[i]
            if i or not follows_comma:
                self._comments(item.before, inner)
                self._end(inner)
            self.line += ", " if i and follows_comma else ""
            self.write(("(", *item.text, ")") if likes[i] and not is_list else item.text, inner, group.commas)
            self.line += "," if group.commas and not (is_list and i + 1 < len(items) and likes[i + 1]) else ""
            self.line += f"  {item.after}" if item.after else ""
        self._comments(group.closing, inner)
        self._end(indent)
        self.line += group.brackets[1]

    def _opened(self, group: Group, inner: str) -> tuple[Item, ...]:
        """The items of a group; where its only one is a chain that must be broken itself, the operands of that."""
        match group.items:
            case (Item(text=(Group(shown=False, commas=False) as chain,)) as only,) if not group.commas:
                fits = not is_commented(only.text) and columns(inner) + columns(flat(only.text)) <= WIDTH
                if chain.has_comments or (chain.breaks and not fits):
                    first, *between, last = chain.items
                    return (replace(first, before=only.before), *between, replace(last, after=only.after))
        return group.items

    def _comments(self, comments: tuple[str, ...], indent: str) -> None:
        for comment in comments:
            self._end(indent)
            self.line += comment

    def _end(self, indent: str) -> None:
        self.lines.append(self.line.rstrip())
        self.line = indent

"""The text of a clause before it is decided where its lines end: words, and groups of items that may stand one a line.

Knows nothing of the tree it came from, but where in the source its pieces stood, so that comments find their place.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A piece between the commas or operators of a group, with the comments that stand before it and after it.

    `start:end` is where it stood, the parentheses around it left out.
    """

    text: "Text"
    start: int
    end: int
    before: tuple[str, ...] = ()
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Items that stand on one line, or one a line inside `brackets`; a comment at `start:end` and in no item is the group's own."""

    items: tuple[Item, ...]
    start: int
    end: int
    brackets: str = "()"
    shown: bool = False
    """Whether the brackets are written on one line too."""
    commas: bool = False
    """Whether the items are parted by commas; else the items bring their operators."""
    breaks: bool = False
    """Whether it may be broken for want of room, and not only for its comments."""
    opening: str | None = None
    """The comment beside the opening bracket."""
    closing: tuple[str, ...] = ()
    """The comments before the closing one."""

    @property
    def has_comments(self) -> bool:
        """Whether comments of its own keep its items from standing on one line."""
        return bool(self.opening or self.closing or any(item.before or item.after for item in self.items))


Text = tuple[str | Group, ...]


def flat(text: Text) -> str:
    """The text on one line, without its comments."""
    return "".join(part if isinstance(part, str) else _flat_group(part) for part in text)


def _flat_group(group: Group) -> str:
    inner = (", " if group.commas else " ").join(flat(item.text) for item in group.items)
    return f"{group.brackets[0]}{inner}{group.brackets[1]}" if group.shown else inner

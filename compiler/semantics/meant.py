"""What a name that nothing declares was meant to be: the help, and the edit where only one name is near."""

from collections.abc import Iterable
from typing import Protocol, TypedDict

from ..diagnostics import Edit
from ..source import Span
from ..suggest import suggest, sure
from .catalogue import RESERVED


class HasSpan(Protocol):
    @property
    def span(self) -> Span: ...


class Meant(TypedDict):
    """The keywords of `Diagnostics.error` that say what to type instead."""

    help: str | None
    edits: tuple[Edit, ...]


def meant(
    name: str,
    known: Iterable[str],
    span: Span | None,
    otherwise: str | None = None,
    *,
    said: str = "`{}`",
    text: bool = False,
    fits: bool = False,
) -> Meant:
    """`otherwise` is the help where nothing is near; `said` how a name is shown; `text` whether it is written in quotes,
    `fits` whether it may stand as it is though it is no plain name.

    `span` is what an edit replaces, None where another word alone does not mend it.
    """
    names = tuple(known)
    near = suggest(name, names)
    if near is None:
        return {"help": otherwise, "edits": ()}
    written = quoted(near) if text else near
    fits = (fits or text or is_plain(written)) and near == sure(name, names)
    return {"help": f"did you mean {said.format(near)}?", "edits": (Edit(span, written),) if span and fits else ()}


def once(first: object, again: HasSpan) -> Meant:
    """The help for what is said twice; where both say the same, the second can go."""
    if first != again:
        return {"help": "keep one of them", "edits": ()}
    return {"help": "remove one of them: both say the same", "edits": (Edit(again.span, ""),)}


def is_plain(name: str) -> bool:
    """Whether a name can be written without quotes."""
    return name.isascii() and name.isidentifier() and name not in RESERVED and not (name[0] == "p" and name[1:].isdigit())


def quoted(text: str) -> str:
    """A text as a string of the language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def column(name: str) -> str:
    """A column as a setting names it."""
    return name if is_plain(name) else quoted(name)

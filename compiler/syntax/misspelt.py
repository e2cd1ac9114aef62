"""Words that are not the right ones: misspelt, glued together, in capitals, reserved, in quotes or without them. Knows one word at a time."""

from collections.abc import Iterable

from ..diagnostics import Diagnostics, Edit
from ..source import Span
from ..suggest import suggest, sure
from .blocks import homes, keywords, listing
from .numerals import UNITS
from .place import Place
from .tokens import Token

LONGEST_WORD = 40
"""Nothing longer is a misspelt keyword."""


def meant(place: Place, kind: str, text: str | None = None) -> Token:
    """The token that was meant where one does not fit."""
    return Token(kind, text or kind, place.token.start, place.token.end)


def intended(word: str, kind: str) -> str | None:
    """The keyword that the first word of a clause in such a block was meant to be; None where nobody can say."""
    known = keywords(kind)
    return word if word in known or homes(word) else nearest_word(word, known) or glued(word, known)


def glued(word: str, known: Iterable[str]) -> str | None:
    """The keyword that a word begins with, where a space was forgotten after it."""
    return max((k for k in known if word.startswith(k) and len(k) > 1 and len(word) > len(k)), key=len, default=None)


def apart(place: Place, keyword: str, notes: Diagnostics) -> None:
    word = place.token.text
    parted = f"{keyword} {word.removeprefix(keyword)}"
    end = place.token.start + len(keyword)
    edit = Edit(Span(place.source.path, end, end), " ")
    notes.error(
        "MIX0103" if place.kind and not place.at else "MIX0102" if not place.at else "MIX0101",
        f"`{word}` is one word",
        place.span,
        f"`{keyword}` is a word of its own",
        help=f"write `{parted}`",
        edits=(edit,),
    )


def glued_keyword(place: Place) -> str | None:
    """The keyword that a word in the midst of a clause begins with."""
    if place.token.kind != "NAME" or "NAME" in place.accepted:
        return None
    return glued(place.token.text, (word for word in place.accepted if word.isidentifier() and word.islower()))


def twice(place: Place, notes: Diagnostics) -> None:
    assert place.before is not None
    gap = Span(place.source.path, place.before.end, place.token.end)
    word = place.token.text
    notes.error("MIX0101", f"`{word}` stands twice", place.span, "once is enough", help=f"write `{word}` once", edits=(Edit(gap, ""),))


def edits_to(place: Place, known: Iterable[str]) -> tuple[Edit, ...]:
    """The edit to the word that was meant, where no other is near."""
    word = sure(place.token.text, known)
    return (Edit(place.span, word),) if word else ()


def reserved(place: Place, notes: Diagnostics) -> Token | None:
    word = place.token.text
    message = f"`{word}` is reserved and cannot be a name"
    if "STRING" in place.accepted:
        notes.error(
            "MIX0113",
            message,
            place.span,
            "",
            help=f'write `"{word}"` for the column of this name',
            edits=(Edit(place.span, f'"{word}"'),),
        )
        return meant(place, "STRING", f'"{word}"')
    notes.error("MIX0113", message, place.span, "a name is expected here", help="choose another name")
    return None


def unit(place: Place, notes: Diagnostics) -> Token | None:
    word = place.token.text
    known = [u for u in UNITS if u in place.accepted]
    near = nearest_word(word, known)
    help, edits = (f"did you mean `{near}`?", edits_to(place, known)) if near else (None, ())
    notes.error(
        "MIX0114",
        f"`{word}` is not a unit",
        place.span,
        "",
        notes=(f"the units are {listing(tuple(known))}, and `%`",),
        help=help,
        edits=edits,
    )
    return meant(place, near) if near else None


def unquoted(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text
    notes.error(
        "MIX0120",
        f"a string is expected after `{place.said()}`",
        place.span,
        "not in quotes",
        help=f'write `"{word}"`',
        edits=(Edit(place.span, f'"{word}"'),),
    )
    return meant(place, "STRING", f'"{word}"')


def unquoted_skill(place: Place, notes: Diagnostics) -> Token:
    name = place.before
    assert name is not None
    span = Span(place.source.path, name.start, name.end)
    notes.error(
        "MIX0120",
        "the name of a skill is a string",
        span,
        "not in quotes",
        help=f'write `"{name.text}"`',
        edits=(Edit(span, f'"{name.text}"'),),
    )
    return Token("STRING", f'"{name.text}"', name.start, name.end)


def quoted(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text[1:-1]
    notes.error(
        "MIX0120",
        f"a name is expected after `{place.said()}`, without quotes",
        place.span,
        "a string",
        help=f"write `{word}`",
        edits=(Edit(place.span, word),),
    )
    return meant(place, "NAME", word)


def capitals(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text.lower()
    notes.error(
        "MIX0101",
        f"`{place.token.text}` is written `{word}`",
        place.span,
        "keywords are in small letters",
        help=f"write `{word}`",
        edits=(Edit(place.span, word),),
    )
    return meant(place, word)


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    return suggest(word, known) if len(word) <= LONGEST_WORD else None


def misspelt(place: Place, notes: Diagnostics) -> Token:
    near = near_keyword(place)
    assert near is not None
    notes.error(
        "MIX0101",
        f"expected `{near}` after `{place.said()}`",
        place.span,
        f"found `{place.token.text}`",
        help=f"did you mean `{near}`?",
        edits=edits_to(place, (word for word in place.accepted if word.isidentifier() and word.islower())),
    )
    return meant(place, near)


def near_keyword(place: Place) -> str | None:
    """The keyword that a word in the midst of a clause is nearly."""
    if place.token.kind != "NAME" or "NAME" in place.accepted or len(place.token.text) < 3:
        return None
    return nearest_word(place.token.text, (word for word in place.accepted if word.isidentifier() and word.islower()))

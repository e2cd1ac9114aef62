"""Signs that other formats ask for and this language does not: a colon or `=` behind a keyword, a comma at the end. Each can go."""

from ..diagnostics import Diagnostics, Edit
from ..source import Span
from .place import Place
from .tokens import END, NEWLINE, Token

SKIPPED = "SKIPPED"
"""The kind of what `explain` answers where the clause can be read without the token."""
LONGEST_LINE = 60


def is_assigned(place: Place) -> bool:
    """Whether a colon or `=` stands behind the keyword of a clause."""
    return place.at == 1 and place.token.kind in (":", "=") and not place.accepted & {":", "=", "=="}


def assigned(place: Place, notes: Diagnostics) -> Token:
    sign = "colon" if place.token.kind == ":" else "`=`"
    what = {"": "declaration", "select": "clause"}.get(place.kind, "setting")
    text, end = place.source.text, place.clause[-1].end
    keyword, rest = place.clause[0].text, text[place.token.end : end].strip().removesuffix(",")
    fits = rest and "\n" not in rest and len(rest) <= LONGEST_LINE
    gap = "" if text[place.token.end : place.token.end + 1].isspace() or not rest else " "
    notes.error(
        "MIX0101",
        f"a {what} has no {sign}",
        place.span,
        "",
        help=f"write `{keyword} {rest}`" if fits else "remove it",
        edits=(_without(place, gap),),
    )
    return _skipped(place)


def is_last_comma(place: Place) -> bool:
    """Whether a clause or a block that is complete has a comma behind it."""
    return place.token.kind == "," and place.at == len(place.clause) - 1 > 0 and bool(place.accepted & {NEWLINE, END})


def last_comma(place: Place, notes: Diagnostics) -> Token:
    block = place.before is not None and place.before.kind == "}"
    message = "a block ends with its `}`, not with a comma" if block else "a clause ends with its line, not with a comma"
    notes.error("MIX0101", message, place.span, "", help="remove it", edits=(_without(place, ""),))
    return _skipped(place)


def _without(place: Place, gap: str) -> Edit:
    start = place.before.end if place.before else place.token.start
    return Edit(Span(place.source.path, start, place.token.end), gap)


def _skipped(place: Place) -> Token:
    return Token(SKIPPED, "", place.token.start, place.token.end)

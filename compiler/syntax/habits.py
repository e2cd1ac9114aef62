"""Signs that other formats ask for and this language does not: a colon or `=` behind a keyword, a comma at the end. Each can go."""

from ..diagnostics import Diagnostics, Edit
from ..source import Span
from .blocks import keywords
from .place import Place
from .tokens import END, NEWLINE, Token

SKIPPED = "SKIPPED"
"""The kind of what `explain` answers where the clause can be read without the token."""
LONGEST_LINE = 60


def is_assigned(place: Place) -> bool:
    """Whether a colon stands behind a keyword, or `=` behind that of the clause."""
    before, sign = place.before, place.token.kind
    if before is None or before.kind != before.text or not before.text.isidentifier() or place.accepted & {":", "=", "=="}:
        return False
    return sign == ":" or (sign == "=" and place.at == 1)


def assigned(place: Place, notes: Diagnostics) -> Token:
    sign = "colon" if place.token.kind == ":" else "`=`"
    what = {"": "declaration", "select": "clause"}.get(place.kind, "setting")
    value, text = _value(place), place.source.text
    keyword, rest = place.clause[0].text, text[value[0].start : value[-1].end] if value else ""
    fits = place.at == 1 and rest and "\n" not in rest and len(rest) <= LONGEST_LINE
    gap = "" if text[place.token.end : place.token.end + 1].isspace() or place.at + 1 == len(place.clause) else " "
    notes.error(
        "MIX0101",
        f"a {what} has no {sign}",
        place.span,
        "",
        help=f"write `{keyword} {rest}`" if fits else "remove it",
        edits=(_without(place, gap),),
    )
    return _skipped(place)


def _value(place: Place) -> list[Token]:
    """What follows the sign, up to a comma; nothing where another such sign is in it."""
    found: list[Token] = []
    depth = 0
    for token in place.clause[place.at + 1 :]:
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        if depth == 0 and token.kind == ",":
            break
        if depth == 0 and token.kind == ":":
            return []
        found.append(token)
    return found


def is_last_comma(place: Place) -> bool:
    """Whether a clause or a block that is complete has a comma behind it."""
    return place.token.kind == "," and place.at == len(place.clause) - 1 > 0 and bool(place.accepted & {NEWLINE, END})


def last_comma(place: Place, notes: Diagnostics) -> Token:
    block = place.before is not None and place.before.kind == "}"
    message = "a block ends with its `}`, not with a comma" if block else "a clause ends with its line, not with a comma"
    notes.error("MIX0101", message, place.span, "", help="remove it", edits=(_without(place, ""),))
    return _skipped(place)


def is_comma_between(place: Place) -> bool:
    """Whether a comma parts a clause that is complete from the next on its line."""
    following = place.clause[place.at + 1 : place.at + 2]
    return place.token.kind == "," and NEWLINE in place.accepted and bool(following) and following[0].text in keywords(place.kind)


def comma_between(place: Place, notes: Diagnostics) -> Token:
    following, before = place.clause[place.at + 1], place.before
    edit = Edit(Span(place.source.path, before.end if before else place.token.start, following.start), "\n  " if place.kind else "\n")
    help = f"put `{following.text}` on a line of its own"
    notes.error("MIX0115", "two clauses are parted by a new line, not by a comma", place.span, "", help=help, edits=(edit,))
    return Token(NEWLINE, "", place.token.start, place.token.end)


def is_list_otherwise(place: Place) -> bool:
    """Whether something else stands where a list must."""
    return place.before is not None and place.before.kind == "in" and "[" in place.accepted


def list_otherwise(place: Place, notes: Diagnostics) -> None:
    """A list in round brackets has its edit; a name, a text or a param where the values must stand has none."""
    close = next((t for t in place.clause[place.at + 1 :] if t.kind in ("(", ")", "[", "]")), None)
    if place.token.kind != "(" or close is None or close.kind != ")":
        found = f"found `{place.token.text}`" if place.token.text else "the list is missing"
        notes.error("MIX0101", "`in` needs a list of values", place.span, found, help='write the values out, as in `in ["a", "b"]`')
        return
    listed = f"[{place.source.text[place.token.end : close.start]}]"
    help = f"write `in {listed}`" if len(listed) <= LONGEST_LINE and "\n" not in listed else "write `[` and `]`"
    edits = (Edit(place.span, "["), Edit(Span(place.source.path, close.start, close.end), "]"))
    notes.error("MIX0101", "a list stands in square brackets", place.span, "", help=help, edits=edits)


def is_removed_outside(place: Place) -> bool:
    """Whether `remove` of a clause of `select` stands among the declarations."""
    return place.at == 1 and not place.kind and place.clause[0].kind == "remove" and place.token.text in keywords("select")


def removed_outside(place: Place, notes: Diagnostics) -> None:
    what = place.token.text
    message = f"`{what}` is a clause of `select`, and is removed there"
    notes.error("MIX0103", message, place.span, "not a declaration", help=f"write `remove {what} …` inside `select {{`")


def _without(place: Place, gap: str) -> Edit:
    start = place.before.end if place.before else place.token.start
    return Edit(Span(place.source.path, start, place.token.end), gap)


def _skipped(place: Place) -> Token:
    return Token(SKIPPED, "", place.token.start, place.token.end)

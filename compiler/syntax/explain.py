"""Why a token does not fit, in the user's words, and what was probably meant. Knows the language's habits, not how to go on."""

from collections.abc import Callable

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from .blocks import FILE, homes, keywords, listing, title
from .expected import expectation
from .habits import (
    assigned,
    comma_between,
    is_assigned,
    is_comma_between,
    is_last_comma,
    is_list_otherwise,
    is_removed_outside,
    last_comma,
    list_otherwise,
    removed_outside,
)
from .misspelt import (
    apart,
    capitals,
    edits_to,
    glued,
    glued_keyword,
    meant,
    misspelt,
    near_keyword,
    nearest_word,
    quoted,
    reserved,
    twice,
    unit,
    unquoted,
    unquoted_skill,
)
from .place import Place, form
from .tokens import END, NEWLINE, Token

RESERVED = frozenset(("and", "or", "not", "in", "matches", "contains", "within", "rank", "true", "false", "none"))
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


ELSEWHERE = {
    "like": 'write `contains "…"`, or `matches "…"` with a regular expression',
    "startswith": 'write `matches "^…"`',
    "endswith": 'write `matches "…$"`',
    "is": "write `==` or `!=`; rows without a value drop out of a comparison by themselves",
    "between": "write two comparisons, joined with `and`",
    "desc": "best is always highest; write `-` before an expression for the lowest",
    "asc": "best is always highest; write `-` before an expression for the lowest",
}
"""Operators of other languages, and what is written here."""
Explainer = Callable[[Place, Diagnostics], Token | None]


def explain(place: Place, notes: Diagnostics) -> Token | None:
    """Report what is wrong at a place; the token that was meant, where that is plain."""
    for applies, explainer in EXPLAINERS:
        if applies(place):
            return explainer(place, notes)
    _expected(place, notes)
    return None


def _is_word(token: Token) -> bool:
    return token.text.isidentifier()


def _line_start(place: Place, notes: Diagnostics) -> Token | None:
    known = keywords(place.kind)
    word = place.token.text
    where = f"`{title(place.kind)}`" if place.kind else "a spec"
    if not _is_word(place.token):
        shown = f"`{word}`" if word else "the end of the file"
        notes.error(
            "MIX0101",
            f"{'a clause' if place.kind else 'a declaration'} starts with a keyword, not with {shown}",
            place.span,
            "",
            notes=(f"{where} holds {listing(known)}",),
            help="a comment starts with `#`" if place.source.text.startswith(("/*", "*/", "--", "<!--"), place.token.start) else None,
        )
        return None
    others = tuple(kind for kind in homes(word) if kind != place.kind)
    if place.kind and word in keywords(FILE) and any(t.kind == "{" for t in place.clause):
        notes.error(
            "MIX0103",
            f"`{word}` is a declaration and cannot stand inside {where}",
            place.span,
            "",
            help="close the block with `}` first",
        )
        return None
    near = nearest_word(word, known)
    if near is None and not others and (keyword := glued(word, known)):
        return apart(place, keyword, notes)
    if near is None and others and word != "remove":
        owners = " or ".join(f"`{title(kind)}`" for kind in others)
        message = f"`{word}` is not a clause of {where}" if place.kind else f"`{word}` stands outside a block"
        notes.error("MIX0103", message, place.span, f"it belongs in {owners}", notes=(f"{where} holds {listing(known)}",))
        return None
    code, message = ("MIX0103", f"`{word}` is not a clause of {where}") if place.kind else ("MIX0102", f"no declaration is called `{word}`")
    if near is None:
        notes.error(code, message, place.span, "", notes=(f"{where} holds {listing(known)}",))
        return None
    notes.error(
        code,
        message,
        place.span,
        "",
        notes=(f"{where} holds {listing(known)}",),
        help=f"did you mean `{near}`?",
        edits=edits_to(place, known),
    )
    return meant(place, near)


def _equals(place: Place, notes: Diagnostics) -> Token:
    written = place.token.text
    right = ":" if ":" in place.accepted and written == "=" else "==" if written == "=" else "="
    why = {
        ":": f"the value of an argument follows a `:`, not a `{written}`",
        "==": "equality is written `==`",
        "=": "a single `=` is meant here" if written == "==" else f"the value of a {place.clause[0].text} follows a `=`, not a `:`",
    }[right]
    touches = ":" in (right, written)
    start = place.before.end if touches and place.before else place.token.start
    edit = Edit(Span(place.source.path, start, place.token.end), " =" if written == ":" else right)
    notes.error("MIX0111", why, place.span, "", help=f"write `{right}`", edits=(edit,))
    return meant(place, right)


def _chain(place: Place, notes: Diagnostics) -> None:
    first = max(i for i, t in enumerate(place.clause[: place.at]) if t.kind in COMPARISONS)
    middle = place.clause[first + 1 : place.at]
    help, edits = "write `a < b and b < c`", ()
    if len(middle) == 1 or (len(middle) == 2 and middle[0].kind == "NUMBER"):
        text = place.source.text[middle[0].start : middle[-1].end]
        at = middle[-1].end
        help, edits = f"write `… {text} and {text} {place.token.text} …`", (Edit(Span(place.source.path, at, at), f" and {text}"),)
    notes.error("MIX0112", "comparisons do not chain", place.span, "a second comparison", help=help, edits=edits)


def _second_quantile(place: Place, notes: Diagnostics) -> None:
    after = place.before if place.token.kind != "QUANTILE" else None
    span = Span(place.source.path, after.start, place.token.end) if after else place.span
    help, edits = "write `score >= p20`, or `score >= p20 within teacher`", ()
    following = place.clause[place.at + 1 : place.at + 4]
    if [t.kind for t in following[:2]] in ([o, "NAME"] for o in FLIPPED) and (len(following) == 2 or following[2].kind in ("and", "or")):
        flipped = f"{following[1].text} {FLIPPED[following[0].kind]} {place.token.text}"
        help, edits = f"write `{flipped}`", (Edit(Span(place.source.path, place.token.start, following[1].end), flipped),)
    notes.error(
        "MIX0119",
        "a quantile stands alone on the right of a comparison",
        span,
        "not alone" if after else "cannot stand here",
        help=help,
        edits=edits,
    )


def _after_block(place: Place, notes: Diagnostics) -> Token:
    notes.error(
        "MIX0115",
        "nothing may follow `}` on its line",
        place.span,
        "",
        help="put it on a line of its own",
        edits=(Edit(Span(place.source.path, place.clause[place.at - 1].end, place.token.start), "\n"),),
    )
    return _break(place)


def _break(place: Place) -> Token:
    """The line end that was forgotten before the token."""
    return Token(NEWLINE, "", place.token.start, place.token.start)


def _surplus(place: Place, notes: Diagnostics) -> Token | None:
    word = place.token.text
    begins = word in keywords(place.kind)
    label = "begins another clause" if begins else "one value too many"
    help = "put it on a line of its own" if begins else "a setting takes one value; write the next clause on a line of its own"
    if place.token.kind == "{":
        label, help = "no block belongs here", "remove it"
    elif not begins and "and" in place.accepted:
        label, help = (
            "an operator is missing before it",
            "join two conditions with `and`, or write the next clause on a line of its own",
        )
        if instead := ELSEWHERE.get(word.lower()):
            label, help = "no operator here", instead
    elif not begins and (written := form(place)):
        label, help = "does not belong here", written
    edits = (
        (
            Edit(
                Span(place.source.path, place.clause[place.at - 1].end, place.token.start),
                "\n  " if place.kind else "\n",
            ),
        )
        if begins
        else ()
    )
    notes.error("MIX0115", f"`{place.said()}` ends before `{word}`", place.span, label, help=help, edits=edits)
    return _break(place) if begins else None


def _expected(place: Place, notes: Diagnostics) -> None:
    what = expectation(place.accepted)
    message = f"expected {what} after `{place.said()}`"
    token, before = place.token, place.before
    if token.kind in (NEWLINE, END) and before is not None:
        end = Span(place.source.path, before.start, before.end)
        notes.error("MIX0101", message, end, "the line ends here", help=form(place))
        return
    if token.lost and before is not None:
        return
    first = Label(Span(place.source.path, place.clause[0].start, place.clause[0].end), "in this clause")
    far = place.source.position(place.clause[0].start)[0] != place.source.position(token.start)[0]
    notes.error("MIX0101", message, place.span, f"found `{token.text}`", secondary=(first,) if far else (), help=form(place))


def _follows_number(place: Place) -> bool:
    before = place.before
    return before is not None and before.kind in ("NUMBER", "PARAM") and "examples" in place.accepted and _is_word(place.token)


def _is_second_comparison(place: Place) -> bool:
    return place.token.kind in COMPARISONS and "and" in place.accepted and any(t.kind in COMPARISONS for t in place.clause[: place.at])


EXPLAINERS: tuple[tuple[Callable[[Place], bool], Explainer], ...] = (
    (is_last_comma, last_comma),
    (is_comma_between, comma_between),
    (lambda p: p.before is not None and p.before.kind == "}", _after_block),
    (lambda p: p.at == 0, _line_start),
    (is_removed_outside, removed_outside),
    (is_list_otherwise, list_otherwise),
    (is_assigned, assigned),
    (lambda p: p.token.kind == "=" and bool(p.accepted & {"==", ":"}), _equals),
    (lambda p: p.token.kind == "==" and "=" in p.accepted, _equals),
    (lambda p: p.token.kind == ":" and "=" in p.accepted and p.clause[0].kind in ("param", "score"), _equals),
    (_is_second_comparison, _chain),
    (lambda p: p.token.kind == "NAME" and "NAME" not in p.accepted and p.token.text.lower() in p.accepted, capitals),
    (lambda p: p.token.kind == "QUANTILE" and {"NUMBER", "("} <= p.accepted, _second_quantile),
    (
        lambda p: p.token.kind in ("+", "-", "*", "/") and p.before is not None and p.before.kind == "QUANTILE",
        _second_quantile,
    ),
    (lambda p: p.token.kind in RESERVED | {"QUANTILE"} and "NAME" in p.accepted and "(" not in p.accepted, reserved),
    (lambda p: _follows_number(p) and p.token.kind not in keywords(p.kind), unit),
    (
        lambda p: (
            p.token.kind in COMPARISONS | {"=", "NUMBER", "PERCENT"}
            and p.at >= 3
            and p.clause[p.at - 2].kind == "skill"
            and _is_word(p.clause[p.at - 1])
        ),
        unquoted_skill,
    ),
    (lambda p: _is_word(p.token) and "STRING" in p.accepted and not p.accepted & {"NAME", "NUMBER"}, unquoted),
    (
        lambda p: (
            p.token.kind == "STRING"
            and p.token.text[1:-1].isidentifier()
            and p.token.text.isascii()
            and "NAME" in p.accepted
            and not p.accepted & {"STRING"}
        ),
        quoted,
    ),
    (lambda p: p.token.kind in ("and", "or") and p.before is not None and p.before.kind == p.token.kind, twice),
    (lambda p: near_keyword(p) is not None, misspelt),
    (lambda p: glued_keyword(p) is not None, lambda p, notes: apart(p, glued_keyword(p) or "", notes)),
    (lambda p: NEWLINE in p.accepted and p.token.kind not in (NEWLINE, END), _surplus),
)

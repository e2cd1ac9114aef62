"""Why a token does not fit, in the user's words, and what was probably meant. Knows the language's habits, not how to go on."""

from collections.abc import Callable, Iterable

from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from ..suggest import suggest
from .blocks import FILE, homes, keywords, listing, title
from .expected import expectation
from .numerals import UNITS
from .place import Place, form
from .tokens import END, NEWLINE, Token

RESERVED = frozenset(("and", "or", "not", "in", "matches", "contains", "within", "rank", "true", "false", "none"))
LONGEST_WORD = 40
"""Nothing longer is a misspelt keyword."""
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


Explainer = Callable[[Place, Diagnostics], Token | None]


def explain(place: Place, notes: Diagnostics) -> Token | None:
    """Report what is wrong at a place; the token that was meant, where that is plain."""
    for applies, explainer in EXPLAINERS:
        if applies(place):
            return explainer(place, notes)
    _expected(place, notes)
    return None


def _meant(place: Place, kind: str, text: str | None = None) -> Token:
    return Token(kind, text or kind, place.token.start, place.token.end)


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
    near = _suggest(word, known)
    if near is None and others and word != "remove":
        owners = " and ".join(f"`{title(kind)}`" for kind in others)
        message = f"`{word}` is not a clause of {where}" if place.kind else f"`{word}` stands outside a block"
        notes.error(
            "MIX0103", message, place.span, f"it belongs in {owners}", notes=(f"{where} holds {listing(known)}",)
        )
        return None
    code, message = (
        ("MIX0103", f"`{word}` is not a clause of {where}")
        if place.kind
        else ("MIX0102", f"no declaration is called `{word}`")
    )
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
        edits=(Edit(place.span, near),),
    )
    return _meant(place, near)


def _equals(place: Place, notes: Diagnostics) -> Token:
    written = place.token.text
    meant = ":" if ":" in place.accepted and written == "=" else "==" if written == "=" else "="
    why = {
        ":": f"the value of an argument follows a `:`, not a `{written}`",
        "==": "equality is written `==`",
        "=": "a single `=` is meant here",
    }[meant]
    start = place.before.end if meant == ":" and place.before else place.token.start
    edit = Edit(Span(place.source.path, start, place.token.end), meant)
    notes.error("MIX0111", why, place.span, "", help=f"write `{meant}`", edits=(edit,))
    return _meant(place, meant)


def _chain(place: Place, notes: Diagnostics) -> None:
    notes.error(
        "MIX0112", "comparisons do not chain", place.span, "a second comparison", help="write `a < b and b < c`"
    )


def _second_quantile(place: Place, notes: Diagnostics) -> None:
    after = place.before if place.token.kind != "QUANTILE" else None
    span = Span(place.source.path, after.start, place.token.end) if after else place.span
    notes.error(
        "MIX0119",
        "a quantile stands alone on the right of a comparison",
        span,
        "not alone" if after else "cannot stand here",
        help="write `score >= p20`, or `score >= p20 within teacher`",
    )


def _reserved(place: Place, notes: Diagnostics) -> Token | None:
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
        return _meant(place, "STRING", f'"{word}"')
    notes.error("MIX0113", message, place.span, "a name is expected here", help="choose another name")
    return None


def _unit(place: Place, notes: Diagnostics) -> Token | None:
    word = place.token.text
    known = [u for u in UNITS if u in place.accepted]
    near = _suggest(word, known)
    help, edits = (f"did you mean `{near}`?", (Edit(place.span, near),)) if near else (None, ())
    notes.error(
        "MIX0114",
        f"`{word}` is not a unit",
        place.span,
        "",
        notes=(f"the units are {listing(tuple(known))}, and `%`",),
        help=help,
        edits=edits,
    )
    return _meant(place, near) if near else None


def _unquoted(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text
    notes.error(
        "MIX0120",
        f"a string is expected after `{place.said()}`",
        place.span,
        "not in quotes",
        help=f'write `"{word}"`',
        edits=(Edit(place.span, f'"{word}"'),),
    )
    return _meant(place, "STRING", f'"{word}"')


def _unquoted_skill(place: Place, notes: Diagnostics) -> None:
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


def _quoted(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text[1:-1]
    notes.error(
        "MIX0120",
        f"a name is expected after `{place.said()}`, without quotes",
        place.span,
        "a string",
        help=f"write `{word}`",
        edits=(Edit(place.span, word),),
    )
    return _meant(place, "NAME", word)


def _capitals(place: Place, notes: Diagnostics) -> Token:
    word = place.token.text.lower()
    notes.error(
        "MIX0101",
        f"`{place.token.text}` is written `{word}`",
        place.span,
        "keywords are in small letters",
        help=f"write `{word}`",
        edits=(Edit(place.span, word),),
    )
    return _meant(place, word)


def _suggest(word: str, known: Iterable[str]) -> str | None:
    return suggest(word, known) if len(word) <= LONGEST_WORD else None


def _misspelt(place: Place, notes: Diagnostics) -> Token:
    near = _near(place)
    assert near is not None
    notes.error(
        "MIX0101",
        f"expected `{near}` after `{place.said()}`",
        place.span,
        f"found `{place.token.text}`",
        help=f"did you mean `{near}`?",
        edits=(Edit(place.span, near),),
    )
    return _meant(place, near)


def _near(place: Place) -> str | None:
    """The keyword that a word in the midst of a clause is nearly."""
    if place.token.kind != "NAME" or "NAME" in place.accepted or len(place.token.text) < 3:
        return None
    return _suggest(place.token.text, (word for word in place.accepted if word.isidentifier() and word.islower()))


def _after_block(place: Place, notes: Diagnostics) -> None:
    notes.error(
        "MIX0115",
        "nothing may follow `}` on its line",
        place.span,
        "",
        help="put it on a line of its own",
        edits=(Edit(Span(place.source.path, place.clause[place.at - 1].end, place.token.start), "\n"),),
    )


def _surplus(place: Place, notes: Diagnostics) -> None:
    word = place.token.text
    begins = word in keywords(place.kind)
    label = "begins another clause" if begins else "one value too many"
    help = (
        "put it on a line of its own"
        if begins
        else "a setting takes one value; write the next clause on a line of its own"
    )
    if place.token.kind == "{":
        label, help = "no block belongs here", "remove it"
    elif not begins and "and" in place.accepted:
        label, help = (
            "an operator is missing before it",
            "join two conditions with `and`, or write the next clause on a line of its own",
        )
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
    notes.error(
        "MIX0101", message, place.span, f"found `{token.text}`", secondary=(first,) if far else (), help=form(place)
    )


def _follows_number(place: Place) -> bool:
    before = place.before
    return (
        before is not None
        and before.kind in ("NUMBER", "PARAM")
        and "examples" in place.accepted
        and _is_word(place.token)
    )


def _is_second_comparison(place: Place) -> bool:
    return (
        place.token.kind in COMPARISONS
        and "and" in place.accepted
        and any(t.kind in COMPARISONS for t in place.clause[: place.at])
    )


EXPLAINERS: tuple[tuple[Callable[[Place], bool], Explainer], ...] = (
    (lambda p: p.before is not None and p.before.kind == "}", _after_block),
    (lambda p: p.at == 0, _line_start),
    (lambda p: p.token.kind == "=" and bool(p.accepted & {"==", ":"}), _equals),
    (lambda p: p.token.kind == "==" and "=" in p.accepted, _equals),
    (_is_second_comparison, _chain),
    (lambda p: p.token.kind == "NAME" and "NAME" not in p.accepted and p.token.text.lower() in p.accepted, _capitals),
    (lambda p: p.token.kind == "QUANTILE" and {"NUMBER", "("} <= p.accepted, _second_quantile),
    (
        lambda p: p.token.kind in ("+", "-", "*", "/") and p.before is not None and p.before.kind == "QUANTILE",
        _second_quantile,
    ),
    (lambda p: p.token.kind in RESERVED | {"QUANTILE"} and "NAME" in p.accepted and "(" not in p.accepted, _reserved),
    (lambda p: _follows_number(p) and p.token.kind not in keywords(p.kind), _unit),
    (
        lambda p: (
            p.token.kind in COMPARISONS | {"=", "NUMBER", "PERCENT"}
            and p.at >= 3
            and p.clause[p.at - 2].kind == "skill"
            and _is_word(p.clause[p.at - 1])
        ),
        _unquoted_skill,
    ),
    (lambda p: _is_word(p.token) and "STRING" in p.accepted and not p.accepted & {"NAME", "NUMBER"}, _unquoted),
    (
        lambda p: (
            p.token.kind == "STRING"
            and p.token.text[1:-1].isidentifier()
            and p.token.text.isascii()
            and "NAME" in p.accepted
            and not p.accepted & {"STRING"}
        ),
        _quoted,
    ),
    (lambda p: _near(p) is not None, _misspelt),
    (lambda p: NEWLINE in p.accepted and p.token.kind not in (NEWLINE, END), _surplus),
)

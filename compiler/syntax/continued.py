"""A clause that goes on over lines without the brackets that it needs for that: whether it does, and what is said of it."""

from ..diagnostics import Diagnostics, Edit
from ..source import Source, Span
from .tokens import Token

JOINS = frozenset(("==", "!=", "<", "<=", ">", ">=", "+", "*", "/", "and", "or", "in", "matches", "contains", "within"))
"""What stands between two terms, so that no clause ends with it or begins with it."""
STARTS = {"where": "where", "teacher": "where", "heldout": "where", "maximize": "maximize", "keep": "by"}
"""By the keyword of a clause, the word after which its expression begins."""


def goes_on(line: list[Token], first: Token, *, begins_clause: bool) -> bool:
    """Whether a clause, given up to the end of a line, goes on with the `first` token of the next; `begins_clause`: that could begin one as well."""
    if not line or line[-1].kind in ("{", "}"):
        return False
    if first.kind in JOINS:
        return len(line) > 1
    joined = line[-1].kind in JOINS | {"not"} or (line[-1].kind == "=" and line[0].kind in ("score", "param"))
    return joined and len(line) > 1 and not begins_clause and first.kind != "{"


def report(source: Source, line: list[Token], at: Token, notes: Diagnostics) -> None:
    """Say of a whole clause that it went on behind the token `at`, with the brackets as the edit."""
    word = STARTS.get(line[0].kind)
    begin = next((i for i, token in enumerate(line) if token.kind == word), None) if word else None
    edits: tuple[Edit, ...] = ()
    help = "write it on one line"
    if begin is not None and begin + 1 < len(line):
        first, last = line[begin + 1].start, line[-1].end
        edits = (Edit(Span(source.path, first, first), "("), Edit(Span(source.path, last, last), ")"))
        help = f"write `{line[begin].text} ( … )`: inside brackets lines do not end a clause"
    notes.error("MIX0101", "a clause ends at the end of its line", Span(source.path, at.start, at.end), "and this one goes on", help=help, edits=edits)

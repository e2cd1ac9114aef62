"""What each word of a file is, for editors that colour by meaning."""

from dataclasses import dataclass

from ..diagnostics import Diagnostics
from ..source import Span
from ..syntax.automaton import load
from ..syntax.parse import LARGEST
from ..syntax.tokens import tokenize
from .project import File

KINDS = ("keyword", "variable", "parameter", "class", "namespace", "function", "property", "enumMember", "string", "number", "comment")
"""The names of the protocol's token types, in the order in which they are numbered."""
_OF_SYMBOL = {
    "score": "variable", "param": "parameter", "student": "class", "teacher": "class", "corpus": "namespace", "skills": "namespace",
    "scorer": "function", "argument": "parameter", "role": "property", "column": "property", "word": "enumMember", "benchmark": "namespace",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Highlight:
    """`declares`: the name is declared at this place."""

    span: Span
    kind: str
    declares: bool = False


def highlight(file: File) -> tuple[Highlight, ...]:
    """The words in their order, none of them over the end of a line."""
    path = file.path
    if len(file.source.text) > LARGEST:
        return ()
    tokens, comments = tokenize(file.source, Diagnostics())
    names = {o.span.start: o for o in file.names}
    words = load().words
    found = [Highlight(c.span, "comment") for c in comments]
    for token in tokens:
        span = Span(path, token.start, token.end)
        symbol = names.get(token.start + token.text.startswith("$"))
        if token.lost or token.end == token.start:
            continue
        if token.kind == "STRING":
            found.append(Highlight(span, "string"))
        elif symbol is not None and symbol.symbol.kind in _OF_SYMBOL:
            kind = "keyword" if symbol.symbol.kind == "role" and symbol.whole else _OF_SYMBOL[symbol.symbol.kind]
            found.append(Highlight(span, kind, symbol.whole is not None and kind != "keyword"))
        elif token.kind in ("NUMBER", "PERCENT", "QUANTILE"):
            found.append(Highlight(span, "number"))
        elif token.kind in words:
            found.append(Highlight(span, "keyword"))
    return tuple(sorted(found, key=lambda h: h.span.start))

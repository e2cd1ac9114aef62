"""The text of a spec as HTML: coloured as everywhere, numbered, and what was said of it under the lines that it was said of."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...compiler.source import Source
from ...grammar.pygments import MixLexer
from ..report.values import Mark, Text
from .markup import Html, html, tag

STYLES = (
    ("Token.Keyword.Type", "unit"), ("Token.Keyword.Constant", "number"), ("Token.Keyword", "keyword"), ("Token.Name.Function", "scorer"),
    ("Token.Name.Class", "given"), ("Token.Name.Constant", "given"), ("Token.Name.Attribute", "argument"), ("Token.Name.Variable.Global", "given"), ("Token.Name", "named"),
    ("Token.Literal.String", "string"), ("Token.Literal.Number", "number"), ("Token.Comment", "comment"), ("Token.Operator.Word", "keyword"), ("Token.Operator", "operator"),
)  # fmt: skip
"""Kinds of token, the narrower first, and the classes of the page."""


def highlighted(text: Text, marks: Sequence[Mark]) -> Html:
    """The lines of a text; `marks` are those of this text."""
    source = Source(text.path, text.text)
    styled = _styled(text.text)
    below: dict[int, list[Mark]] = {}
    for mark in marks:
        below.setdefault(source.position(min(mark.start, len(text.text)))[0], []).append(mark)
    drawn = []
    lines = len(source.starts) - (text.text.endswith("\n") or not text.text)
    for number in range(1, lines + 1):
        line = tag("code", *_line(source, number, styled, marks))
        drawn.append(tag("div", tag("span", str(number), class_="no"), line, class_="line"))
        drawn += [_said(mark) for mark in below.get(number, ()) if mark.message]
    return tag("div", *drawn, class_="spec")


def _styled(text: str) -> list[tuple[int, int, str | None]]:
    """Ranges of the text, in order and without a gap, with their classes."""
    found = []
    for start, kind, value in MixLexer().get_tokens_unprocessed(text):
        named = next((style for begins, style in STYLES if str(kind).startswith(begins)), None)
        found.append((start, start + len(value), named))
    return found


def _line(source: Source, number: int, styled: Sequence[tuple[int, int, str | None]], marks: Sequence[Mark]) -> Iterator[Html]:
    start = source.starts[number - 1]
    end = start + len(source.line(number))
    here = [m for m in marks if m.start < end and m.end > start]
    cuts = sorted({start, end, *(cut for m in here for cut in (m.start, m.end) if start < cut < end)})
    low = _first(styled, start)
    for one, other in pairwise(cuts):
        over = next((m for m in here if m.start <= one and m.end >= other), None)
        pieces = []
        place = low
        while place < len(styled) and styled[place][0] < other:
            begins, ends, style = styled[place]
            if ends > one:
                words = source.text[max(begins, one) : min(ends, other)]
                pieces.append(html(words) if style is None else tag("span", words, class_=f"k-{style}"))
            place += 1
        whole = html(*pieces)
        yield whole if over is None else tag("u", whole, class_=over.severity, title=over.label or None)


def _first(styled: Sequence[tuple[int, int, str | None]], start: int) -> int:
    """The number of the first range that ends behind `start`."""
    low, high = 0, len(styled)
    while low < high:
        middle = (low + high) // 2
        if styled[middle][1] <= start:
            low = middle + 1
        else:
            high = middle
    return low


def said(mark: Mark) -> Html:
    """What was said, as a diagnostic is drawn."""
    head = html(f"{mark.severity}{f'[{mark.code}]' if mark.code else ''}")
    more = [tag("span", tag("i", "= note: "), each) for each in mark.notes] + ([tag("span", tag("i", "= help: "), mark.help)] if mark.help else [])
    return tag("div", tag("span", tag("b", head), f": {mark.message}"), *more, class_=f"said {mark.severity}")


_said = said

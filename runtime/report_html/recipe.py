"""The recipe as it was when it was built, with what was said of it."""

from ..report.values import Report
from .highlight import highlighted, said
from .markup import Html, html, note, tag


def recipe(report: Report) -> Html | None:
    """The texts, the spec first; None where none were kept and nothing was said."""
    if not report.texts:
        return None
    drawn = []
    for number, text in enumerate(report.texts):
        marks = [mark for mark in report.marks if mark.source == number]
        drawn.append(tag("figure", tag("figcaption", text.path), highlighted(text, marks), class_="source"))
    elsewhere = [said(mark) for mark in report.marks if mark.source is None]
    beside = tag("div", *elsewhere, class_="spec said-all") if elsewhere else None
    words = "The text that was compiled, with what the compiler and the run said of it." if report.marks else "The text that was compiled. Neither the compiler nor the run had anything to say of it."
    return html(note(words), *drawn, beside)

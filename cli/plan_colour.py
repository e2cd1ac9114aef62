"""Colours for the tree of a plan on a terminal: what a reader looks for first stands out. It reads the finished lines and knows nothing of plans."""

import re

from rich.text import Text

from .plan_text import GROUPS

HEADINGS = tuple(title for title, _ in GROUPS)
BEGINNING = re.compile(r"^(?:licences|cost|comes out|candidates|feasible|build|variants)\b")
VERDICT = re.compile(r"^(?:feasible) +(yes|no)\b")
BINDING = re.compile(r"\bbinding\b")
STEM = re.compile(r"^ *(?:\|-|`-|\|) ")
ESTIMATE = re.compile(r"~[\d,.]+\w*")


def coloured(plan: str) -> Text:
    """The text of a plan, styled; without its last line end."""
    return Text("\n").join(_line(line, number) for number, line in enumerate(plan.rstrip("\n").split("\n")))


def _line(line: str, number: int) -> Text:
    text = Text(line)
    if number == 0 or line in HEADINGS:
        text.stylize("message")
    if stem := STEM.match(line):
        text.stylize("gutter", 0, stem.end())
        text.highlight_regex(ESTIMATE, "dim")
    if label := BEGINNING.match(line):
        text.stylize("message", 0, label.end())
    if verdict := VERDICT.match(line):
        text.stylize("success" if verdict[1] == "yes" else "error", *verdict.span(1))
    text.highlight_regex(BINDING, "warning")
    return text

"""Cuts a response into the steps that local log-probability scores it by. Knows characters only; tokens come later (windows.py)."""

import re
from collections.abc import Sequence

RULES = 1  # the version of the rules below; part of the fingerprint of every score that uses them

_NEWLINES = r"(?:\r?\n)+"
_ENDS = {
    # the look-ahead leaves the spaces to the next step, as BPE tokens carry them
    "sentence": re.compile(rf"[.!?](?= +\S)|{_NEWLINES}"),
    "newline": re.compile(_NEWLINES),
    "paragraph": re.compile(r"\r?\n(?:[ \t]*\r?\n)+"),
}
_SHORT = 4


def split(text: str, rule: str) -> list[tuple[int, int]]:
    """Character ranges of the steps of `text`, in order and without a gap, by `rule`: sentence, newline or paragraph.

    A piece with fewer than 4 non-space characters joins the next one (what it grows to is a piece like any other), or
    the previous one if it is the last.
    """
    steps: list[tuple[int, int]] = []
    start = 0
    for end in [*(found.end() for found in _ENDS[rule].finditer(text)), len(text)]:
        if len("".join(text[start:end].split())) >= _SHORT:
            steps.append((start, end))
            start = end
    if start < len(text):
        if steps:
            steps[-1] = (steps[-1][0], len(text))
        else:
            steps.append((0, len(text)))
    return steps


def given(pieces: Sequence[str | None] | None, text: str) -> list[tuple[int, int]] | str:
    """Character ranges of the steps that a column names one by one, or why they are not steps of `text`."""
    if pieces is None:
        return "no steps are given"
    steps: list[tuple[int, int]] = []
    start = 0
    for number, piece in enumerate(pieces, start=1):
        if piece is None or not text.startswith(piece, start):
            return f"the given steps are not the response, from step {number} on"
        steps.append((start, start + len(piece)))
        start += len(piece)
    return steps if start == len(text) else f"the given steps end before the response does, at character {start}"

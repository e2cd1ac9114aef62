"""A comparison as text for a terminal: by class, old and new lines with their places, then what runs again. It decides nothing."""

import textwrap
from collections.abc import Iterator

from rich.text import Text

from ..compiler.plan.changes import Change, Said, Work
from .comparison import Comparison, wording_of
from .sides import Side
from .snippet import visible

_STYLES = {Work.COSMETIC: "dim", Work.GENERATE: "error"}
_LONGEST = 3  # lines of one clause
_FOLLOWS = "run again"
_STAYS = "stays cached"


def draw_diff(comparison: Comparison, width: int) -> list[Text]:
    """The lines, none wider than `width` where a word fits it."""
    found = comparison.difference
    names = visible(f"{comparison.before.name} -> {comparison.after.name}")
    lines = [Text.assemble((names, "message"), ": ", (comparison.verdict, _verdict(comparison)))]
    if found.work is None:
        return lines
    for work, changes in comparison.by_class():
        lines += [Text(), Text(work.value, _STYLES.get(work, "warning"))]
        title = None
        for change in changes:
            if (change.block, change.note) != title:
                lines.append(_title(change))
                title = (change.block, change.note)
            lines += _sides(change, comparison, width)
        if work is Work.COSMETIC and found.wording:
            lines.append(Text(f"  the text: {wording_of(found)}"))
    lines.append(Text())
    pad = len(_STAYS) + 2
    run = comparison.run()
    lines += _listed(_FOLLOWS, run or ["nothing"], pad, width)
    if cached := comparison.cached():
        lines += _listed(_STAYS, cached, pad, width)
    return lines


def _verdict(comparison: Comparison) -> str:
    return "warning" if comparison.different else "success"


def _title(change: Change) -> Text:
    kind = f" {change.kind}" if change.kind in ("renamed", "reordered") else ""
    note = f": {change.note}" if change.note else ""
    return Text.assemble(f"  {visible(change.block)}{kind}", (visible(note), "dim"))


def _sides(change: Change, comparison: Comparison, width: int) -> Iterator[Text]:
    yield from _said("-", change.before, comparison.before, comparison, width, "red")
    yield from _said("+", change.after, comparison.after, comparison, width, "success")


def _said(mark: str, said: Said | None, side: Side, comparison: Comparison, width: int, style: str) -> Iterator[Text]:
    if said is None:
        return
    place = visible(comparison.shown_place(said, side))
    text = " ".join(visible(said.text).split())
    rows = textwrap.wrap(text, max(width - 6, 20), break_long_words=False, break_on_hyphens=False)
    if len(rows) > _LONGEST:
        rows = [*rows[: _LONGEST - 1], f"{rows[_LONGEST - 1]} …"]
    for number, row in enumerate(rows):
        drawn = Text.assemble((f"  {mark} {'  ' * bool(number)}{row}", style))
        if number == len(rows) - 1 and place:
            if drawn.cell_len + 2 + len(place) > width:
                yield drawn
                drawn = Text()
            drawn.append(" " * max(width - drawn.cell_len - len(place), 0))
            drawn.append(place, "gutter")
        yield drawn


def _listed(head: str, words: list[str], pad: int, width: int) -> Iterator[Text]:
    whole = ", ".join(words)
    for number, row in enumerate(textwrap.wrap(whole, max(width - pad, 20), break_long_words=False, break_on_hyphens=False)):
        yield Text.assemble((f"{head if not number else '':<{pad}}", "message"), row)

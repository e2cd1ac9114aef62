"""The plots of a report, as SVG of one width that stays readable on a narrow page. Pure: values in, text out."""

from collections.abc import Sequence

from ..compare import Trained
from ..panels import ROW, Panel, intervals, losses, stroke, title
from ..plot import HUES, Scale, area, bar, curve, drawing, line, text, tick_text, ticks
from ..report.values import Distribution, Histogram
from ..results import Result
from .markup import Html, visible

WIDTH, EDGE = 340.0, 2.0
LABELS = 92.0
NAMED = 12
"""So many letters of a teacher's name have room."""
RIDGE = 40.0
KERNEL = (1, 2, 3, 2, 1)
"""The weights by which neighbouring bins are drawn together."""


def ridges(found: Distribution) -> Html:
    """A row a teacher: how its values are spread, grey of all rows, in colour of the selected, each as high as its row; ticks at the medians."""
    marks = ticks(found.low, found.high, 4)
    shown = [mark for mark in marks if found.low <= mark <= found.high] or [found.low, found.high]
    across = Scale(found.low, found.high, LABELS, WIDTH - EDGE - 8)
    height = 8 + RIDGE * len(found.ridges)
    parts = [line(across.at(mark), 4, across.at(mark), height, "rule") for mark in shown]
    parts += [text(across.at(mark), height + 16, tick_text(mark, marks).replace("-", "−"), "soft", "middle") for mark in shown]
    for place, ridge in enumerate(found.ridges):
        base = 8 + RIDGE * (place + 1) - 4
        parts.append(text(EDGE, base - 15, _abbreviated(ridge.teacher), "name"))
        parts.append(text(EDGE, base - 1, f"{ridge.selected:,} of {ridge.rows:,}", "soft small"))
        parts += [line(across.start, base, across.end, base, "rule")]
        for bins, style in ((ridge.bins, "every"), (ridge.chosen, "chosen c0")):
            if any(bins):
                smooth = _smoothed(bins)
                top = max(smooth)
                wide = (across.end - across.start) / len(smooth)
                points = [(across.start + wide * (i + 0.5), base - (RIDGE - 8) * each / top) for i, each in enumerate(smooth)]
                parts += [area(points, base, style)] + ([curve(points, "curve c0 fine")] if style != "every" else [])
        for quartiles, style in ((ridge.quartiles, "middle"), (ridge.chosen_quartiles, "middle c0 own")):
            if quartiles is not None:
                at = across.at(quartiles[1])
                parts.append(line(at, base - (8 if style == "middle" else 12), at, base + 3, style))
    said = f"{found.score}{f' in {found.unit}' if found.unit else ''} by teacher: all rows that have it, and the selected"
    return Html(visible(drawing(WIDTH, height + 24, said, parts)))


def _abbreviated(name: str) -> str:
    """A name as far as there is room: its beginning and its end, for models of one family differ there."""
    return name if len(name) <= NAMED else f"{name[: NAMED - 5]}…{name[-4:]}"


def _smoothed(bins: Sequence[int]) -> list[float]:
    reach = len(KERNEL) // 2
    found = []
    for i in range(len(bins)):
        near = [(KERNEL[j + reach], bins[i + j]) for j in range(-reach, reach + 1) if 0 <= i + j < len(bins)]
        found.append(sum(w * b for w, b in near) / sum(w for w, _ in near))
    return found


def histogram(found: Histogram) -> Html:
    """Rows by tokens: grey all, in colour the selected, both by the axis at the left."""
    height, top = 170.0, 8.0
    marks = ticks(0, max(found.bins), 4)
    across = Scale(0, found.edges[-1], 44, WIDTH - EDGE - 8)
    down = Scale(0, marks[-1], height, top)
    parts = []
    for mark in marks:
        parts += [line(across.start, down.at(mark), across.end, down.at(mark), "rule"), text(38, down.at(mark) + 4, tick_text(mark, marks), "soft", "end")]
    wide = (across.end - across.start) / len(found.bins)
    for bins, style in ((found.bins, "every"), (found.chosen, "chosen c0")):
        parts += [bar(across.start + wide * i + 0.5, down.at(each), max(wide - 1, 0.5), height - down.at(each), style) for i, each in enumerate(bins) if each]
    steps = ticks(0, found.edges[-1], 5)
    parts += [text(across.at(mark), height + 17, tick_text(mark, steps), "soft", "middle") for mark in steps if mark <= found.edges[-1]]
    parts.append(text(across.end, height + 34, "tokens of the response", "soft", "end"))
    return Html(visible(drawing(WIDTH, height + 42, "rows by the tokens of their responses", parts)))


def styles(results: Sequence[Result], trainings: Sequence[Trained]) -> dict[str, str]:
    """A colour for each recipe of the build; the untrained student has none."""
    found: dict[str, str] = {}
    for each in (*trainings, *results):
        if each.label not in found:
            found[each.label] = "none" if each.recipe is None else f"c{sum(style != 'none' for style in found.values()) % HUES}"
    return found


def measured(benchmark: str, here: Sequence[Result], colours: dict[str, str]) -> Html:
    """What each recipe scores, with its interval."""
    at = Panel(EDGE, LABELS, WIDTH - EDGE - 72, WIDTH - EDGE)
    parts = list(intervals(benchmark, here, here[0].build, colours, at, 0.0, titled=False))
    return Html(visible(drawing(WIDTH, 56 + ROW * len(here), title(benchmark), parts)))


def curves(trainings: Sequence[Trained], colours: dict[str, str]) -> Html:
    """The losses of all trainings, smoothed."""
    height = 170.0
    at = Panel(EDGE, EDGE + 44, WIDTH - EDGE - 8, WIDTH - EDGE)
    parts, x = [], EDGE
    y = 12.0
    for each in trainings:
        wide = 34 + 7 * len(each.label) + 16
        if x > EDGE and x + wide > WIDTH:
            x, y = EDGE, y + 20
        parts += [line(x, y - 4, x + 24, y - 4, stroke(each, colours)), text(x + 30, y, each.label)]
        x += wide
    parts += losses(trainings, colours, at, y + 14, height)
    return Html(visible(drawing(WIDTH, y + 14 + height + 44, "training loss, smoothed", parts)))

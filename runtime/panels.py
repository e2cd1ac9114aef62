"""Panels that plots of recipes are made of: what each scores with its interval, and the losses of training. Pieces of SVG, in a place that is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .compare import Trained
from .plot import Scale, curve, dot, fitted, line, text, tick_text, ticks
from .recipes import HELDOUT
from .results import Result

ROW = 24.0
"""How high a row of intervals is."""
POINTS = 400
"""So many points of a curve are drawn; of a longer training every so-many-th step, and the last."""


@dataclass(frozen=True, slots=True)
class Panel:
    """From left to right: where names begin (`edge`), where figures are drawn from `start` to `end`, and where words at the right end (`right`)."""

    edge: float
    start: float
    end: float
    right: float


def intervals(name: str, here: Sequence[Result], reference: str, styles: Mapping[str, str], at: Panel, y: float, *, titled: bool = True) -> Iterator[str]:
    """Dots with their intervals, a row a recipe; open dots where the difference from the reference is not told from 0. `titled`: what it is stands above."""
    share = name != HELDOUT
    ends = [end for r in here for end in (r.value, r.low, r.high) if end is not None]
    marks = ticks(0.0 if share else min(ends), max(ends))
    marks = [mark for mark in marks if not share or mark <= 1.0 + 1e-9]
    scale = Scale(marks[0], marks[-1], at.start, at.end)
    if titled:
        yield text(at.edge, y + 18, title(name), "name")
    if any(r.paired for r in here):
        yield text(at.right - 12, y + 18, "difference", "soft", "end")
    top, bottom = y + 28, y + 28 + ROW * len(here)
    percent = [100 * mark for mark in marks] if share else marks
    for mark, shown in zip(marks, percent, strict=True):
        yield line(scale.at(mark), top, scale.at(mark), bottom, "rule")
        yield text(scale.at(mark), bottom + 16, tick_text(shown, percent), "soft", "middle")
    base = next((r for r in here if r.build == reference and r.paired is None and r.apart is None), None)
    if base is not None:
        yield line(scale.at(base.value), top, scale.at(base.value), bottom, "base")
    for place, r in enumerate(here):
        middle = top + ROW * place + ROW / 2
        style = styles[r.label]
        told = r.paired is not None and r.paired.difference.told
        yield text(at.start - 14, middle + 4, fitted(r.label, at.start - at.edge - 14), "", "end")
        if r.low is not None and r.high is not None:
            yield line(scale.at(r.low), middle, scale.at(r.high), middle, f"span {style}")
        value = f"{r.value:.1%}" if share else f"{r.value:.4f}"
        yield dot(scale.at(r.value), middle, f"{'dot' if told or r is base else 'open'} {style}", f"{r.label}: {value}")
        d = r.paired.difference.value if r.paired else None
        if d is not None or r is base:
            shown = value if d is None else f"{100 * d:+.1f}" if share else f"{d:+.4f}"
            yield text(at.right - 12, middle + 4, shown, "" if told else "soft", "end")
        if told:
            yield text(at.right, middle + 4, "*", "", "end")


def title(benchmark: str) -> str:
    """What a panel of intervals shows."""
    return "held-out rows: nats a token, less is better" if benchmark == HELDOUT else f"{benchmark}: accuracy in %, 95 % interval"


def losses(trainings: Sequence[Trained], styles: Mapping[str, str], at: Panel, y: float, height: float) -> Iterator[str]:
    """A curve a recipe, the mean of its runs; the runs themselves are thin."""
    values = [value for each in trainings for course in each.courses for value in course.smoothed]
    last = max(course.steps[-1] for each in trainings for course in each.courses)
    marks, steps = ticks(min(values), max(values)), ticks(0, last, 6)
    across = Scale(0, float(max(last, 1)), at.start, at.right - 12)
    down = Scale(marks[0], marks[-1], y + height, y)
    for mark in marks:
        yield line(across.start, down.at(mark), across.end, down.at(mark), "rule")
        yield text(across.start - 8, down.at(mark) + 4, tick_text(mark, marks), "soft", "end")
    for step in steps:
        if step <= last and step == int(step):
            yield text(across.at(step), y + height + 18, f"{step:,.0f}", "soft", "middle")
    yield text(across.end, y + height + 36, "steps", "soft", "end")
    for each in trainings:
        style = stroke(each, styles)
        if len(each.courses) > 1:
            for course in each.courses:
                yield curve(_points(course.steps, course.smoothed, across, down), f"{style} thin")
        shortest = min((course.steps for course in each.courses), key=len)
        means = [sum(course.smoothed[i] for course in each.courses) / len(each.courses) for i in range(len(shortest))]
        yield curve(_points(shortest, means, across, down), style)


def _points(steps: Sequence[int], values: Sequence[float], across: Scale, down: Scale) -> Iterator[tuple[float, float]]:
    every = max(1, -(-len(steps) // POINTS))
    chosen = sorted({*range(0, len(steps), every), len(steps) - 1})
    return ((across.at(steps[i]), down.at(values[i])) for i in chosen)


def stroke(each: Trained, styles: Mapping[str, str]) -> str:
    """The classes of a recipe's line; those of baselines are dashed."""
    return f"curve {'' if each.recipe == 'recipe' else 'dashed '}{styles[each.label]}"

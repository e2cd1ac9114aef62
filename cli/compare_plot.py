"""A comparison of builds as a plot: what each recipe scores with its interval, and the losses of training. Pure but for the writing of the file."""

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from ..runtime.compare import Compared, Trained
from ..runtime.files import write_atomic
from ..runtime.plot import GLYPH, HUES, Scale, curve, dot, line, svg, text, tick_text, ticks
from ..runtime.recipes import HELDOUT
from ..runtime.results import Result
from .compare_json import compare_data

WIDTH, EDGE, ROW = 860.0, 24.0, 24.0
CURVES = 220.0
POINTS = 400
"""So many points of a curve are drawn; of a longer training every so-many-th step, and the last."""


def write_plot(found: Compared, path: Path) -> None:
    """The plot in the format that the name of the file ends in. Fault MIX0508 where it cannot be written."""
    match path.suffix:
        case ".svg":
            content = compare_svg(found)
        case ".html":
            content = compare_html(found)
        case _:
            content = plot_json(found)
    write_atomic(path, content.encode())


def plot_json(found: Compared) -> str:
    """The figures that the plot draws."""
    data = compare_data(found)
    curves = [
        {"name": each.label, "arm": course.arm, "seed": course.seed, "steps": list(course.steps), "losses": list(course.losses), "smoothed": list(course.smoothed)}
        for each in found.trainings
        for course in each.courses
    ]
    return json.dumps({"reference": found.reference, "results": data["results"], "losses": curves}, indent=2, ensure_ascii=False) + "\n"


def compare_html(found: Compared) -> str:
    """A page that holds the plot and nothing else."""
    title = escape(_title(found))
    style = "body{margin:0;background:#fff}svg{display:block;margin:auto;max-width:100%;height:auto}@media (prefers-color-scheme:dark){body{background:#16191d}}"
    return f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>\n{compare_svg(found)}</html>\n'


def compare_svg(found: Compared) -> str:
    """One panel a benchmark, one for the held-out rows, one for the losses; the same figures give the same bytes."""
    styles = _styles(found)
    left = EDGE + 16 + GLYPH * max((len(name) for name in styles), default=0)
    left = min(left, WIDTH / 3)
    parts = [text(EDGE, 34, _title(found), "head")]
    y = 52.0
    names = sorted(dict.fromkeys(r.benchmark for r in found.results), key=lambda name: name == HELDOUT)
    for name in names:
        here = [r for r in found.results if r.benchmark == name]
        parts += _intervals(name, here, found.reference, styles, left, y)
        y += 62 + ROW * len(here)
    if found.comparisons:
        against = next(r.paired.against for r in found.results if r.paired)
        said = f"difference: less {against}, on the same problems; filled dot and *: its 95 % interval leaves 0 out"
        parts.append(text(EDGE, y + 10, said, "soft"))
        y += 26
    if found.trainings:
        rows, legend = _legend(found.trainings, styles, y + 40)
        parts += [text(EDGE, y + 18, "training loss, smoothed", "name"), *legend]
        y += 40 + 20 * rows
        parts += _losses(found.trainings, styles, y)
        y += CURVES + 44
    if not names and not found.trainings:
        parts.append(text(EDGE, 60, "nothing was trained or measured", "soft"))
        y += 24
    return svg(WIDTH, y + 8, _title(found), parts)


def _title(found: Compared) -> str:
    return f"{len(found.builds)} builds, beside {found.reference}" if len(found.builds) > 1 else found.reference


def _styles(found: Compared) -> dict[str, str]:
    """A colour for each build by the name of its recipe; other recipes of a build have it too, and the untrained student none."""
    hues = {each.name: f"c{place % HUES}" for place, each in enumerate(found.builds)}
    named: dict[str, str] = {}
    alone = len(found.builds) == 1
    for each in (*found.results, *found.trainings):
        if alone and each.recipe is not None:
            named.setdefault(each.label, f"c{len([n for n in named.values() if n != 'none']) % HUES}")
        named.setdefault(each.label, "none" if each.recipe is None else hues[each.build])
    return named


def _intervals(name: str, here: Sequence[Result], reference: str, styles: dict[str, str], left: float, y: float) -> Iterator[str]:
    """Dots with their intervals, a row a recipe; open dots where the difference from the reference is not told from 0."""
    share = name != HELDOUT
    ends = [end for r in here for end in (r.value, r.low, r.high) if end is not None]
    marks = ticks(0.0 if share else min(ends), max(ends))
    marks = [mark for mark in marks if not share or mark <= 1.0 + 1e-9]
    scale = Scale(marks[0], marks[-1], left, WIDTH - EDGE - 96)
    what = f"{name}: accuracy in %, 95 % interval" if share else "held-out rows: nats a token, less is better"
    yield text(EDGE, y + 18, what, "name")
    if any(r.paired for r in here):
        yield text(WIDTH - EDGE - 12, y + 18, "difference", "soft", "end")
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
        yield text(left - 14, middle + 4, _fitted(r.label, left - EDGE - 14), "", "end")
        if r.low is not None and r.high is not None:
            yield line(scale.at(r.low), middle, scale.at(r.high), middle, f"span {style}")
        value = f"{r.value:.1%}" if share else f"{r.value:.4f}"
        yield dot(scale.at(r.value), middle, f"{'dot' if told or r is base else 'open'} {style}", f"{r.label}: {value}")
        d = r.paired.difference.value if r.paired else None
        if d is not None or r is base:
            shown = value if d is None else f"{100 * d:+.1f}" if share else f"{d:+.4f}"
            yield text(WIDTH - EDGE - 12, middle + 4, shown, "" if told else "soft", "end")
        if told:
            yield text(WIDTH - EDGE, middle + 4, "*", "", "end")


def _legend(trainings: Sequence[Trained], styles: dict[str, str], y: float) -> tuple[int, list[str]]:
    """How many rows it takes, and its parts."""
    parts, x, row = [], EDGE, 0
    for each in trainings:
        wide = 34 + GLYPH * len(each.label) + 22
        if x > EDGE and x + wide > WIDTH - EDGE:
            x, row = EDGE, row + 1
        middle = y + 20 * row
        parts += [line(x, middle - 4, x + 26, middle - 4, _stroke(each, styles)), text(x + 34, middle, each.label)]
        x += wide
    return row + 1, parts


def _losses(trainings: Sequence[Trained], styles: dict[str, str], y: float) -> Iterator[str]:
    """A curve a recipe, the mean of its runs; the runs themselves are thin."""
    values = [value for each in trainings for course in each.courses for value in course.smoothed]
    last = max(course.steps[-1] for each in trainings for course in each.courses)
    marks, steps = ticks(min(values), max(values)), ticks(0, last, 6)
    across = Scale(0, float(max(last, 1)), EDGE + 44, WIDTH - EDGE - 12)
    down = Scale(marks[0], marks[-1], y + CURVES, y)
    for mark in marks:
        yield line(across.start, down.at(mark), across.end, down.at(mark), "rule")
        yield text(across.start - 8, down.at(mark) + 4, tick_text(mark, marks), "soft", "end")
    for step in steps:
        if step <= last and step == int(step):
            yield text(across.at(step), y + CURVES + 18, f"{step:,.0f}", "soft", "middle")
    yield text(across.end, y + CURVES + 36, "steps", "soft", "end")
    for each in trainings:
        style = _stroke(each, styles)
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


def _stroke(each: Trained, styles: dict[str, str]) -> str:
    return f"curve {'' if each.recipe == 'recipe' else 'dashed '}{styles[each.label]}"


def _fitted(words: str, width: float) -> str:
    most = max(4, int(width / GLYPH))
    return words if len(words) <= most else f"…{words[-most + 1 :]}"

"""A comparison of builds as a plot: what each recipe scores with its interval, and the losses of training. Pure but for the writing of the file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from ..runtime.compare import Compared, Trained
from ..runtime.files import write_atomic
from ..runtime.panels import ROW, Panel, intervals, losses, stroke
from ..runtime.plot import GLYPH, HUES, line, svg, text
from ..runtime.recipes import HELDOUT
from .compare_json import compare_data

WIDTH, EDGE = 860.0, 24.0
CURVES = 220.0


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
    panel = Panel(EDGE, left, WIDTH - EDGE - 96, WIDTH - EDGE)
    parts = [text(EDGE, 34, _title(found), "head")]
    y = 52.0
    names = sorted(dict.fromkeys(r.benchmark for r in found.results), key=lambda name: name == HELDOUT)
    for name in names:
        here = [r for r in found.results if r.benchmark == name]
        parts += intervals(name, here, found.reference, styles, panel, y)
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
        parts += losses(found.trainings, styles, replace(panel, start=EDGE + 44), y, CURVES)
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


def _legend(trainings: Sequence[Trained], styles: dict[str, str], y: float) -> tuple[int, list[str]]:
    """How many rows it takes, and its parts."""
    parts, x, row = [], EDGE, 0
    for each in trainings:
        wide = 34 + GLYPH * len(each.label) + 22
        if x > EDGE and x + wide > WIDTH - EDGE:
            x, row = EDGE, row + 1
        middle = y + 20 * row
        parts += [line(x, middle - 4, x + 26, middle - 4, stroke(each, styles)), text(x + 34, middle, each.label)]
        x += wide
    return row + 1, parts

"""Scales, ticks and pieces of an SVG; and that the plot of a comparison is a whole one whatever the names are."""

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mixc.cli.compare_plot import compare_svg
from mixc.compiler.plan.stages import Plan
from mixc.runtime.compare import Compared, Trained
from mixc.runtime.contender import Contender
from mixc.runtime.course import course
from mixc.runtime.plot import Scale, curve, dot, number, svg, text, tick_text, ticks
from mixc.runtime.recipes import against, scores
from mixc.runtime.results import Result
from mixc.tests.runtime.answered import ARMS, answered

SPACE = "{http://www.w3.org/2000/svg}"


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@example(833360.4859828388, 1e-06)
def test_ticks_are_round_and_hold_all_values(low: float, width: float) -> None:
    marks = ticks(low, low + width)
    step = marks[1] - marks[0]
    assert marks[0] <= low + 1e-6 * step and marks[-1] >= low + width - 1e-6 * step
    assert 3 <= len(marks) <= 12
    lead = step / 10 ** math.floor(math.log10(step) + 1e-9)
    rounded = lead * 2 * math.ulp(max(abs(mark) for mark in marks)) / step  # what is left of a small step between two large floats
    assert min(abs(lead - each) for each in (1, 2, 5)) < 1e-3 + rounded
    shown = [tick_text(mark, marks) for mark in marks]
    assert len(set(shown)) == len(shown), "every tick reads differently"


@pytest.mark.parametrize("value", [0.0, 2.5, -3.0])
def test_one_value_has_ticks_around_it(value: float) -> None:
    marks = ticks(value, value)
    assert marks[0] < value < marks[-1]


def test_a_scale_keeps_to_its_ends() -> None:
    scale = Scale(0, 2, 100, 0)
    assert [scale.at(v) for v in (0, 1, 2, 3, -1)] == [100, 50, 0, 0, 100]


def test_coordinates_are_short_and_never_minus_zero() -> None:
    assert [number(v) for v in (1.0, 1.239, -0.001, 10.5, 100)] == ["1", "1.24", "0", "10.5", "100"]


def test_words_cannot_break_the_file() -> None:
    drawn = svg(10, 10, "a < b", [text(1, 2, "<script>&", "soft"), dot(1, 1, "dot", 'x"<y'), curve([(0, 1), (2, 3.456)], "curve")])
    tree = ElementTree.fromstring(drawn)
    assert [each.text for each in tree.iter(f"{SPACE}text")] == ["<script>&"]
    assert tree.find(f"{SPACE}polyline").get("points") == "0,1 2,3.46"  # type: ignore[union-attr]


def comparison(name: str, problems: int) -> Compared:
    """A build of that name with three recipes on a benchmark and one training."""
    found = scores(answered(ARMS, "small <b>", problems, lambda arm, n, s: (n + len(arm)) % 3 == 0))
    told = {each.recipe: each for each in against(found, "recipe")}
    results = []
    for each in found:
        mean = each.mean()
        recipe = None if each.recipe == "before" else each.recipe
        results.append(Result(f"{name}: {each.recipe}", name, recipe, each.benchmark, mean.value, mean.low, mean.high, mean.runs, problems, paired=told.get(each.recipe)))
    losses = course("after", 0, [{"step": i + 1, "loss": 3.0 / (i + 1), "tokens": i} for i in range(900)])
    trained = Trained(f"{name}: recipe", name, "recipe", (losses,))
    build = Contender(name, Path(name), Plan(name="x", seed=0, stages=()), {})
    return Compared((build,), name, {}, (), (), (trained,), tuple(results), (), (), {name: ()})


@pytest.mark.parametrize("name", ["a", "with <angle> & more", "x" * 200])
def test_the_plot_is_a_whole_file_whatever_the_names_are(name: str) -> None:
    found = comparison(name, 30)
    drawn = compare_svg(found)
    tree = ElementTree.fromstring(drawn)
    width, height = float(tree.get("width", 0)), float(tree.get("height", 0))
    for each in tree.iter(f"{SPACE}text"):
        assert 0 <= float(each.get("x", -1)) <= width and 0 <= float(each.get("y", -1)) <= height
    assert len(list(tree.iter(f"{SPACE}circle"))) == len(found.results)
    (line,) = tree.iter(f"{SPACE}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
    assert len(points) <= 401 and points == sorted(points), "a long training is thinned, from left to right"
    assert drawn == compare_svg(found)


def test_intervals_stand_around_their_dots() -> None:
    tree = ElementTree.fromstring(compare_svg(comparison("a", 30)))
    spans = [each for each in tree.iter(f"{SPACE}line") if (each.get("class") or "").startswith("span")]
    dots = list(tree.iter(f"{SPACE}circle"))
    assert len(spans) == len(dots) == 3
    for span, at in zip(spans, dots, strict=True):
        assert float(span.get("x1", 0)) <= float(at.get("cx", 0)) <= float(span.get("x2", 0)) and span.get("y1") == at.get("cy")

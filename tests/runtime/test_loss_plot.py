"""The plot of a loss: the same bytes for the same numbers, well formed, true to them, in any shape of run."""

import math
import re
from xml.etree import ElementTree

import pytest
from mixc.runtime.loss_plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, loss_plot

SVG = "{http://www.w3.org/2000/svg}"


def steps(count: int, loss=lambda i: 2 - i / 100) -> list[dict[str, float]]:
    return [{"step": i + 1, "loss": loss(i), "learning_rate": 1e-5 * (count - i) / count} for i in range(count)]


def drawn(metrics) -> tuple[dict[str, list[list[float]]], list[str]]:
    """The lines by kind, each as x, y, x, y, …, and the texts of a plot."""
    root = ElementTree.fromstring(loss_plot(metrics))
    lines: dict[str, list[list[float]]] = {}
    for path in root.iter(f"{SVG}path"):
        lines.setdefault(path.get("class", ""), []).append([float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", path.get("d", ""))])
    return lines, [text.text or "" for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 11, 12, 40, 601, 5000])
def test_any_number_of_steps_gives_a_picture_within_its_frame(count: int) -> None:
    assert loss_plot(steps(count)) == loss_plot(steps(count))
    lines, texts = drawn(steps(count))
    for kind in ("step", "mean", "only", "rate"):
        for line in lines.get(kind, []):
            if len(line) > 4:
                assert all(LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1 for x in line[::2]) and all(TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1 for y in line[1::2])
    assert ("mean" in lines) is (count >= 12) and ("only" in lines) is (0 < count < 12)
    assert {"step", "loss, nats a token", "learning rate", "loss"} <= set(texts) if count else texts == ["no loss was measured"]


def test_the_line_is_where_the_numbers_are() -> None:
    metrics = steps(5, lambda i: [3.0, 2.0, 1.0, 2.0, 1.5][i])
    lines, texts = drawn(metrics)
    (line,) = [found for found in lines["only"] if len(found) == 10]
    assert line[0] == LEFT and line[-2] == WIDTH - RIGHT
    heights = line[1::2]
    assert heights[0] == min(heights) == TOP and heights[2] == max(heights) == HEIGHT - BOTTOM  # 3.0 and 1.0 are ticks
    assert heights[1] == heights[3] == pytest.approx((TOP + HEIGHT - BOTTOM) / 2, abs=0.1)
    assert {"1.0", "2.0", "3.0", "1e-5", "0"} <= set(texts)


def test_the_smoothed_line_is_the_mean_of_the_steps_around() -> None:
    lines, _ = drawn(steps(30, lambda i: float(i % 2)))
    (mean,) = [found for found in lines["mean"] if len(found) == 60]
    y = mean[1::2]
    scale = HEIGHT - BOTTOM - TOP
    shown = [(HEIGHT - BOTTOM - v) / scale for v in y]
    assert shown[1:-1] == pytest.approx([(i % 2 + 2 * ((i + 1) % 2)) / 3 for i in range(1, 29)], abs=1e-3)
    assert shown[0] == pytest.approx(0.5, abs=1e-3), "fewer at the ends"


def test_a_loss_that_does_not_move_or_is_no_number_does_not_break_it() -> None:
    assert "nan" not in loss_plot(steps(20, lambda i: 1.25)).lower()
    odd = loss_plot([{"step": 1, "loss": math.nan}, {"step": 2, "loss": 0.0, "learning_rate": 0.0}, {"step": 3}])
    assert "nan" not in odd.lower() and "over 1 steps" in odd


def test_it_reads_in_light_and_in_dark_and_says_what_it_shows() -> None:
    text = loss_plot(steps(3))
    assert "prefers-color-scheme: dark" in text and "<title>loss over 3 steps, from 2 to 1.98 nats a token</title>" in text
    assert "<script" not in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")

"""The loss of a training as a picture: numbers of `metrics.jsonl` to SVG text, the same bytes for the same numbers. It draws by hand and loads nothing."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 66, 84, 46, 50
MOST_POINTS = 600
SMOOTHED_FROM = 12
"""So many steps and more have a smoothed line: the mean of about a fifteenth of them, those on both sides."""
SHARE = 15
STYLE = """
  .ground { fill: #ffffff } .frame, .grid { stroke: #d9dce1; stroke-width: 1; fill: none } .grid { stroke: #eceef1 }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #5a616b } .name { fill: #22262b; font-weight: 600 }
  .step { stroke: #2563c9; stroke-width: 1.2; fill: none; opacity: .42 } .only, .mean { stroke: #2563c9; stroke-width: 2.2; fill: none }
  .rate { stroke: #9aa1ab; stroke-width: 1.4; stroke-dasharray: 5 4; fill: none } .dot { fill: #2563c9 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14171b } .frame { stroke: #3a4049 } .grid { stroke: #262b32 } text { fill: #a3abb6 } .name { fill: #e8ebef }
    .step, .only, .mean { stroke: #76a9ff } .step { opacity: .5 } .rate { stroke: #6d7580 } .dot { fill: #76a9ff }
  }
"""
Point = tuple[float, float]


def loss_plot(metrics: Sequence[Mapping[str, float]]) -> str:
    """An SVG of the loss at each step (nats a token), smoothed where there are many, over a faint line of the learning rate on its own axis.

    `metrics`: a mapping a step, with `step`, `loss` and, where it is known, `learning_rate`.
    """
    loss = [(float(m["step"]), float(m["loss"])) for m in metrics if "step" in m and math.isfinite(m.get("loss", math.nan))]
    rate = [(float(m["step"]), float(m["learning_rate"])) for m in metrics if "step" in m and math.isfinite(m.get("learning_rate", math.nan))]
    if not loss:
        return _svg("no loss was measured", [_label(WIDTH / 2, HEIGHT / 2, "no loss was measured", "middle")])
    x = _scale([step for step, _ in loss], LEFT, WIDTH - RIGHT)
    ticks = _ticks(min(y for _, y in loss), max(y for _, y in loss))
    y = _scale(ticks, HEIGHT - BOTTOM, TOP)
    drawn = [f'<path class="grid" d="M{LEFT} {y(t):.1f}H{WIDTH - RIGHT}"/>' for t in ticks]
    drawn += [_label(LEFT - 8, y(t) + 4, _number(t, ticks), "end") for t in ticks]
    for t in _ticks(loss[0][0], loss[-1][0], whole=True):
        if loss[0][0] <= t <= loss[-1][0]:
            drawn += [f'<path class="frame" d="M{x(t):.1f} {HEIGHT - BOTTOM}v5"/>', _label(x(t), HEIGHT - BOTTOM + 19, f"{t:,.0f}", "middle")]
    drawn.append(f'<path class="frame" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}{f"V{TOP}" if rate else ""}"/>')
    drawn += [_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "step", "middle"), _turned(16, "loss, nats a token")]
    names = []
    if rate:
        steps = _ticks(0.0, max(r for _, r in rate))
        of_rate = _scale(steps, HEIGHT - BOTTOM, TOP)
        drawn.append(_line("rate", [(x(s), of_rate(r)) for s, r in _thinned(rate)]))
        drawn += [_label(WIDTH - RIGHT + 8, of_rate(t) + 4, _rate(t), "start") for t in steps]
        drawn.append(_turned(WIDTH - 10, "learning rate"))
        names.append(("rate", "learning rate (right)"))
    window = max(3, len(loss) // SHARE) | 1
    many = len(loss) >= SMOOTHED_FROM
    drawn.append(_line("step" if many else "only", [(x(s), y(v)) for s, v in _thinned(loss)]))
    if len(loss) == 1:
        drawn.append(f'<circle class="dot" cx="{x(loss[0][0]):.1f}" cy="{y(loss[0][1]):.1f}" r="3.5"/>')
    if many:
        drawn.append(_line("mean", [(x(s), y(v)) for s, v in _thinned(_means(loss, window))]))
        names.insert(0, ("mean", f"mean of {window:,} steps"))
    names.insert(0, ("step" if many else "only", "loss"))
    drawn += list(_legend(names))
    first, last = loss[0][1], loss[-1][1]
    return _svg(f"loss over {len(loss):,} steps, from {first:.4g} to {last:.4g} nats a token", drawn)


def _svg(title: str, drawn: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
    ground = f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    return "\n".join([head, f"<title>{title}</title>", f"<style>{STYLE}</style>", ground, *drawn, "</svg>", ""])


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = min(values), max(values)
    wide = (high - low) or 1.0
    middle = 0.5 if high == low else 0.0
    return lambda value: start + ((value - low) / wide + middle) * (end - start)


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Four to eight round numbers that hold the range between them."""
    span = (high - low) or abs(high) or 1.0
    rough = span / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= rough * 0.999)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, max(last, first + 1) + 1)]


def _means(points: Sequence[Point], window: int) -> list[Point]:
    """Each value as the mean of those at most half a window away; fewer at the ends."""
    sums = [0.0]
    for _, value in points:
        sums.append(sums[-1] + value)
    half, size = window // 2, len(points)
    return [(s, (sums[min(size, i + half + 1)] - sums[max(0, i - half)]) / (min(size, i + half + 1) - max(0, i - half))) for i, (s, _) in enumerate(points)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """The points, of many of them the means of equal runs: a picture has no more columns."""
    if len(points) <= MOST_POINTS:
        return points
    runs = [points[len(points) * i // MOST_POINTS : len(points) * (i + 1) // MOST_POINTS] for i in range(MOST_POINTS)]
    inner = [(math.fsum(s for s, _ in run) / len(run), math.fsum(v for _, v in run) / len(run)) for run in runs]
    return [(points[0][0], inner[0][1]), *inner[1:-1], (points[-1][0], inner[-1][1])]


def _line(kind: str, points: Iterable[Point]) -> str:
    return f'<path class="{kind}" stroke-linejoin="round" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def _label(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{text}</text>'


def _turned(x: float, text: str) -> str:
    y = (TOP + HEIGHT - BOTTOM) / 2
    return f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle">{text}</text>'


def _legend(names: Sequence[tuple[str, str]]) -> Iterable[str]:
    at = float(LEFT)
    for kind, name in names:
        yield f'<path class="{kind}" d="M{at:.1f} 24h22"/>'
        yield _label(at + 29, 28, name, "start", "name")
        at += 29 + 7.2 * len(name) + 22


def _number(value: float, ticks: Sequence[float]) -> str:
    """A tick with as many decimals as tell it from the next one."""
    step = ticks[1] - ticks[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if abs(step / 10 ** math.floor(math.log10(step) + 1e-9) - 2.5) < 1e-6 else 0)
    return f"{value + 0.0:,.{decimals}f}"


def _rate(value: float) -> str:
    """`1e-5`, `5e-6`, `0`."""
    if value == 0:
        return "0"
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"

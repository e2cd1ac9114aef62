"""What a plot is drawn with: scales with round ticks, and the pieces of an SVG whose bytes depend on the figures alone. Knows nothing of what is drawn.

Colours follow the reader: light, or dark where the browser asks for it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

HUES = 6
"""Lines and dots are told apart by so many colours, `c0` to `c5`; then they begin again."""
_LIGHT = ("#2563c9", "#c94a0c", "#1f7d3a", "#8430a8", "#8a6d00", "#0b7285")
_DARK = ("#7aaeff", "#ff9a56", "#63d489", "#d68cf5", "#e6c54a", "#5fcfe0")
GLYPH = 7.0
"""How wide a letter of the plot's text is, about, in pixels at 12."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` onto pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value; one beyond the ends stands at the end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values, `about` so many, from at or below `low` to at or above `high`: steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        low, high = low - (abs(low) * 0.05 or 0.5), high + (abs(high) * 0.05 or 0.5)
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * i, 12) for i in range(first, last + 1)]


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """A tick with as many digits as its neighbours need."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(value) or 1.0
    return f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def number(value: float) -> str:
    """A coordinate: two digits behind the point at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """Words with their base line at `y`; `anchor`: start, middle, end."""
    named = f' class="{style}"' if style else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{number(x)}" y="{number(y)}"{named}{side}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line."""
    return f'<line class="{style}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def curve(points: Iterable[tuple[float, float]], style: str) -> str:
    """A line through all points."""
    return f'<polyline class="{style}" points="{" ".join(f"{number(x)},{number(y)}" for x, y in points)}"/>'


def area(points: Iterable[tuple[float, float]], base: float, style: str) -> str:
    """What lies between a line through all points and the horizontal at `base`."""
    drawn = list(points)
    ends = [(drawn[0][0], base), *drawn, (drawn[-1][0], base)]
    return f'<polygon class="{style}" points="{" ".join(f"{number(x)},{number(y)}" for x, y in ends)}"/>'


def bar(x: float, y: float, width: float, height: float, style: str) -> str:
    """A rectangle."""
    return f'<rect class="{style}" x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"/>'


def fitted(words: str, width: float) -> str:
    """The words, of which the beginning goes where they are wider than `width` pixels."""
    most = max(4, int(width / GLYPH))
    return words if len(words) <= most else f"…{words[-most + 1 :]}"


def dot(x: float, y: float, style: str, said: str, radius: float = 4.5) -> str:
    """A dot that says what it is when pointed at."""
    return f'<circle class="{style}" cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"><title>{escape(said)}</title></circle>'


def style() -> str:
    """The colours and strokes that the classes of the pieces stand for, as CSS: for a whole file, or a page with many drawings."""
    light = "".join(f".c{i}{{--c:{colour}}}" for i, colour in enumerate(_LIGHT))
    dark = "".join(f".c{i}{{--c:{colour}}}" for i, colour in enumerate(_DARK))
    return (
        "svg{--ground:#fff;--ink:#1c2024;--soft:#60666d;--rule:#e3e6e9;color-scheme:light dark}"
        ".none{--c:#6b7177}" + light + "@media (prefers-color-scheme:dark){svg{--ground:#16191d;--ink:#e8eaed;--soft:#a0a7ae;--rule:#31363c}"
        ".none{--c:#a3aab1}" + dark + "}"
        ".ground{fill:var(--ground)}text{fill:var(--ink);font:12px system-ui,sans-serif}.head{font-size:15px;font-weight:600}.name{font-weight:600}"
        ".soft{fill:var(--soft)}.rule{stroke:var(--rule)}.base{stroke:var(--soft);stroke-dasharray:2 3}.span{stroke:var(--c);stroke-width:2.5}"
        ".dot{fill:var(--c)}.open{fill:var(--ground);stroke:var(--c);stroke-width:2}.curve{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}"
        ".thin{stroke-width:1;opacity:.35}.dashed{stroke-dasharray:6 4}"
    )


def drawing(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """An SVG inside a page that has the `style`: as wide as there is room, at most as wide as it is drawn and a fifth more."""
    size = f'viewBox="0 0 {number(width)} {number(height)}" style="max-width:{number(width * 1.2)}px"'
    return f'<svg role="img" {size}><title>{escape(title)}</title>\n' + "\n".join(parts) + "\n</svg>\n"


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """A whole SVG file."""
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    ground = f'<rect class="ground" width="{number(width)}" height="{number(height)}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n<title>{escape(title)}</title>\n<style>{style()}</style>\n{ground}\n'
    return head + "\n".join(parts) + "\n</svg>\n"

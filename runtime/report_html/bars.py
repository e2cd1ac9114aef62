"""Bars drawn by the page itself, in rows that fold where there is little room."""

from ..report.values import Group
from .markup import Html, html, tag


def width(value: float) -> str:
    """A share as the width of a bar."""
    return f"{100 * min(max(value, 0.0), 1.0):.2f}%".replace(".00%", "%")


def funnel_bar(left: float, before: float) -> Html:
    """What is left of what was there, as shares of the widest."""
    return tag("span", tag("i", class_="gone", style=f"width:{width(before)}"), tag("i", style=f"width:{width(left)}"), class_="bar", aria_hidden="true")


def group_bar(group: Group, scale: float) -> Html:
    """The share selected, that of the candidates behind it, and the bounds of the quota; `scale` is the share that fills the bar."""
    behind = None if group.candidate_share is None else tag("i", class_="gone", style=f"width:{width(group.candidate_share / scale)}")
    own = tag("i", style=f"width:{width(group.share / scale)}")
    ends = [tag("b", class_=name, style=f"left:{width(bound / scale)}") for name, bound in (("low", group.low), ("high", group.high)) if bound is not None]
    return tag("span", behind, own, *ends, class_="bar", aria_hidden="true")


def correlation(value: float | None) -> Html | None:
    """A bar from the middle: to the left below 0, to the right above."""
    if value is None:
        return None
    wide = abs(value) / 2
    start = 0.5 if value >= 0 else 0.5 - wide
    return tag("span", tag("i", style=f"left:{width(start)};width:{width(wide)}"), class_="corr", aria_hidden="true")


def row(name: object, bar: Html, *figures: object) -> Html:
    """A row of a list of bars: what it is, the bar, and figures behind it."""
    return tag("li", tag("span", name, class_="what"), bar, tag("span", html(*(tag("span", each) for each in figures)), class_="figures"))

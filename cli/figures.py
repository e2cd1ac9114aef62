"""Figures as text: exact ones in full, estimated ones short with `~`, upper bounds with `<=`."""

from ..runtime.figure import Figure

LEGEND = "~ is estimated, <= is at most; every other number is exact"
SIGNIFICANT = 3


def shown(figure: Figure | None) -> str:
    """`1,234`, `~1.23M`, `<=1,234`; empty where nothing is known."""
    if figure is None:
        return ""
    bound = "<=" if figure.most else ""
    return f"{bound}{round(figure.value):,}" if figure.exact else f"{bound}~{_short(figure.value)}"


def _short(value: float) -> str:
    """Three digits that count: `12,300`, `1.23M`."""
    rounded = float(f"{value:.{SIGNIFICANT}g}")
    for unit, size in (("B", 1e9), ("M", 1e6)):
        if rounded >= size:
            return f"{rounded / size:g}{unit}"
    return f"{round(rounded):,}"

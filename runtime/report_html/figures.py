"""Numbers as a report writes them."""

from ..report.values import Clause

DASH = "–"
"""Stands where nothing is known."""


def count(value: float | None) -> str:
    """`1,341`; a dash where it is not known."""
    return DASH if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """`40 %`, `2.5 %`."""
    if value is None:
        return DASH
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 9.95 or abs(percent - round(percent)) < 0.05 else f"{percent:.1f} %"


def real(value: float | None, digits: int = 3) -> str:
    """With a true minus."""
    return DASH if value is None else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float | None) -> str:
    """`+0.57`, `−0.12`."""
    return DASH if value is None else f"{value:+.2f}".replace("-", "−")


def short(value: float) -> str:
    """Three digits that matter."""
    return f"{value:.3g}".replace("-", "−")


def amount(value: float, unit: str) -> str:
    """`60 examples`, `1 example`."""
    return f"{count(value)} {unit.removesuffix('s') if value == 1 else unit}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{value:,} {one if value == 1 else many or f'{one}s'}"


def held(clause: Clause, unit: str | None, *, weighted: bool = False) -> str:
    """`binding, 0.118 nats an example`, or `3 examples to spare`; `unit` is that of what is maximised, `weighted` where rows count by their tokens."""
    if not clause.binding:
        return "" if clause.slack is None else f"{amount(clause.slack, clause.unit)} to spare"
    if not clause.price:
        return "binding"
    price = " ".join(filter(None, (short(clause.price), unit, "x tokens" if weighted else None)))
    if clause.clause.startswith("keep "):
        return f"binding, {price} for one more in every prompt"
    return f"binding, {price} {'an' if clause.unit == 'examples' else 'a'} {clause.unit.removesuffix('s')}"

"""The values that one term of an expression can have: an interval, a finite set, values left out. It knows nothing of expressions."""

from dataclasses import dataclass, replace
from math import ceil, floor

from ..expressions import Scalar

LARGEST = 2**53
"""From here on an integer and the float that is compared with it need not be equal, and nothing is concluded."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Values of one kind: `number`, `text` or `bool`; of kind `any` nothing is known. `allowed` None: all of the interval.

    `low` and `high` None: no bound. `whole`: integers only.
    """

    kind: str
    low: Scalar = None
    high: Scalar = None
    low_open: bool = False
    high_open: bool = False
    allowed: frozenset | None = None
    excluded: frozenset = frozenset()
    whole: bool = False


ANY = Domain("any")


def kind_of(value: Scalar) -> str | None:
    """The kind of a constant; None for one of which nothing is concluded."""
    match value:
        case bool():
            return "bool"
        case str():
            return "text"
        case int() | float():
            return "number" if abs(value) < LARGEST else None
        case _:
            return None


def compared(operator: str, value: Scalar) -> Domain | None:
    """The values that stand in this relation to a constant; None where nothing is concluded."""
    kind = kind_of(value)
    if kind is None:
        return None
    match operator:
        case "==":
            return Domain(kind, allowed=frozenset((value,)))
        case "!=":
            return Domain(kind, excluded=frozenset((value,)))
        case "<" | "<=":
            return Domain(kind, high=value, high_open=operator == "<")
        case _:
            return Domain(kind, low=value, low_open=operator == ">")


def meet(a: Domain, b: Domain) -> Domain:
    """The values in both."""
    if a.kind != b.kind:
        return ANY
    low, low_open = max(((d.low, d.low_open) for d in (a, b) if d.low is not None), default=(None, False))  # type: ignore[type-var]
    highs = [(d.high, not d.high_open) for d in (a, b) if d.high is not None]
    high, closed = min(highs, default=(None, True))  # type: ignore[type-var]
    allowed = a.allowed if b.allowed is None else b.allowed if a.allowed is None else a.allowed & b.allowed
    both = Domain(a.kind, low, high, low_open, not closed, allowed, a.excluded | b.excluded, a.whole or b.whole)
    return _settled(both)


def join(a: Domain, b: Domain) -> Domain:
    """Values that hold all of both, and perhaps more."""
    if a.kind != b.kind:
        return ANY
    if a.allowed is not None and b.allowed is not None:
        return Domain(a.kind, allowed=a.allowed | b.allowed)
    excluded = frozenset(v for d, other in ((a, b), (b, a)) for v in d.excluded if not admits(other, v))
    a, b = _hull(a), _hull(b)
    low, low_open = (None, False) if a.low is None or b.low is None else min((a.low, a.low_open), (b.low, b.low_open))  # type: ignore[type-var]
    high, closed = (None, True) if a.high is None or b.high is None else max((a.high, not a.high_open), (b.high, not b.high_open))  # type: ignore[type-var]
    return Domain(a.kind, low, high, low_open, not closed, None, excluded, a.whole and b.whole)


def is_empty(domain: Domain) -> bool:
    """Whether no value is left."""
    if domain.allowed is not None:
        return not domain.allowed
    low, high = domain.low, domain.high
    if low is None or high is None:
        return domain.kind == "bool" and len(domain.excluded) == 2
    if low == high:
        return domain.low_open or domain.high_open or low in domain.excluded
    return low > high  # type: ignore[operator]


def admits(domain: Domain, value: Scalar) -> bool:
    """Whether a value of the domain's kind is in it."""
    if value in domain.excluded or (domain.allowed is not None and value not in domain.allowed):
        return False
    above = domain.low is None or value > domain.low or (value == domain.low and not domain.low_open)  # type: ignore[operator]
    below = domain.high is None or value < domain.high or (value == domain.high and not domain.high_open)  # type: ignore[operator]
    return above and below and not (domain.whole and value != int(value))  # type: ignore[arg-type]


def always_below(a: Domain, b: Domain, *, strictly: bool) -> bool:
    """Whether every value of `a` is below (or, not strictly, at most) every value of `b`."""
    a, b = _hull(a), _hull(b)
    if a.kind != b.kind or a.high is None or b.low is None:
        return False
    return a.high < b.low or (a.high == b.low and (not strictly or a.high_open or b.low_open))  # type: ignore[operator]


def _hull(domain: Domain) -> Domain:
    if not domain.allowed:
        return domain
    return replace(domain, low=min(domain.allowed), high=max(domain.allowed), low_open=False, high_open=False, allowed=None)


def _settled(domain: Domain) -> Domain:
    """A finite set without the values that the rest leaves out; integer bounds pulled in to integers."""
    if domain.allowed is not None:
        return Domain(domain.kind, allowed=frozenset(v for v in domain.allowed if admits(domain, v)))
    if not domain.whole:
        return domain
    low, high = domain.low, domain.high
    if low is not None:
        low = floor(low) + 1 if domain.low_open else ceil(low)  # type: ignore[arg-type]
    if high is not None:
        high = ceil(high) - 1 if domain.high_open else floor(high)  # type: ignore[arg-type]
    return replace(domain, low=low, high=high, low_open=False, high_open=False)

"""Quotas as exact numbers: how many examples or tokens, and which share, a group must have at least and may have at most."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from ..clauses import Budget, Quota

MEASURES = {"examples": "%", "tokens": "% of tokens"}
"""What is counted, and the unit of its shares."""


@dataclass(frozen=True, slots=True)
class Total:
    """How much is selected of one measure: at least `low` (something is), at most `high` (None: not known), by which budget."""

    measure: str
    low: int
    high: int | None = None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one quota asks for: in examples or tokens, and as a share of all (a `Fraction` of 1), each None where it says nothing.

    `least` and `most` hold whatever the total is; `least_of_all` is the floor where the total is the greatest.
    """

    quota: Quota
    least: int = 0
    most: int | None = None
    share_least: Fraction = Fraction(0)
    share_most: Fraction | None = None
    least_of_all: Fraction = Fraction(0)


def total_of(measure: str, budgets: Iterable[Budget]) -> Total:
    """What the budgets say of the examples (tokens) selected. Of an empty selection nothing is said."""
    for budget in budgets:
        if budget.unit == measure:
            exactly = measure == "examples" and not budget.up_to
            return Total(measure, budget.amount if exactly else int(measure == "examples"), budget.amount, budget)
    return Total(measure, int(measure == "examples"))


def bounds_of(quota: Quota, total: Total) -> Bounds | None:
    """The bounds of a quota in this measure; None where it is of the other one, or where nothing follows without the rows.

    `=` on a share of tokens holds within the longest candidate, which only the rows know.
    """
    share = quota.unit == MEASURES[total.measure]
    if (not share and quota.unit != total.measure) or (quota.equal and total.measure == "tokens"):
        return None
    low, high = (None if b is None else exact(b) for b in (quota.low, quota.high))
    if not share:
        return Bounds(quota, ceil(low or 0), None if high is None else floor(high), least_of_all=Fraction(low or 0))
    miss = int(quota.equal)
    least = 0 if low is None else max(0, ceil(low / 100 * total.low - miss))
    most = None if high is None or total.high is None else floor(high / 100 * total.high + miss)
    if quota.equal:
        return Bounds(quota, least, most, least_of_all=Fraction(least))
    asked = (low or Fraction(0)) / 100
    return Bounds(quota, least, most, asked, None if high is None else high / 100, asked * (total.high or 0))


def exact(number: float) -> Fraction:
    """The decimal that was written: 0.1 is 1/10."""
    return Fraction(str(number))


def decimal(number: Fraction) -> str:
    """A number as a decimal, exact where it has one."""
    value = Decimal(number.numerator) / Decimal(number.denominator)
    return f"{value.normalize():,f}"


def percent(share: Fraction) -> str:
    """`37.5%`."""
    return f"{decimal(share * 100)}%"

"""Clauses as linear rows over classes: a row of class c with w tokens counts `ones[j, c] + tokens[j, c] * w`, exact integers. It knows no
prices and no data but the classes.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd

import numpy as np

from ....compiler.diagnostics import Diagnostic, Fault, Label
from ....compiler.plan.stages import AtMost, Budget, Quota
from ..matrix import NONE
from ..rows import exact
from ..table import Table
from .classes import Classes


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """`low <= sum over the selected of (ones + tokens w) <= high`, int64; a bound of -NONE or NONE is absent.

    `clause`: the clause each row came from. `scale`: how many units of a row are one example or token. `at_most`: rows of one prompt.
    """

    clause: np.ndarray
    ones: np.ndarray
    tokens: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: tuple[Fraction, ...]
    at_most: int | None

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.low)

    def coefficients(self, cls: np.ndarray, w: np.ndarray) -> np.ndarray:
        """int64[constraints, rows]: what each row counts in each constraint."""
        return self.ones[:, cls] + self.tokens[:, cls] * w

    def activity(self, counts: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """What is reached where `counts` rows with `amounts` tokens of each class are selected."""
        return self.ones @ counts + self.tokens @ amounts

    def allowance(self, price: np.ndarray) -> int:
        """What the bounds are worth at integer prices."""
        return sum(int(p) * int(high if p > 0 else low) for p, low, high in zip(price, self.low, self.high, strict=True) if p)


def constraints(table: Table, known: Classes, count: int | None = None) -> Constraints:
    """The rows of every clause but `keep at most`. `count`: exactly so many rows are selected, which a caller assures."""
    count = table.count if count is None else count
    made: list[tuple[int, np.ndarray, np.ndarray, int, int, Fraction]] = []
    nothing = np.zeros(len(known.rows), np.int64)
    for i, clause in enumerate(table.clauses):
        match clause:
            case AtMost():
                pass
            case Budget(unit="examples"):
                wanted = clause.amount if not clause.up_to or count is None else min(count, clause.amount)
                low = -NONE if clause.up_to and count is None else wanted
                made.append((i, nothing + 1, nothing, low, wanted, Fraction(1)))
            case Budget():
                low = clause.amount - known.most_tokens + 1 if table.fills_tokens else -NONE
                made.append((i, nothing, nothing + 1, low, clause.amount, Fraction(1)))
            case Quota():
                inside = known.members[i - (table.at_most is not None)].astype(np.int64)
                made.extend((i, *row) for row in _quota(clause, inside, known, count))
    parts = list(zip(*made, strict=True)) if made else [()] * 6
    shape = (len(made), len(known.rows))
    return Constraints(
        clause=np.array(parts[0], np.int64),
        ones=np.array(parts[1], np.int64).reshape(shape),
        tokens=np.array(parts[2], np.int64).reshape(shape),
        low=np.array(parts[3], np.int64),
        high=np.array(parts[4], np.int64),
        scale=tuple(parts[5]),
        at_most=table.at_most.count if table.at_most else None,
    )


def limits(quota: Quota, longest: int, total: int | None = None) -> tuple[int | None, int | None]:
    """The least and the greatest amount a quota allows, in whole examples or tokens; a share is of `total`."""
    miss = _miss(quota, longest)
    factor = Fraction(1) if "%" not in quota.unit else Fraction(total or 0, 100)
    low = None if quota.low is None else ceil(exact(quota.low) * factor - miss)
    high = None if quota.high is None else floor(exact(quota.high) * factor + miss)
    return low, high


def _miss(quota: Quota, longest: int) -> int:
    """By how much an amount may miss a quota written with `=`."""
    if not quota.equal or quota.unit == "examples":
        return 0
    return 1 if quota.unit == "%" else longest


def _quota(quota: Quota, inside: np.ndarray, known: Classes, count: int | None) -> list[tuple[np.ndarray, np.ndarray, int, int, Fraction]]:
    nothing = np.zeros_like(inside)
    if "%" not in quota.unit or (quota.unit == "%" and count is not None):
        low, high = limits(quota, known.most_tokens, count)
        ones, tokens = (nothing, inside) if quota.unit == "tokens" else (inside, nothing)
        return [(ones, tokens, -NONE if low is None else low, NONE if high is None else high, Fraction(1))]
    miss = _miss(quota, known.most_tokens)
    sides = [("equal", quota.low)] if quota.equal else [("low", quota.low), ("high", quota.high)]
    made = []
    for side, share in sides:
        if share is None:
            continue
        q = exact(share) / 100
        heaviest = max(known.most_tokens, 1) if quota.unit == "% of tokens" else 1
        if q.denominator * heaviest * max(known.total, 1) >= 2**62:
            label = Label(quota.span, "fewer decimals are needed here")
            raise Fault(Diagnostic("MIX0404", f"a share of {share} % is too fine to be solved exactly", label))
        each = q.denominator * inside - q.numerator
        common = gcd(*(int(v) for v in np.unique(each))) or 1
        margin = q.denominator * miss
        low = -NONE if side == "high" else ceil(Fraction(-margin, common))
        high = NONE if side == "low" else floor(Fraction(margin, common))
        ones, tokens = (each // common, nothing) if quota.unit == "%" else (nothing, each // common)
        made.append((ones, tokens, low, high, Fraction(q.denominator, common)))
    return made

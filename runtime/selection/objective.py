"""Objectives as integers, so that sums of them are compared exactly. It knows nothing of clauses."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

LEVELS = 2**30
TIES = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """`value[r] * unit` is the objective of row r: exactly where `exact`, else rounded to the nearest."""

    value: np.ndarray
    unit: Fraction
    exact: bool


def objective(numbers: np.ndarray) -> Objective:
    """Finite numbers in whole units.

    Numbers with few decimals are kept exactly (tenths, hundredths, ... up to millionths). Others are rounded to a power
    of two of at most 2^-29 of the largest magnitude: differences below that in one row, 2e-9 of the largest, count as
    none.
    """
    largest = float(np.abs(numbers).max(initial=0.0))
    if largest == 0.0:
        return Objective(np.zeros(len(numbers), np.int64), Fraction(1), True)
    for decimals in range(7):
        scaled = numbers * 10.0**decimals
        if largest * 10.0**decimals > LEVELS:
            break
        whole = np.rint(scaled)
        if np.array_equal(whole / 10.0**decimals, numbers):
            value = whole.astype(np.int64)
            common = int(np.gcd.reduce(value))
            return Objective(value // common, Fraction(common, 10**decimals), True)
    exponent = int(np.frexp(largest)[1]) - 30
    whole = np.rint(np.ldexp(numbers, -exponent))
    return Objective(whole.astype(np.int64), Fraction(2) ** exponent, bool(np.array_equal(np.ldexp(whole, exponent), numbers)))


def tie_cost(tie: np.ndarray) -> np.ndarray:
    """What a row costs among selections of equal objective: the upper 20 bits of its seeded hash."""
    return (tie >> np.uint64(44)).astype(np.int64)

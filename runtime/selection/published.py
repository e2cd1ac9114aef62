"""The published sampler (Zhang et al., 2601.10109): draw a leaf by its weight, then one of its rows, until enough rows are drawn. It
takes the place of the optimisation and knows no clause but the number of rows.

There, a row that was drawn before is rejected and a leaf is drawn anew. So the next row that counts is row r with a chance in proportion
to rate(r), the sum over its leaves of weight / rows in the leaf, among the rows not drawn yet; and that is the order of -log(u_r) /
rate(r) for independent u_r (Efraimidis and Spirakis, 2006). With u_r from the row's seeded hash nothing else decides: neither the
order of rows, nor threads, nor which other rows there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """`chosen`: bool a row. `chance`: of each leaf, in the first draw; leaves without rows have none. `pool`: how many rows can be drawn."""

    chosen: np.ndarray
    chance: tuple[float, ...]
    pool: int


def draw(weights: Sequence[Fraction], members: Sequence[np.ndarray], tie: np.ndarray, count: int) -> Drawn:
    """At most `count` rows without replacement. `members`: of each leaf its rows, as indices; `tie`: the seeded hash, uint64[rows]."""
    there = [bool(len(rows)) for rows in members]
    total = sum((w for w, some in zip(weights, there, strict=True) if some), Fraction(0))
    chance = tuple(float(w / total) if some else 0.0 for w, some in zip(weights, there, strict=True))
    rate = np.zeros(len(tie))
    for share, rows in zip(chance, members, strict=True):
        if len(rows):
            rate[rows] += share / len(rows)
    pool = np.flatnonzero(rate)
    # The middle of its 2^-52 wide interval, so that no hash gives 0 or 1.
    uniform = ((tie[pool] >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    order = pool[np.lexsort((tie[pool], -np.log(uniform) / rate[pool]))]
    chosen = np.zeros(len(tie), bool)
    chosen[order[:count]] = True
    return Drawn(chosen, chance, len(pool))

"""What prices within a margin leave in doubt: the rows of a pool that they may yet move, and the constraints less what the others count.

Prices of a large selection err by little, so that most of its rows are sure to be taken or sure not to be; solvers need the rest only.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..matrix import NONE
from .constraints import Constraints
from .dual import System, product
from .pool import Pool
from .segments import crowded, runs, top

NEAR = 2.0



@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """How far prices may err for a row of class c with w tokens: `base[c] + slope[c] w`, where the largest value of a row is about 1."""

    base: np.ndarray
    slope: np.ndarray

    def of(self, pool: Pool) -> np.ndarray:
        """The margin of each row."""
        return self.base[pool.cls] + self.slope[pool.cls] * pool.tokens

    def wider(self, times: float) -> "Margin":
        """The margin so many times over."""
        return Margin(self.base * times, self.slope * times)


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """`pool`: the rows in doubt, `inside` of the whole pool. `taken`: bool[rows of the whole pool], those surely taken. `held`, `made`: the
    constraints for the rows in doubt. All of it holds for prices within `margin` of `price`, and in what `outer` holds, of which this is a core.
    """

    pool: Pool
    held: System
    made: Constraints
    inside: np.ndarray
    taken: np.ndarray
    price: np.ndarray
    margin: Margin
    outer: "Core | None" = None

    def holds(self, price: np.ndarray, times: float = 1.0) -> bool:
        """Whether prices are within the margin, or so many `times` the margin, for every row that there may be."""
        if self.outer is not None and not self.outer.holds(price, times):
            return False
        moved = price - self.price
        ones, tokens = product(moved, self.held.ones), product(moved, self.held.tokens)
        ends = (self.held.shortest, self.held.longest)
        return all(bool(np.all(np.abs(ones + tokens * w) <= times * (self.margin.base + self.margin.slope * w))) for w in ends)


def near(held: System, smooth: float) -> Margin:
    """How far prices move when the smoothing is lowered to `smooth`, as a rule."""
    return Margin(np.full(len(held.typical), NEAR * smooth), NEAR * smooth / np.maximum(held.typical, 1.0))


def everything(held: System) -> Margin:
    """The margin that leaves every row in doubt."""
    return Margin(np.full(len(held.typical), np.inf), np.zeros(len(held.typical)))


def core(pool: Pool, made: Constraints, held: System, price: np.ndarray, smooth: float, margin: Margin) -> Core:
    """The core of a pool at `price`."""
    taken, dropped = _sure(pool, held, price, smooth, margin)
    shift = activity(pool, made, taken)
    low = np.where(made.low == -NONE, -NONE, made.low - shift)
    high = np.where(made.high == NONE, NONE, made.high - shift)
    inside = np.flatnonzero(~(taken | dropped))
    return Core(
        pool=pool.where(inside),
        held=replace(held, low=held.low - shift / held.unit, high=held.high - shift / held.unit),
        made=replace(made, low=low, high=high),
        inside=inside,
        taken=taken,
        price=price,
        margin=margin,
    )


def activity(pool: Pool, made: Constraints, taken: np.ndarray) -> np.ndarray:
    """int64[constraints]: what the rows of a mask count."""
    counts, amounts = np.zeros((2, made.ones.shape[1]), np.int64)
    np.add.at(counts, pool.cls[taken], 1)
    np.add.at(amounts, pool.cls[taken], pool.tokens[taken])
    return made.activity(counts, amounts)


def _sure(pool: Pool, held: System, price: np.ndarray, smooth: float, margin: Margin) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are taken whole, and which are not taken at all, at all prices within the margin."""
    advantage, room = held.advantage(pool, price), margin.of(pool)
    most, least = advantage + room, advantage - room - smooth
    taken, dropped = least > 0, most <= 0
    if held.at_most is None:
        return taken, dropped
    live = np.flatnonzero(~dropped)
    rows = live[crowded(pool.prompt[live], held.at_most)]
    if not len(rows):
        return taken, dropped
    high, low = most[rows], np.maximum(least[rows], 0.0)
    first, _, place = runs(pool.prompt[rows])
    best = top(high, first, place, held.at_most)
    after = np.maximum.reduceat(np.where(best, 0.0, high), first)
    sure = least[rows] > after[place]
    whole = (np.add.reduceat(sure.astype(np.int64), first) == held.at_most)[place]
    last = np.minimum.reduceat(np.where(top(low, first, place, held.at_most), low, np.inf), first)
    taken[rows] = sure & whole
    dropped[rows] = ~sure & whole | (high < last[place])
    return taken, dropped

"""The Lagrangian dual over a pool, smoothed: what prices of the clauses cost at most, its slope and its curvature.

With prices p, every prompt takes rows to maximise sum of (a_r x_r - s/2 x_r^2) over 0 <= x <= 1 and at most k rows, where a_r is the row's
worth less its prices: x_r = (a_r - t)/s held to [0, 1] with the prompt's threshold t. Smoothing of s = 0 is the dual itself.
"""

from dataclasses import dataclass

import numpy as np

from ..matrix import NONE
from .classes import Classes
from .constraints import Constraints
from .pool import WORTH, Pool
from .segments import crowded, runs

HALVINGS = 60
CLOSE = 1e-4
ENOUGH = 30_000
"""So many rows tell the curvature well enough."""


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """Constraints as floats, each divided by `unit` so that a typical row counts about 1; bounds of a `part` of the table.

    `size`: how large the bounds of the whole part are, 1 at least. `shortest`, `typical`, `longest`: tokens of each class.
    """

    ones: np.ndarray
    tokens: np.ndarray
    low: np.ndarray
    high: np.ndarray
    unit: np.ndarray
    size: np.ndarray
    at_most: int | None
    shortest: np.ndarray
    typical: np.ndarray
    longest: np.ndarray

    def advantage(self, pool: Pool, price: np.ndarray) -> np.ndarray:
        """What each row is worth less its prices."""
        return pool.worth * 2.0**-WORTH - product(price, self.ones)[pool.cls] - product(price, self.tokens)[pool.cls] * pool.tokens

    def activity(self, pool: Pool, taken: np.ndarray) -> np.ndarray:
        """What the rows taken, in parts, count in each constraint."""
        width = self.ones.shape[1]
        return product(self.ones, np.bincount(pool.cls, taken, width)) + product(self.tokens, np.bincount(pool.cls, taken * pool.tokens, width))

    def columns(self, cls: np.ndarray, w: np.ndarray) -> np.ndarray:
        """float[constraints, rows]."""
        return self.ones[:, cls] + self.tokens[:, cls] * w

    def allowance(self, price: np.ndarray) -> float:
        """What the bounds are worth at these prices."""
        up, down = price > 0, price < 0
        return float((price[up] * self.high[up]).sum() + (price[down] * self.low[down]).sum())


def system(made: Constraints, part: float, known: Classes) -> System:
    """The constraints for a `part` (0 to 1) of the table."""
    typical = known.tokens / np.maximum(known.rows, 1)
    size = np.abs(made.ones + made.tokens * typical)
    unit = np.maximum((size * (known.rows > 0)).max(axis=1, initial=0.0), 1.0) if made.height else np.zeros(0)
    low = np.where(made.low == -NONE, -np.inf, made.low * part) / unit
    high = np.where(made.high == NONE, np.inf, made.high * part) / unit
    return System(
        ones=made.ones / unit[:, None],
        tokens=made.tokens / unit[:, None],
        low=low,
        high=high,
        unit=unit,
        size=np.maximum(np.abs(np.where(made.high == NONE, 0, high)), np.abs(np.where(made.low == -NONE, 0, low))) + 1.0,
        at_most=made.at_most,
        shortest=known.shortest,
        typical=typical,
        longest=known.longest,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The smoothed dual at some prices. `taken`: x. `inner`: rows (indices) with 0 < x < 1; `bound`: of each of them the prompt, where the
    prompt's threshold is above zero, else -1.
    """

    value: float
    activity: np.ndarray
    taken: np.ndarray
    inner: np.ndarray
    bound: np.ndarray


def point(pool: Pool, held: System, price: np.ndarray, smooth: float) -> Point:
    """The smoothed dual at `price`."""
    advantage = held.advantage(pool, price)
    better = np.flatnonzero(advantage > 0)
    gain = advantage[better]
    prompt = pool.prompt[better]
    threshold = np.zeros(len(better))
    if held.at_most is not None and len(better):
        close = crowded(prompt, held.at_most)
        threshold[close] = _thresholds(gain[close], prompt[close], held.at_most, smooth)
    part = np.clip((gain - threshold) / smooth, 0.0, 1.0)
    taken = np.zeros(pool.size)
    taken[better] = part
    inside = (part > CLOSE) & (part < 1 - CLOSE)
    return Point(
        value=held.allowance(price) + float((gain * part).sum()) - smooth / 2 * float((part * part).sum()),
        activity=held.activity(pool, taken),
        taken=taken,
        inner=better[inside],
        bound=np.where(threshold > 0, prompt, -1)[inside],
    )


def _thresholds(gain: np.ndarray, prompt: np.ndarray, most: int, smooth: float) -> np.ndarray:
    """For each row the threshold at which its prompt takes `most` rows, 0 where it takes no more without one: bisection, then the exact
    point of the straight piece.
    """
    if not len(gain):
        return gain
    first, _, place = runs(prompt)
    tight = np.add.reduceat(np.minimum(gain / smooth, 1.0), first) > most
    high = np.maximum.reduceat(gain, first)
    low = np.where(tight & (most == 1), np.maximum(high - smooth, 0.0), 0.0)
    near = np.flatnonzero(tight[place] & (gain > low[place]))
    if most == 1:  # where only one row is so near to the best, `low` is its threshold
        near = near[crowded(place[near], 1)]
    if len(near):
        first, _, within = runs(place[near])
        runs_near = place[near][first]
        bounds = low[runs_near], high[runs_near]
        low[runs_near] = _shared(gain[near], first, within, smooth) if most == 1 else _bisected(gain[near], first, within, *bounds, most, smooth)
    return low[place]


def _shared(gain: np.ndarray, first: np.ndarray, place: np.ndarray, smooth: float) -> np.ndarray:
    """The threshold of each run at which its parts sum to one, none of them above it: rows below the threshold are dropped until none is
    (Michelot 1986).
    """
    inside = np.ones(len(gain), bool)
    while True:
        number = np.add.reduceat(inside.astype(np.int64), first)
        threshold = (np.add.reduceat(np.where(inside, gain, 0.0), first) - smooth) / number
        kept = inside & (gain > threshold[place])
        if np.array_equal(kept, inside):
            return threshold
        inside = kept


def _bisected(
    gain: np.ndarray, first: np.ndarray, place: np.ndarray, low: np.ndarray, high: np.ndarray, most: int, smooth: float
) -> np.ndarray:
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = np.add.reduceat(np.clip((gain - middle[place]) / smooth, 0.0, 1.0), first) > most
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        if np.all(high - low <= 1e-4 * smooth):
            break
    rise = (gain - low[place]) / smooth
    number = np.add.reduceat(((rise > 0) & (rise < 1)).astype(np.int64), first)
    excess = np.add.reduceat(np.clip(rise, 0.0, 1.0), first) - most
    return low + np.where(number > 0, excess * smooth / np.maximum(number, 1), 0.0)


def curvature(pool: Pool, held: System, at: Point, smooth: float) -> np.ndarray:
    """The second derivative of the smoothed dual, float[constraints, constraints]; of very many rows in doubt from some of the prompts."""
    width = held.ones.shape[1]
    inner, bound, times = at.inner, at.bound, 1.0
    if len(inner) > ENOUGH:
        some = np.flatnonzero(pool.prompt[inner] % -(-len(inner) // ENOUGH) == 0)
        inner, bound, times = inner[some], bound[some], len(inner) / max(len(some), 1)
    tied = bound >= 0
    first, size, place = runs(bound[tied])
    alone = np.zeros(len(inner), bool)
    alone[tied] = (size == 1)[place]  # what a prompt's threshold gives to its only row in doubt it takes from it again
    rows, tied = inner[~alone], tied[~alone]
    w = pool.tokens[rows].astype(np.float64)
    number, once, twice = (np.bincount(pool.cls[rows], weights, width) for weights in (np.ones(len(rows)), w, w * w))
    there = np.flatnonzero(number)
    ones, tokens = held.ones[:, there], held.tokens[:, there]
    mixed = product(ones * once[there], tokens.T)
    total = product(ones * number[there], ones.T) + mixed + mixed.T + product(tokens * twice[there], tokens.T)
    if tied.any():
        columns = held.columns(pool.cls[rows[tied]], pool.tokens[rows[tied]])
        first, size, _ = runs(pool.prompt[rows[tied]])
        sums = np.add.reduceat(columns, first, axis=1)
        total -= product(sums / size, sums.T)
    return total * (times / smooth)


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The matrix product, summed in one order: that of a BLAS library depends on its threads."""
    return np.einsum({(1, 2): "i,ij->j", (2, 1): "ij,j->i", (2, 2): "ij,jk->ik"}[left.ndim, right.ndim], left, right)

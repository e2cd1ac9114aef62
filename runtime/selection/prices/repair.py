"""From prices to whole rows: the rows nearest to their threshold are decided by a linear and then an integer program, the rest by the prices."""

from dataclasses import dataclass
from math import floor

import numpy as np

from ..highs import Refusal, run
from ..matrix import NONE, Matrix
from .constraints import Constraints
from .doubt import Core, activity
from .dual import System
from .pool import WORTH, Pool
from .segments import runs, starts, top

PROMPTS = 1000
NODES = 500
CLOSE = 1e-9
LEAST = 2.0**-30
COUNTED = 20_000
"""When a program of so many rows has found a selection, no larger one looks for another with more rows."""
MOST = 200_000
"""Where a program of more rows than this finds nothing, none larger is tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """`chosen`: bool a row of the whole pool, None where no rows of the pool satisfy the constraints. `price`: in units of `System`. `bound`: the dual there."""

    chosen: np.ndarray | None
    price: np.ndarray
    bound: float


def repaired(part: Core, settled: float, price: np.ndarray, share: float, counting: bool) -> Repaired:
    """A selection from the pool of a core, and prices that are optimal over it. `settled`: what the rows are worth that the core takes for
    sure. `share`: what may be lost of the value. `counting`: every row is worth one, and none may be lost that the bound leaves room for, as
    far as programs of a bounded size tell.
    """
    pool, made, best = part.pool, part.made, None
    price, base, doubt, bound, decided = _polished(part, settled, price)
    if decided is None:
        return Repaired(None, price, bound)
    most, gap = PROMPTS // 2, 0.5 if counting else share * max(abs(bound), LEAST)
    while True:
        free = _nearest(pool, np.where(decided, -1.0, doubt), most)
        matrix = _matrix(pool, made, base, free)
        everything = len(free) == pool.size
        answer = run(matrix, pool.worth[free], integral=True, nodes=None if everything else NODES, gap=gap * 2.0**WORTH)
        if not isinstance(answer, Refusal):
            chosen = base.copy()
            chosen[free] = answer.x > 0.5
            if matrix.holds(chosen[free]):
                whole = part.taken.copy()
                whole[part.inside[chosen]] = True
                if best is None or whole.sum() > best.sum():
                    best = whole
                if not counting or best.sum() >= floor(bound + 1e-6) or len(free) > COUNTED:
                    return Repaired(best, price, bound)
        if everything or len(free) > MOST:
            return Repaired(best, price, bound)
        most *= 4


def _polished(part: Core, settled: float, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, np.ndarray | None]:
    """Prices, base, doubt, the dual and the rows that the relaxation takes in part (None: nothing satisfies it) of the core's linear program, by
    linear programs over ever more of it.
    """
    pool, made, held, most = part.pool, part.made, part.held, PROMPTS
    base, doubt, bound = _standing(pool, held, price)
    for _ in range(12):
        free = _nearest(pool, doubt, most)
        answer = run(_matrix(pool, made, base, free), pool.worth[free], integral=False)
        if isinstance(answer, Refusal):
            if len(free) == pool.size or len(free) > MOST:
                return price, base, doubt, bound + settled, None
            most *= 4
            continue
        tried = _legal(answer.price[: made.height], made) * held.unit * 2.0**-WORTH
        fixed = base.copy()
        fixed[free] = False
        reached = float(pool.worth[fixed].sum() + (answer.x * pool.worth[free]).sum()) * 2.0**-WORTH
        there = _standing(pool, held, tried)
        if there[2] <= bound:
            price, (_, doubt, bound) = tried, there
        if there[2] - reached <= CLOSE * max(abs(reached + settled), 1.0) or len(free) == pool.size:
            decided = np.zeros(pool.size, bool)
            decided[free] = np.minimum(answer.x, 1 - answer.x) > 1e-9
            fixed[free] = answer.x > 0.5
            return price, fixed, doubt, bound + settled, decided
        base = there[0] if there[2] <= bound else base
        most = int(most * 1.5)
    return price, base, doubt, bound + settled, np.zeros(pool.size, bool)


def _legal(price: np.ndarray, made: Constraints) -> np.ndarray:
    """Prices of the sign that their bounds allow."""
    return np.where((price > 0) & (made.high == NONE) | (price < 0) & (made.low == -NONE), 0.0, price)


def _standing(pool: Pool, held: System, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Which rows the prices take, how far each is from changing sides, and the dual."""
    advantage = held.advantage(pool, price)
    taken = advantage > 0
    last, after = np.zeros((2, int(pool.prompt[-1]) + 1 if pool.size else 0))
    if held.at_most is not None:
        live = np.flatnonzero(taken)
        first, size, place = runs(pool.prompt[live])
        full = np.flatnonzero(size >= held.at_most)
        last[pool.prompt[live][first[full]]] = np.minimum.reduceat(advantage[live], first)[full] if len(full) else 0.0
        rows = live[np.repeat(size > held.at_most, size)]
        if len(rows):
            gain = advantage[rows]
            first, _, place = runs(pool.prompt[rows])
            best = top(gain, first, place, held.at_most)
            last[pool.prompt[rows[first]]] = np.minimum.reduceat(np.where(best, gain, np.inf), first)
            after[pool.prompt[rows[first]]] = np.maximum.reduceat(np.where(best, 0.0, gain), first)
            taken[rows] = best
    doubt = np.abs(advantage - np.where(taken, after[pool.prompt], last[pool.prompt]))
    return taken, doubt, held.allowance(price) + float(advantage[taken].sum())


def _nearest(pool: Pool, doubt: np.ndarray, prompts: int) -> np.ndarray:
    """The rows of the prompts whose nearest row is least sure, as sorted indices."""
    least = np.minimum.reduceat(doubt, starts(pool.prompt)) if pool.size else doubt
    if prompts >= len(least):
        return np.arange(pool.size)
    inside = np.zeros(len(least), bool)
    inside[np.argsort(least, kind="stable")[:prompts]] = True
    inside |= least < 0
    return np.flatnonzero(inside[pool.prompt])


def _matrix(pool: Pool, made: Constraints, base: np.ndarray, free: np.ndarray) -> Matrix:
    """The constraints over the rows `free` when all others stay at `base`."""
    fixed = base.copy()
    fixed[free] = False
    shift = activity(pool, made, fixed)
    row, column, entries = _entries(pool, made, free)
    low = np.where(made.low == -NONE, -NONE, made.low - shift)
    high = np.where(made.high == NONE, NONE, made.high - shift)
    if made.at_most is not None:
        prompt, place, number = np.unique(pool.prompt[free], return_inverse=True, return_counts=True)
        room = made.at_most - np.bincount(pool.prompt[fixed], minlength=int(pool.prompt[-1]) + 1)[prompt] if pool.size else np.zeros(0)
        tight = np.flatnonzero(number > room)
        at = np.full(len(prompt), -1)
        at[tight] = np.arange(len(tight)) + made.height
        held = np.flatnonzero(at[place] >= 0)
        row, column = np.r_[row, at[place[held]]], np.r_[column, held]
        entries = np.r_[entries, np.ones(len(held), np.int64)]
        low, high = np.r_[low, np.full(len(tight), -NONE)], np.r_[high, room[tight]]
    return Matrix(row, column, entries, low, high, len(free))


def _entries(pool: Pool, made: Constraints, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is not zero of what each row of `free` counts in each constraint: constraint, place in `free`, amount."""
    cls = pool.cls[free]
    row, of = np.nonzero((made.ones != 0) | (made.tokens != 0))
    order = np.argsort(of, kind="stable")
    row, number = row[order], np.bincount(of, minlength=made.ones.shape[1])
    first = np.cumsum(number) - number
    column = np.repeat(np.arange(len(free)), number[cls])
    within = np.arange(len(column)) - np.repeat(np.cumsum(number[cls]) - number[cls], number[cls])
    row = row[first[cls[column]] + within]
    entries = made.ones[row, cls[column]] + made.tokens[row, cls[column]] * pool.tokens[free][column]
    there = entries != 0
    return row[there], column[there], entries[there]

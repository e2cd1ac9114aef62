"""From prices to whole rows: the rows nearest to their threshold are decided by a linear and then an integer program, the rest by the prices."""

from dataclasses import dataclass

import numpy as np

from ..highs import Refusal, run
from ..matrix import NONE, Matrix
from .constraints import Constraints
from .dual import System
from .pool import WORTH, Pool

PROMPTS = 1000
NODES = 500
CLOSE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """`chosen`: bool a row, None where no rows of the pool satisfy the constraints. `price`: in units of `System`. `bound`: the dual there."""

    chosen: np.ndarray | None
    price: np.ndarray
    bound: float


def repaired(pool: Pool, made: Constraints, held: System, price: np.ndarray, tolerance: float) -> Repaired:
    """A selection from the pool, and prices that are optimal over it. `tolerance`: what may be lost of the relaxation's value."""
    price, base, doubt, bound, decided = _polished(pool, made, held, price)
    if decided is None:
        return Repaired(None, price, bound)
    most = PROMPTS // 2
    while True:
        free = _nearest(pool, np.where(decided, -1.0, doubt), most)
        matrix = _matrix(pool, made, base, free)
        everything = len(free) == pool.size
        answer = run(matrix, pool.worth[free], integral=True, nodes=None if everything else NODES, gap=tolerance * 2.0**WORTH)
        if not isinstance(answer, Refusal):
            chosen = base.copy()
            chosen[free] = answer.x > 0.5
            if matrix.holds(chosen[free]):
                return Repaired(chosen, price, bound)
        if everything:
            return Repaired(None, price, bound)
        most *= 4


def _polished(pool: Pool, made: Constraints, held: System, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, np.ndarray | None]:
    """Prices, base, doubt, the dual and the rows that the relaxation takes in part (None: nothing satisfies it) of the pool's linear program, by
    linear programs over ever better cores.
    """
    most = PROMPTS
    base, doubt, bound = _standing(pool, held, price)
    for _ in range(12):
        free = _nearest(pool, doubt, most)
        answer = run(_matrix(pool, made, base, free), pool.worth[free], integral=False)
        if isinstance(answer, Refusal):
            if len(free) == pool.size:
                return price, base, doubt, bound, None
            most *= 4
            continue
        tried = _legal(answer.price[: made.height], made) * held.unit * 2.0**-WORTH
        fixed = base.copy()
        fixed[free] = False
        reached = float(pool.worth[fixed].sum() + (answer.x * pool.worth[free]).sum()) * 2.0**-WORTH
        there = _standing(pool, held, tried)
        if there[2] <= bound:
            price, (_, doubt, bound) = tried, there
        if there[2] - reached <= CLOSE * max(abs(reached), 1.0) or len(free) == pool.size:
            part = np.zeros(pool.size, bool)
            part[free] = np.minimum(answer.x, 1 - answer.x) > 1e-9
            fixed[free] = answer.x > 0.5
            return price, fixed, doubt, bound, part
        base = there[0] if there[2] <= bound else base
        most = int(most * 1.5)
    part = np.zeros(pool.size, bool)
    return price, base, doubt, bound, part


def _legal(price: np.ndarray, made: Constraints) -> np.ndarray:
    """Prices of the sign that their bounds allow."""
    return np.where((price > 0) & (made.high == NONE) | (price < 0) & (made.low == -NONE), 0.0, price)


def _standing(pool: Pool, held: System, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Which rows the prices take, how far each is from changing sides, and the dual."""
    advantage = held.advantage(pool, price)
    if held.at_most is None:
        taken = advantage > 0
        return taken, np.abs(advantage), held.allowance(price) + float(advantage[taken].sum())
    order = np.lexsort((-advantage, pool.prompt))
    prompt = pool.prompt[order]
    first = np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(order)]
    place = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    last, after = np.zeros((2, len(first)))
    for at, bar in ((held.at_most - 1, last), (held.at_most, after)):
        there = place == at
        bar[prompt[there]] = np.maximum(advantage[order[there]], 0.0)
    taken = np.zeros(pool.size, bool)
    taken[order] = (place < held.at_most) & (advantage[order] > 0)
    doubt = np.abs(advantage - np.where(taken, after[pool.prompt], last[pool.prompt]))
    return taken, doubt, held.allowance(price) + float(advantage[taken].sum())


def _nearest(pool: Pool, doubt: np.ndarray, prompts: int) -> np.ndarray:
    """The rows of the prompts whose nearest row is least sure, as sorted indices."""
    least = np.full(int(pool.prompt[-1]) + 1 if pool.size else 0, np.inf)
    np.minimum.at(least, pool.prompt, doubt)
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
    width = made.ones.shape[1]
    counts, amounts = np.zeros((2, width), np.int64)
    np.add.at(counts, pool.cls[fixed], 1)
    np.add.at(amounts, pool.cls[fixed], pool.tokens[fixed])
    shift = made.activity(counts, amounts)
    dense = made.coefficients(pool.cls[free], pool.tokens[free])
    row, column = np.nonzero(dense)
    entries = dense[row, column]
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

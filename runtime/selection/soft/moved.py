"""Which leaves had better be short: a linear program over the rows that prices doubt most, with what each leaf lacks as a column of its own.
All other rows are as the prices have them.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..highs import Refusal, run
from ..matrix import Matrix, stacked
from ..rows import Row
from .least import rounded
from .proof import Prices, Sides, advantage, bound, legal, prompt_bars

PROMPTS = 1500
ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Prices that prove more, and what each leaf is to lack, in whole numbers."""

    prices: Prices
    lacking: np.ndarray


def moved(sides: Sides, priced: Prices, missed: int) -> Moved | None:
    """The prices of the relaxation near `priced`, and how it shares out what is missed; None where no rows near them satisfy the clauses."""
    power = 2.0**30 / max(float(np.abs(sides.value).max(initial=0.0)), 2.0**-500)
    worth = np.rint(sides.value * power).astype(np.int64)
    most, best, proven = PROMPTS, None, bound(priced, sides, missed)
    for _ in range(ROUNDS):
        base, doubt = _standing(sides, priced)
        free = _nearest(sides, doubt, most)
        matrix, rows = _matrix(sides, base, free, missed)
        leaves = len(sides.soft.leaves)
        answer = run(matrix, np.r_[worth[free], np.zeros(leaves, np.int64)], integral=False)
        if isinstance(answer, Refusal):
            if len(free) == sides.problem.size:
                return best
            most *= 4
            continue
        tried = legal(Prices(answer.price[: len(sides.lines)] / power, -answer.price[rows : rows + leaves] / power), sides)
        there = bound(tried, sides, missed)
        fixed = base.copy()
        fixed[free] = False
        reached = float(sides.value[fixed].sum() + (sides.value[free] * answer.x[: len(free)]).sum())
        better = there < proven
        if better or best is None:
            best = Moved(tried, rounded(answer.x[len(free) :], missed))
        if better:
            priced, proven = tried, there
        if proven - reached <= 1e-7 * abs(reached) or len(free) == sides.problem.size:
            return best
        most *= 2
    return best


def _standing(sides: Sides, priced: Prices) -> tuple[np.ndarray, np.ndarray]:
    """Which rows the prices take, and how far each is from changing sides."""
    gain = advantage(priced, sides)
    if sides.problem.at_most is None:
        return gain > 0, np.abs(gain)
    last, out = prompt_bars(gain, sides.problem.prompt, sides.problem.at_most.count)
    taken = (gain > 0) & (gain >= last[sides.problem.prompt]) & (gain > out[sides.problem.prompt])
    return taken, np.abs(gain - np.where(taken, out[sides.problem.prompt], last[sides.problem.prompt]))


def _nearest(sides: Sides, doubt: np.ndarray, prompts: int) -> np.ndarray:
    """The rows of the prompts whose nearest row is least sure."""
    prompt = sides.problem.prompt
    least = np.full(int(prompt.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, prompt, doubt)
    if prompts >= len(least):
        return np.arange(sides.problem.size)
    inside = np.zeros(len(least), bool)
    inside[np.argsort(least, kind="stable")[:prompts]] = True
    return np.flatnonzero(inside[prompt])


def _matrix(sides: Sides, base: np.ndarray, free: np.ndarray, missed: int) -> tuple[Matrix, int]:
    """The lines, the leaves, what is missed in all and the prompts over the rows `free` and a column a leaf; and at which row the leaves begin."""
    problem, known = sides.problem, sides.known
    fixed = base.copy()
    fixed[free] = False
    counts = np.bincount(known.of[fixed], minlength=known.total).astype(np.int64)
    amounts = np.zeros(known.total, np.int64)
    np.add.at(amounts, known.of[fixed], problem.tokens[fixed])
    of, tokens, wide, leaves = known.of[free], problem.tokens[free], len(free), len(sides.soft.leaves)

    def row(ones: np.ndarray, per_token: np.ndarray, low: int, high: int, more: int | None = None) -> Row:
        each = ones[of] + per_token[of] * tokens
        at = np.flatnonzero(each)
        shift = int(ones @ counts + per_token @ amounts)
        ends = [None if abs(end) == 2**62 else int(end) - shift for end in (low, high)]
        return Row(at, each[at], *ends) if more is None else Row(np.r_[at, more], np.r_[each[at], 1], *ends)

    made = [row(line.ones, line.tokens, line.low, line.high) for line in sides.lines]
    nothing, inside = np.zeros(known.total, np.int64), known.leaves.astype(np.int64)
    for i, target in enumerate(sides.soft.targets):
        pair = (nothing, inside[i]) if sides.soft.unit == "tokens" else (inside[i], nothing)
        made.append(row(*pair, target, 2**62, wide + i))
    made.append(Row(np.arange(wide, wide + leaves), np.ones(leaves, np.int64), None, missed))
    upper = np.r_[np.ones(wide, np.int64), sides.targets]
    return replace(stacked([*made, *_prompts(sides, fixed, free)], wide + leaves), upper=upper), len(sides.lines)


def _prompts(sides: Sides, fixed: np.ndarray, free: np.ndarray) -> list[Row]:
    most = sides.problem.at_most
    if most is None or not len(free):
        return []
    prompt = sides.problem.prompt[free]
    order = np.argsort(prompt, kind="stable")
    start = np.flatnonzero(np.r_[True, prompt[order][1:] != prompt[order][:-1]])
    taken = np.bincount(sides.problem.prompt[fixed], minlength=int(prompt.max()) + 1)
    groups = np.split(order, start[1:])
    return [Row(g, np.ones(len(g), np.int64), None, int(most.count - taken[prompt[g[0]]])) for g in groups if len(g) > most.count - taken[prompt[g[0]]]]

"""From prices near the right ones to a selection: linear programs over the rows that prices doubt most, with what each leaf lacks as a column of
its own, make them those of the relaxation; an integer program over such rows makes the selection. All other rows are as the prices have them.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..highs import Refusal, run
from ..matrix import NONE, Matrix, stacked
from ..rows import Row
from .proof import Prices, Sides, advantage, bound, legal, prompt_bars

PROMPTS = 1500
MOST = 150_000
"""Rows at most in a linear program."""
ROUNDS = 10
CLOSE = 1e-6
STEPS = (1.0, 0.5, 0.25, 0.1, 0.03)
NODES = 200
WORTH = 2.0**30


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """`prices` that are nearly optimal, what they prove (`bound`), and the rows that the relaxation takes (`base`); `part`: those taken in part. `lacking`: what
    each leaf lacks.
    """

    prices: Prices
    bound: float
    base: np.ndarray
    part: np.ndarray
    lacking: np.ndarray


def relaxed(sides: Sides, priced: Prices, missed: int) -> Relaxed | None:
    """The prices of the relaxation near `priced`; None where no rows near them satisfy the clauses."""
    worth, power = _whole(sides)
    most, found, proven = PROMPTS, None, bound(priced, sides, missed)
    leaves, first = len(sides.soft.leaves), len(sides.lines)
    for _ in range(ROUNDS):
        base, doubt = _standing(sides, priced)
        free = _nearest(sides, doubt, most)
        everything = len(free) == sides.problem.size
        if len(free) > MOST and not everything:
            return found
        answer = run(_matrix(sides, base, free, missed), np.r_[worth[free], np.zeros(leaves, np.int64)], integral=False)
        if isinstance(answer, Refusal):
            if everything:
                return None
            most *= 3
            continue
        tried = legal(Prices(answer.price[:first] / power, -answer.price[first : first + leaves] / power), sides)
        priced, proven = _lower(sides, priced, proven, tried, missed)
        taken, part = base.copy(), np.zeros(sides.problem.size, bool)
        taken[free] = answer.x[: len(free)] > 0.5
        part[free] = np.minimum(answer.x[: len(free)], 1 - answer.x[: len(free)]) > 1e-9
        found = Relaxed(priced, proven, taken, part, answer.x[len(free) :])
        base[free] = False
        reached = float(sides.worth[base].sum() + (sides.worth[free] * answer.x[: len(free)]).sum())
        if proven - reached <= CLOSE * abs(reached) or everything:
            return found
        most = int(most * 1.6)
    return found


def _lower(sides: Sides, priced: Prices, proven: float, other: Prices, missed: int) -> tuple[Prices, float]:
    """The prices on the way from `priced` to `other` that prove most: what they prove is convex, and those of few rows may be too far."""
    start, start_leaves = priced.lines, priced.leaves
    for step in STEPS:
        tried = Prices(start + step * (other.lines - start), start_leaves + step * (other.leaves - start_leaves))
        there = bound(tried, sides, missed)
        if there < proven:
            priced, proven = tried, there
        elif step < 1 and proven < there:
            break
    return priced, proven


def raised(sides: Sides, priced: Prices, amount: np.ndarray) -> Prices:
    """The prices with those of leaves of which less than `amount` is taken as high as that takes, if nothing else changes."""
    base, _ = _standing(sides, priced)
    gain = advantage(priced, sides, sides.worth)
    bar = prompt_bars(gain, sides.problem.prompt, sides.problem.at_most.count)[0][sides.problem.prompt] if sides.problem.at_most else np.zeros(sides.problem.size)
    weight = sides.problem.tokens if sides.soft.unit == "tokens" else np.ones(sides.problem.size, np.int64)
    leaves = priced.leaves.copy()
    for i, members in enumerate(sides.soft.members):
        short = int(amount[i] - weight[members[base[members]]].sum())
        if short <= 0:
            continue
        out = members[~base[members]]
        if sides.problem.at_most:  # a prompt that is full of the leaf has no more of it to give
            full = np.bincount(sides.problem.prompt[members[base[members]]], minlength=int(sides.problem.prompt.max()) + 1) >= sides.problem.at_most.count
            out = out[~full[sides.problem.prompt[out]]]
        need = (bar[out] - gain[out]) / np.maximum(weight[out], 1)
        order = np.lexsort((need, sides.problem.prompt[out]))
        prompt = sides.problem.prompt[out][order]
        first = order[np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(order)]] if sides.problem.at_most else order
        first = first[np.argsort(need[first], kind="stable")]
        if len(first):
            place = int(np.searchsorted(np.cumsum(weight[out[first]]), short))
            leaves[i] += max(0.0, float(need[first[min(place, len(first) - 1)]]))
    return Prices(priced.lines, leaves)


def selected(sides: Sides, found: Relaxed, missed: int, aim: float, spare: int = 0) -> np.ndarray | None:
    """A selection near the relaxation that misses at most `missed`, and `spare` more in each leaf, within about `aim` of what is best there; None where
    none was found.
    """
    worth, power = _whole(sides)
    _, doubt = _standing(sides, found.prices)
    doubt = np.where(found.part, -1.0, doubt)
    most = PROMPTS // 3
    while True:
        free = _nearest(sides, doubt, most)
        matrix = _matrix(sides, found.base, free, missed + spare * len(found.lacking))
        if spare:
            most_each = np.minimum(np.ceil(found.lacking - 1e-6).astype(np.int64) + spare, sides.targets)
            matrix = replace(matrix, upper=np.r_[np.ones(len(free), np.int64), most_each])
        everything = len(free) == sides.problem.size
        answer = run(matrix, np.r_[worth[free], np.zeros(len(sides.soft.leaves), np.int64)], integral=True, nodes=NODES, gap=aim * power)
        if not isinstance(answer, Refusal) and matrix.holds(np.rint(answer.x)):
            chosen = found.base.copy()
            chosen[free] = answer.x[: len(free)] > 0.5
            return chosen
        if everything or 4 * len(free) > MOST:
            return None
        most *= 4


def _whole(sides: Sides) -> tuple[np.ndarray, float]:
    """What each row is worth in whole units, and how many of them are 1."""
    power = WORTH / max(float(np.abs(sides.worth).max(initial=0.0)), 2.0**-500)
    return np.rint(sides.worth * power).astype(np.int64), power


def _standing(sides: Sides, priced: Prices) -> tuple[np.ndarray, np.ndarray]:
    """Which rows the prices take, and how far each is from changing sides."""
    gain = advantage(priced, sides, sides.worth)
    if sides.problem.at_most is None:
        return gain > 0, np.abs(gain)
    last, out = (bar[sides.problem.prompt] for bar in prompt_bars(gain, sides.problem.prompt, sides.problem.at_most.count))
    taken = (gain > 0) & (gain >= last) & (gain > out)
    return taken, np.abs(gain - np.where(taken, out, last))


def _nearest(sides: Sides, doubt: np.ndarray, prompts: int) -> np.ndarray:
    """The rows of the prompts whose nearest row is least sure."""
    prompt = sides.problem.prompt
    least = np.full(int(prompt.max(initial=-1)) + 1, np.inf)
    np.minimum.at(least, prompt, doubt)
    if prompts >= len(least):
        return np.arange(sides.problem.size)
    inside = least < 0
    inside[np.argsort(least, kind="stable")[:prompts]] = True
    return np.flatnonzero(inside[prompt])


def _matrix(sides: Sides, base: np.ndarray, free: np.ndarray, missed: int) -> Matrix:
    """The lines, the leaves, what is missed in all and the prompts, over the rows `free` and a column a leaf."""
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
        least, most = (None if abs(end) == NONE else int(end) - shift for end in (low, high))
        return Row(at, each[at], least, most) if more is None else Row(np.r_[at, more], np.r_[each[at], 1], least, most)

    made = [row(line.ones, line.tokens, line.low, line.high) for line in sides.lines]
    nothing, inside = np.zeros(known.total, np.int64), known.leaves.astype(np.int64)
    for i, target in enumerate(sides.soft.targets):
        pair = (nothing, inside[i]) if sides.soft.unit == "tokens" else (inside[i], nothing)
        made.append(row(*pair, target, NONE, wide + i))
    made.append(Row(np.arange(wide, wide + leaves), np.ones(leaves, np.int64), None, missed))
    upper = np.r_[np.ones(wide, np.int64), sides.targets]
    return replace(stacked([*made, *_prompts(sides, fixed, free)], wide + leaves), upper=upper)


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

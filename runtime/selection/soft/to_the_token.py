"""Targets in tokens met to the token: rows near their prices change sides so that a leaf has just what it lacks more, at the least loss of value.
That is a knapsack for each leaf, solved by dynamic programming over the rows that cost least; hard clauses are checked after each leaf.
"""

from dataclasses import dataclass

import numpy as np

from ....compiler.plan.stages import Budget
from .proof import Prices, Sides, advantage

ITEMS = 150
"""Rows of a leaf that may change sides: of so many, hardly any number of tokens is not a sum."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Rows that come in (-1: none) and go out (-1: none), one move a prompt; `tokens`: what the leaf has more by it, `loss`: of the objective."""

    coming: np.ndarray
    going: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray


def to_the_token(sides: Sides, chosen: np.ndarray, prices: Prices) -> np.ndarray:
    """A selection that misses no more than `chosen`, and mostly nothing that it need not. Rows of several leaves stay."""
    problem, given = sides.problem, chosen
    alone = sides.known.leaves.sum(axis=0)[sides.known.of] == 1
    gain = advantage(prices, sides)
    room = min((b.amount for b in problem.budgets if b.unit == "tokens"), default=0) - int(problem.tokens[chosen].sum())
    has = np.array([int(problem.tokens[m[chosen[m]]].sum()) for m in sides.soft.members], np.int64)
    over = has - sides.targets
    wanted = max(0, int(-over[over < 0].sum()) - room)
    for leaf in np.argsort(-over, kind="stable"):
        if over[leaf] > 0 and wanted > 0:
            most, least = int(over[leaf]), min(int(over[leaf]), wanted)
            changed = _changed(sides, chosen, int(leaf), alone, gain, -most, -least, -least)
        elif over[leaf] < 0 and room > 0:
            changed = _changed(sides, chosen, int(leaf), alone, gain, 1, min(room, int(-over[leaf])), min(room, int(-over[leaf])))
        else:
            continue
        if changed is not None and _holds(sides, changed[0], filled=False):
            chosen, more = changed
            room, wanted = room - more, wanted + min(more, 0)
    return chosen if _holds(sides, chosen, filled=True) else given


def _changed(
    sides: Sides, chosen: np.ndarray, leaf: int, alone: np.ndarray, gain: np.ndarray, low: int, high: int, aim: int
) -> tuple[np.ndarray, int] | None:
    """The selection with from `low` to `high` tokens more of a leaf, as near to `aim` as can be and then at the least loss; and how many more."""
    moves = _moves(sides, chosen, sides.soft.members[leaf], alone, gain)
    wide = abs(aim) + 2 * max(sides.problem.longest, 1)
    loss = np.full(2 * wide + 1, np.inf)
    loss[wide] = 0.0
    took = np.zeros((len(moves.loss), len(loss)), bool)
    for i, (tokens, cost) in enumerate(zip(moves.tokens, moves.loss, strict=True)):
        shifted = np.full(len(loss), np.inf)
        if tokens >= 0:
            shifted[tokens:] = loss[: len(loss) - tokens]
        else:
            shifted[:tokens] = loss[-tokens:]
        took[i] = shifted + cost < loss
        loss = np.where(took[i], shifted + cost, loss)
    sums = np.arange(-wide, wide + 1)
    reached = np.flatnonzero(np.isfinite(loss) & (sums >= low) & (sums <= high))
    if not len(reached):
        return None
    place = int(reached[np.lexsort((loss[reached], np.abs(sums[reached] - aim)))[0]])
    more, changed = int(sums[place]), chosen.copy()
    for i in range(len(moves.loss) - 1, -1, -1):
        if took[i, place]:
            changed[moves.going[i : i + 1][moves.going[i : i + 1] >= 0]] = False
            changed[moves.coming[i : i + 1][moves.coming[i : i + 1] >= 0]] = True
            place -= int(moves.tokens[i])
    return changed, more


def _moves(sides: Sides, chosen: np.ndarray, members: np.ndarray, alone: np.ndarray, gain: np.ndarray) -> _Moves:
    """The moves of a leaf that cost least by their prices: a row goes, comes where its prompt has room, or takes the place of another of its prompt."""
    problem, members = sides.problem, members[alone[members]]
    inside, outside = members[chosen[members]], members[~chosen[members]]
    none = np.full(len(inside), -1)
    coming, going = [none], [inside]
    if problem.at_most is None:
        coming, going = [*coming, outside], [*going, np.full(len(outside), -1)]
    else:
        full = np.bincount(problem.prompt[chosen], minlength=int(problem.prompt.max(initial=-1)) + 1) >= problem.at_most.count
        free = outside[~full[problem.prompt[outside]]]
        other = np.full(len(full), -1)
        other[problem.prompt[inside]] = inside
        swapped = outside[other[problem.prompt[outside]] >= 0]
        coming, going = [*coming, free, swapped], [*going, np.full(len(free), -1), other[problem.prompt[swapped]]]
    come, go = np.concatenate(coming), np.concatenate(going)
    doubt = np.where(go >= 0, gain[go], 0.0) - np.where(come >= 0, gain[come], 0.0)
    order = np.argsort(doubt, kind="stable")[: 8 * ITEMS]
    prompt = problem.prompt[np.where(come >= 0, come, go)[order]]
    first = np.sort(np.unique(prompt, return_index=True)[1])[:ITEMS]
    come, go = come[order][first], go[order][first]

    def of(numbers: np.ndarray) -> np.ndarray:
        return np.where(come >= 0, numbers[come], 0) - np.where(go >= 0, numbers[go], 0)

    return _Moves(come, go, of(problem.tokens), -of(sides.value))


def _holds(sides: Sides, chosen: np.ndarray, *, filled: bool) -> bool:
    """Whether every line holds; where not `filled`, budgets may have room."""
    counts = np.bincount(sides.known.of[chosen], minlength=sides.known.total).astype(np.int64)
    amounts = np.zeros(sides.known.total, np.int64)
    np.add.at(amounts, sides.known.of[chosen], sides.problem.tokens[chosen])
    for line in sides.lines:
        amount = int(line.ones @ counts + line.tokens @ amounts)
        room = not filled and isinstance(sides.problem.clauses[line.clause], Budget)
        if amount > line.high or (amount < line.low and not room):
            return False
    return True

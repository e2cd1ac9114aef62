"""What no selection exceeds that misses soft targets by no more than a given sum: the Lagrangian bound over every row, whatever made the prices.

With prices p of the lines and q of the leaves, every prompt takes the rows that are worth more than their prices; bounds are worth their prices;
and what may be missed is missed where it is dearest: the sum of max(0, q - r) targets and r times what may be missed is least at an r that is one of the q.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..matrix import NONE
from ..problem import Problem, Soft
from .kinds import Kinds
from .lines import Line

ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """`lines`: of each line, above zero where its high bound costs, below where its low bound does. `leaves`: of each target, not below zero."""

    lines: np.ndarray
    leaves: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """A problem with soft targets as its bound needs it: `value` of each row, the same with what tells equal rows apart (`worth`), the kinds of the
    rows and the lines of the hard clauses.
    """

    problem: Problem
    soft: Soft[np.ndarray]
    value: np.ndarray
    worth: np.ndarray
    known: Kinds
    lines: Sequence[Line]

    @property
    def targets(self) -> np.ndarray:
        """int64[leaves]."""
        return np.array(self.soft.targets, np.int64)


def legal(prices: Prices, sides: Sides) -> Prices:
    """The prices of the sign that their bounds allow, 0 elsewhere."""
    low, high = (np.array([getattr(line, side) for line in sides.lines], np.int64) for side in ("low", "high"))
    each = np.where((prices.lines > 0) & (high == NONE) | (prices.lines < 0) & (low == -NONE), 0.0, prices.lines)
    return Prices(each, np.maximum(prices.leaves, 0.0))


def advantage(prices: Prices, sides: Sides, value: np.ndarray | None = None) -> np.ndarray:
    """What each row is worth (its `value`, or another) less the prices of all that counts it but its prompt."""
    ones, tokens = _of_kinds(prices, sides)
    return (sides.value if value is None else value) - ones[sides.known.of] - tokens[sides.known.of] * sides.problem.tokens


def bound(prices: Prices, sides: Sides, missed: int) -> float:
    """No selection that misses the targets by at most `missed` in all has a higher objective. The prices are `legal`."""
    gain = advantage(prices, sides)
    at = np.array([(line.high if p > 0 else line.low) if p else 0 for p, line in zip(prices.lines, sides.lines, strict=True)], np.float64)
    terms = prices.lines * at
    given = prices.leaves * sides.targets
    ones, tokens = _of_kinds(Prices(np.abs(prices.lines), -prices.leaves), sides, size=True)
    most = float(np.abs(sides.value).sum() + (ones[sides.known.of] + tokens[sides.known.of] * sides.problem.tokens).sum())
    rounding = ROUNDING * (most + float(np.abs(terms).sum() + 2 * given.sum()))
    return float(terms.sum() - given.sum()) + dearest(prices.leaves, sides.targets, missed) + _taken(gain, sides) + rounding


def dearest(price: np.ndarray, targets: np.ndarray, missed: int) -> float:
    """What it is worth to miss `missed` of the targets, where they are dearest."""
    order = np.argsort(-price, kind="stable")
    before = np.cumsum(targets[order]) - targets[order]
    return float((price[order] * np.clip(missed - before, 0, targets[order])).sum())


def at_margin(price: np.ndarray, targets: np.ndarray, missed: int) -> float:
    """What it would be worth to miss one more."""
    order = np.argsort(-price, kind="stable")
    place = int(np.searchsorted(np.cumsum(targets[order]), missed, side="right"))
    return float(price[order[place]]) if place < len(order) else 0.0


def prompt_bars(gain: np.ndarray, prompt: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each prompt the advantage of the last row that it lets in and of the first that it keeps out, none below zero."""
    last, first = np.zeros((2, int(prompt.max(initial=-1)) + 1))
    better = np.flatnonzero(gain > 0)
    order = better[np.lexsort((-gain[better], prompt[better]))]
    of = prompt[order]
    start = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])[: len(of)]
    place = np.arange(len(of)) - np.repeat(start, np.diff(np.r_[start, len(of)]))
    for at, bar in ((most - 1, last), (most, first)):
        there = place == at
        bar[of[there]] = gain[order[there]]
    return last, first


def _taken(gain: np.ndarray, sides: Sides) -> float:
    if sides.problem.at_most is None:
        return float(np.maximum(gain, 0.0).sum())
    _, out = prompt_bars(gain, sides.problem.prompt, sides.problem.at_most.count)
    net = gain - out[sides.problem.prompt]
    # What a prompt takes is its best rows: those above the first that it keeps out, and that one's worth for each place.
    return float(np.maximum(net, 0.0).sum() + sides.problem.at_most.count * out.sum())


def _of_kinds(prices: Prices, sides: Sides, *, size: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The price of a row of each kind and of each of its tokens; `size`: with every term counted as above zero."""
    ones, tokens = np.zeros((2, sides.known.total))
    for price, line in zip(prices.lines, sides.lines, strict=True):
        if price:
            ones += price * (np.abs(line.ones) if size else line.ones)
            tokens += price * (np.abs(line.tokens) if size else line.tokens)
    aimed = np.einsum("i,ij->j", prices.leaves, sides.known.leaves.astype(float))
    if sides.soft.unit == "tokens":
        return ones, tokens - aimed
    return ones - aimed, tokens

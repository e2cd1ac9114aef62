"""Clauses over classes held against corners: a mixture of corners that satisfies them, prices that refute them, or neither within a number of
passes (Dantzig and Wolfe's decomposition, Operations Research 8, 1960; the clauses are made elastic, and each pass adds the corner that is
best at the prices of the least miss).

A mixture is a selection of fractions of rows, for corners are selections; a refutation is checked over every row in integers.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from ..highs import new_solver
from ..matrix import NONE
from .crowd import Corner, Crowd

BITS = 50
MISSED = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """`low <= sum over the selected of (ones[:, c] + tokens[:, c] w) <= high`, int64; a bound of -NONE or NONE is absent."""

    ones: np.ndarray
    tokens: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def activity(self, corner: Corner, part: np.ndarray, parts: int) -> np.ndarray:
        """float[rows, parts]: what a corner counts in each row, by the part of the classes."""
        at = np.flatnonzero(corner.counts)
        each = self.ones[:, at] * corner.counts[at] + self.tokens[:, at] * corner.amounts[at]
        order = np.argsort(part[at], kind="stable")
        found, first = np.unique(part[at][order], return_index=True)
        sums = np.zeros((len(self.ones), parts))
        if len(at):
            sums[:, found] = np.add.reduceat(each[:, order], first, axis=1)
        return sums

    def sizes(self, crowd: Crowd) -> np.ndarray:
        """How much a row counts, roughly: its bounds, or where they are of no size what all candidates count in it."""
        known = np.maximum(np.where(self.low == -NONE, 0, np.abs(self.low)), np.where(self.high == NONE, 0, np.abs(self.high)))
        whole = np.abs(self.ones) @ crowd.rows.astype(float) + np.abs(self.tokens) @ crowd.amounts.astype(float)
        total = float(crowd.rows.sum())
        part = min([1.0, *(k / w for k, w in zip(known, whole, strict=True) if k and w >= total)])
        return np.maximum(np.where(known > 0, known, whole * part), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Disproved:
    """Integer prices of the rows: what the bounds ask for is worth more by `excess`, above zero, than any selection. A price above zero is of a low bound."""

    price: np.ndarray
    excess: int


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A mixture of corners satisfies the rows."""


class Corners:
    """The corners of one crowd that were found so far: what clauses are asked about does not matter to them."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        nothing = np.zeros(crowd.width, np.int64)
        self.found: list[Corner] = [Corner(nothing, nothing)]

    def best(self, ones: np.ndarray, tokens: np.ndarray) -> Corner:
        """The corner that is best at these prices of the classes, kept."""
        corner = self.crowd.best(ones, tokens)
        self.found.append(corner)
        return corner


def refute(corners: Corners, held: Bounds, passes: int) -> Disproved | Mixed | None:
    """What becomes of the rows within so many passes over the crowd; None: not known."""
    if np.any(held.low > held.high):
        at = int(np.argmax(held.low - held.high))
        return None if held.low[at] == held.high[at] else Disproved(_crossed(held, at), int(held.low[at]) - int(held.high[at]))
    master = _Master(corners, held)
    while True:
        missed, price = master.solved()
        if missed <= MISSED:
            return Mixed()
        if passes == 0:
            return None
        passes -= 1
        whole = _whole(price, held, corners.crowd.longest)
        ones, tokens = whole @ held.ones, whole @ held.tokens
        corner = corners.best(ones, tokens)
        excess = allowance(whole, held) - worth(ones, tokens, corner)
        if excess > 0:
            return Disproved(whole, excess)
        master.add(corner)


def _crossed(held: Bounds, at: int) -> np.ndarray:
    """Of a row whose low bound is above its high one no price is needed but that it is used."""
    return (np.arange(len(held.low)) == at).astype(np.int64)


def _whole(price: np.ndarray, held: Bounds, longest: int) -> np.ndarray:
    """Prices as integers that keep a row's worth within BITS, none of a sign that its bounds do not allow."""
    allowed = np.where((price > 0) & (held.low == -NONE) | (price < 0) & (held.high == NONE), 0.0, price)
    allowed[np.abs(allowed) < 1e-9 * np.abs(allowed).max(initial=0.0)] = 0.0
    each = np.abs(held.ones).max(axis=1, initial=0) + np.abs(held.tokens).max(axis=1, initial=0) * float(longest)
    most = float(np.abs(allowed) @ np.maximum(each, 1.0))  # a row that counts nothing has a price as well
    return np.rint(allowed * (2.0**BITS / most if most else 0.0)).astype(np.int64)


def allowance(price: np.ndarray, held: Bounds) -> int:
    """What the bounds ask for at integer prices."""
    return sum(int(p) * int(low if p > 0 else high) for p, low, high in zip(price, held.low, held.high, strict=True) if p)


def worth(ones: np.ndarray, tokens: np.ndarray, corner: Corner) -> int:
    """What a corner is worth at integer prices of the classes."""
    at = np.flatnonzero(corner.counts)
    parts = zip(ones[at].tolist(), tokens[at].tolist(), corner.counts[at].tolist(), corner.amounts[at].tolist(), strict=True)
    return sum(o * n + t * w for o, t, n, w in parts)


class _Master:
    """The least by which a mixture of the corners misses the rows, each in shares of its size."""

    def __init__(self, corners: Corners, held: Bounds) -> None:
        self.held, self.size, self.part = held, held.sizes(corners.crowd), corners.crowd.part
        self.rows, self.parts, inf = len(held.low), int(self.part.max(initial=0)) + 1, highspy.kHighsInf
        self.solver = new_solver()
        none = (np.zeros(0, np.int32), np.zeros(0))
        for j in range(self.rows):
            low = -inf if held.low[j] == -NONE else held.low[j] / self.size[j]
            high = inf if held.high[j] == NONE else held.high[j] / self.size[j]
            self.solver.addRow(low, high, 0, *none)
        for _ in range(self.parts):
            self.solver.addRow(1.0, 1.0, 0, *none)
        for j in range(self.rows):
            for there, sign in ((held.low[j] != -NONE, 1.0), (held.high[j] != NONE, -1.0)):
                if there:
                    self.solver.addCol(1.0, 0.0, inf, 1, np.array([j], np.int32), np.array([sign]))
        for corner in corners.found:
            self.add(corner)

    def add(self, corner: Corner) -> None:
        """One more corner to mix."""
        values = self.held.activity(corner, self.part, self.parts) / self.size[:, None]
        values = np.vstack([values, np.eye(self.parts)])
        part, row = np.nonzero(values.T)
        start = np.searchsorted(part, np.arange(self.parts)).astype(np.int32)
        none = np.zeros(self.parts)
        self.solver.addCols(self.parts, none, none, none + highspy.kHighsInf, len(row), start, row.astype(np.int32), values.T[part, row])

    def solved(self) -> tuple[float, np.ndarray]:
        """How much is missed, and the prices of the rows."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS stopped a mixture: {self.solver.modelStatusToString(self.solver.getModelStatus())}")
        price = np.array(self.solver.getSolution().row_dual)[: self.rows] / self.size
        return float(self.solver.getInfo().objective_function_value), price

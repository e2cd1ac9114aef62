"""Integer optima of large, loosely coupled problems: LP prices bound the objective, the few columns in doubt are
branched on, all others are proven.

It knows no clauses: a matrix and integer values in, an exactly checked optimum out.
"""

from dataclasses import dataclass
from math import fsum

import numpy as np

from .highs import Refusal, run
from .matrix import NONE, Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """`chosen`: a column's value, bool where each is 0 or 1. `value`: the exact sum. `price`: of each row in the LP relaxation. `advantage`: value
    less prices of each column.

    `open`: the columns in which another selection of the same value may differ from this one; all others are the same
    in every optimum.
    """

    chosen: np.ndarray
    value: int
    price: np.ndarray
    advantage: np.ndarray
    open: np.ndarray


def maximise(matrix: Matrix, value: np.ndarray, core: int = 1000, nodes: int | None = None) -> Optimum | None:
    """The columns that maximise the sum of `value` (int64) over the rows of the matrix, proven optimal; None where no
    selection satisfies them.

    With prices p of the LP, no selection exceeds b = sum of p times the bounds + sum of max(0, advantage); taking
    column r against the sign of its advantage costs |advantage| of b. With a limit of `nodes` the answer is good,
    repeatable and feasible, but not proven. Columns that would cost more than b less the best selection found are
    settled; the rest are branched on.
    """
    relaxed = run(matrix, value, integral=False)
    if isinstance(relaxed, Refusal):
        return None
    price, advantage, bound = _bound(matrix, value, relaxed.price)
    base, order, size = _core(matrix, value, advantage, relaxed.x, core)
    free = np.zeros(matrix.width, bool)
    while True:
        free[order[: size if 2 * size < matrix.width else matrix.width]] = True
        chosen = branch(matrix, value, np.flatnonzero(free), base, nodes)
        if chosen is None:
            if free.all():
                return None
            size *= 2
            continue
        total = int((value * chosen).sum())
        loss = bound - total - 1
        needed = (np.abs(advantage) <= loss) | (base != matrix.most * (advantage > 0)) if loss >= 0 else np.zeros_like(free)
        if not np.any(needed & ~free):
            return Optimum(chosen, total, price, advantage, np.flatnonzero(np.abs(advantage) <= bound - total))
        if needed.sum() <= 4 * size:
            free |= needed
        size *= 2


def bound(matrix: Matrix, value: np.ndarray) -> float | None:
    """What no selection exceeds, by the prices of the relaxation; None where that is infeasible."""
    relaxed = run(matrix, value, integral=False)
    return None if isinstance(relaxed, Refusal) else _bound(matrix, value, relaxed.price)[2]


def satisfy(matrix: Matrix, lean: np.ndarray, *, prove: bool = False) -> np.ndarray | Refusal:
    """Some columns that satisfy the rows of the matrix, or a refusal, which with `prove` names the rows that refute it
    where the relaxation does. `lean` (any integers) only steers: without an objective the simplex wanders.
    """
    relaxed = run(matrix, lean, integral=False, prove=prove)
    if isinstance(relaxed, Refusal):
        return relaxed
    _, advantage, _ = _bound(matrix, lean, relaxed.price)
    base, order, size = _core(matrix, lean, advantage, relaxed.x, 1000)
    while True:
        free = np.sort(order[: size if 2 * size < matrix.width else matrix.width])
        chosen = branch(matrix, np.zeros_like(lean), free, base)
        if chosen is not None:
            return chosen
        if len(free) == matrix.width:
            return Refusal()
        size *= 4


def branch(matrix: Matrix, value: np.ndarray, free: np.ndarray, base: np.ndarray, nodes: int | None = None) -> np.ndarray | None:
    """The best selection that differs from `base` only in the columns `free`, or None. Checked in integers."""
    part = matrix.restricted(free, base)
    for tolerance in (1e-6, 1e-9):
        answer = run(part, value[free], integral=True, nodes=nodes, tolerance=tolerance)
        if isinstance(answer, Refusal):
            return None
        chosen = base.astype(bool if matrix.upper is None else np.int64)
        chosen[free] = np.rint(answer.x)
        if matrix.holds(chosen):
            return chosen
    raise RuntimeError("HiGHS returned a selection that breaks a row; this is a bug in mixc")


def _core(
    matrix: Matrix, value: np.ndarray, advantage: np.ndarray, x: np.ndarray, core: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """What the relaxation decides, the columns by how much it doubts them, and how many to branch on at first."""
    base = np.where(np.abs(advantage) > 1e-6 * max(1, np.abs(value).max(initial=0)), matrix.most * (advantage > 0), np.rint(x).astype(np.int64))
    fractional = np.abs(x - np.rint(x)) > 1e-9
    # Many columns often cost the same: a shuffle keeps the core from being rows of a few neighbouring prompts.
    shuffle = np.random.Generator(np.random.PCG64(0)).permutation(len(value))
    order = np.lexsort((shuffle, np.round(np.abs(advantage), 6), ~fractional))
    return base, order, max(core, 2 * int(fractional.sum()))


def _bound(matrix: Matrix, value: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Prices of the sign their bounds allow, the columns' advantage, and the Lagrangian bound, rounded upwards."""
    price = np.where((price > 0) & (matrix.high == NONE) | (price < 0) & (matrix.low == -NONE), 0.0, price)
    advantage = value - matrix.dot(price)
    at = np.where(price > 0, matrix.high, np.where(price < 0, matrix.low, 0))
    terms = price * at
    rounding = 1e-13 * (fsum(matrix.most * np.abs(value)) + fsum(np.abs(terms)) + fsum(np.abs(matrix.value * price[matrix.row])))
    return price, advantage, fsum(terms) + fsum(matrix.most * np.maximum(advantage, 0.0)) + rounding

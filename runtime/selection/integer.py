"""Integer optima of large, loosely coupled problems: LP prices bound the objective, the few columns in doubt are
branched on, all others are proven.

It knows no clauses: a matrix and integer values in, an exactly checked optimum out.
"""

from dataclasses import dataclass
from math import fsum

import numpy as np

from .blocks import Settled, blocks, settle
from .highs import Answer, Refusal, run
from .matrix import NONE, Matrix

NODES = 20
"""Where a search may give up, it does after so many nodes."""
CORE = 400
"""... and begins with so many columns."""
FIRST, FIRST_NODES, LIMITED = 100, 100, 2000
"""What a proof starts from is looked for in so many columns and with so many nodes, up to as many columns as LIMITED."""


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


def maximise(
    matrix: Matrix, value: np.ndarray, core: int | None = None, nodes: int | None = None, start: np.ndarray | None = None
) -> Optimum | None:
    """The columns that maximise the sum of `value` (int64) over the rows of the matrix, proven optimal; None where no
    selection satisfies them.

    With prices p of the LP, no selection exceeds b = sum of p times the bounds + sum of max(0, advantage); doing the
    opposite with a column costs its `doubt` of b. The columns most in doubt, `core` of them at first, are branched on for a good selection.
    Columns that would cost more than b less the best selection found are settled; the rest are branched
    on for the proof. With a limit of `nodes` the answer is good, repeatable and feasible,
    but not proven: the columns most in doubt are branched on, once, and where they do not
    suffice, from `start`, a selection that satisfies the rows.
    """
    relaxed = run(matrix, value, integral=False)
    if isinstance(relaxed, Refusal):
        return None
    price, advantage, _ = bound(matrix, value, relaxed.price)
    settled = settle(matrix, value, price, blocks(matrix))
    base, order, size = _core(value, settled, relaxed.x, core or (FIRST if nodes is None else 1000))
    while True:
        free = np.zeros(matrix.width, bool)
        free[order[: size if 2 * size < matrix.width else matrix.width]] = True
        searched = nodes if nodes is not None or free.all() or size > LIMITED else FIRST_NODES
        chosen = branch(matrix, value, np.flatnonzero(free), base, searched)
        if chosen is None and start is not None:
            chosen = branch(matrix, value, np.flatnonzero(free), start, nodes)
        if chosen is None:
            if free.all():
                return None
            size *= 2
            continue
        total = int((value * chosen).sum())
        if nodes is not None:
            return Optimum(chosen, total, price, advantage, np.arange(matrix.width))
        loss = settled.bound - total - 1
        needed = (settled.doubt <= loss) | (chosen != settled.base) if loss >= 0 else np.zeros_like(free)
        if needed.sum() > 4 * size:
            size *= 2
            continue
        if np.any(needed) and not (free.all() and searched is None):
            # In a better selection all other columns are as the prices have them, so what is found here decides.
            better = branch(matrix, value, np.flatnonzero(needed), settled.base, start=chosen)
            if better is not None and int((value * better).sum()) > total:
                chosen, total = better, int((value * better).sum())
        return Optimum(chosen, total, price, advantage, np.flatnonzero(settled.doubt <= settled.bound - total))


def at_most(matrix: Matrix, value: np.ndarray) -> float | None:
    """What no selection exceeds, by the prices of the relaxation; None where that is infeasible."""
    relaxed = run(matrix, value, integral=False)
    return None if isinstance(relaxed, Refusal) else bound(matrix, value, relaxed.price)[2]


def satisfy(matrix: Matrix, lean: np.ndarray, *, prove: bool = False) -> np.ndarray | Refusal:
    """Some columns that satisfy the rows of the matrix, or a refusal, which with `prove` names the rows that refute it
    where the relaxation does. `lean` (any integers) only steers: without an objective the simplex wanders.
    """
    found = run(matrix, lean, integral=False, prove=prove)
    return found if isinstance(found, Refusal) else rounded(matrix, lean, found)


def rounded(matrix: Matrix, lean: np.ndarray, relaxed: Answer, tries: int | None = None) -> np.ndarray | Refusal:
    """Some columns that satisfy the rows, near fractions that do; a refusal where none do, or with a limit of `tries` where none were found."""
    settled = settle(matrix, lean, relaxed.price, blocks(matrix))
    base, order, size = _core(lean, settled, relaxed.x, 1000 if tries is None else CORE)
    while tries is None or tries > 0:
        free = np.sort(order[: size if 2 * size < matrix.width else matrix.width])
        chosen = branch(matrix, np.zeros_like(lean), free, base, None if tries is None else NODES)
        if chosen is not None:
            return chosen
        if len(free) == matrix.width:
            break
        size, tries = 4 * size, None if tries is None else tries - 1
    return Refusal()


def best_near(matrix: Matrix, value: np.ndarray, lean: np.ndarray, relaxed: Answer) -> np.ndarray | None:
    """A good selection near fractions, found within a bounded effort and not proven best; None where none was found."""
    settled = settle(matrix, lean, relaxed.price, blocks(matrix))
    base, order, size = _core(lean, settled, relaxed.x, CORE)
    for _ in range(2):
        found = branch(matrix, value, order[:size], base, NODES)
        if found is not None:
            return found
        size *= 4
    return None


def branch(
    matrix: Matrix, value: np.ndarray, free: np.ndarray, base: np.ndarray, nodes: int | None = None, start: np.ndarray | None = None
) -> np.ndarray | None:
    """The best selection that differs from `base` only in the columns `free`, or None. Checked in integers. `start`: a good one of these."""
    part = matrix.restricted(free, base)
    for tolerance in (1e-6, 1e-9):
        answer = run(part, value[free], integral=True, nodes=nodes, tolerance=tolerance, start=None if start is None else start[free])
        if isinstance(answer, Refusal):
            return None
        chosen = base.astype(bool if matrix.upper is None else np.int64)
        chosen[free] = np.rint(answer.x)
        if matrix.holds(chosen):
            return chosen
    raise RuntimeError("HiGHS returned a selection that breaks a row; this is a bug in mixc")


def _core(value: np.ndarray, settled: Settled, x: np.ndarray, core: int) -> tuple[np.ndarray, np.ndarray, int]:
    """What the relaxation decides, the columns by how much it doubts them, and how many to branch on at first."""
    nearest = np.rint(x)
    base = np.where(settled.doubt > 1e-6 * max(1, np.abs(value).max(initial=0)), settled.base, nearest.astype(np.int64))
    fractional = np.abs(x - nearest) > 1e-9
    # Many columns often cost the same: a shuffle keeps the core from being rows of a few neighbouring prompts.
    shuffle = np.random.Generator(np.random.PCG64(0)).permutation(len(value))
    order = np.lexsort((shuffle, np.round(settled.doubt, 6), ~fractional))
    return base, order, max(core, 2 * int(fractional.sum()))


def bound(matrix: Matrix, value: np.ndarray, price: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Prices of the sign their bounds allow, the columns' advantage, and the Lagrangian bound, rounded upwards.

    Below zero for a value of nothing the bound says that nothing satisfies the rows.
    """
    price = np.where((price > 0) & (matrix.high == NONE) | (price < 0) & (matrix.low == -NONE), 0.0, price)
    advantage = value - matrix.dot(price)
    at = np.where(price > 0, matrix.high, np.where(price < 0, matrix.low, 0))
    terms = price * at
    rounding = 1e-13 * (fsum(matrix.most * np.abs(value)) + fsum(np.abs(terms)) + fsum(np.abs(matrix.value * price[matrix.row])))
    return price, advantage, fsum(terms) + fsum(matrix.most * np.maximum(advantage, 0.0)) + rounding

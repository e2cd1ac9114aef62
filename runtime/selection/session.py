"""The clauses of one problem in the solver, switched on and off and moved: each question starts where the last answer ended, for what
differs is little. It asks whether anything satisfies them and says what refutes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .highs import Answer, Model, Refusal, model, new_solver, run
from .integer import bound, rounded
from .matrix import NONE, Matrix, stacked
from .problem import Problem
from .rows import Row, bounds, rows

EPSILON = 1e-9
WARM = 2000
UNLIMITED = 2**31 - 1
Limits = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class Refuted:
    """Prices of the rows whose Lagrangian bound, `least`, is below zero for a value of nothing: no selection satisfies the rows that have one."""

    price: np.ndarray
    least: float


class Session:
    """`matrix`: a row for each way in which a clause is written. A share of examples is written in two: of what is selected, and of a number
    of examples that a budget fixes; `clause`, `fixed` and `scale` say of each row whose it is, which of the two, and how many of its units are one example or token.
    """

    def __init__(self, problem: Problem, after: "Session | None" = None) -> None:
        """`after`: a session of a problem that differs in the numbers of quotas only, where this one starts."""
        self.problem = problem
        self._after = after
        self._rows: dict[tuple[int, bool], list[Row]] = {}
        made: list[Row] = []
        fixed: list[bool] = []
        for i, clause in enumerate(problem.clauses):
            ways = (False, True) if isinstance(clause, Quota) and clause.unit == "%" else (False,)
            for way in ways:
                same = after is not None and after.problem.clauses[i] is clause
                mine = after._rows[i, way] if after is not None and same else rows(problem, [i], 1 if way else None)
                self._rows[i, way] = mine
                made += mine
                fixed += [way] * len(mine)
        self.matrix = stacked(made, problem.size)
        self.clause = np.array([r.clause for r in made], np.int64)
        self.fixed = np.array(fixed, bool)
        self.scale = np.array([float(r.scale) for r in made])
        self._lean = -problem.tokens
        self._solver = new_solver()
        self._model: Model | None = None

    def count(self, active: Sequence[int]) -> int | None:
        """How many examples the clauses `active` fix."""
        sizes = [c.amount for c in (self.problem.clauses[i] for i in active) if isinstance(c, Budget) and c.unit == "examples" and not c.up_to]
        return min(sizes, default=None)

    def limited(self, active: Sequence[int], over: Mapping[int, Limits] | None = None) -> Matrix:
        """The matrix with the bounds of the clauses `active`, of those in `over` with the bounds given there, and no others."""
        over = over or {}
        count = self.count([i for i in active if i not in over])
        low, high = np.full(self.matrix.height, -NONE), np.full(self.matrix.height, NONE)
        for i in active:
            clause = self.problem.clauses[i]
            share = isinstance(clause, Quota) and clause.unit == "%" and count is not None
            at = np.flatnonzero((self.clause == i) & (self.fixed == share))
            low[at], high[at] = self.matrix.low[at], self.matrix.high[at]
            if i in over or share:
                least, most = over[i] if i in over else bounds(self.problem, clause, count)  # type: ignore[arg-type]
                low[at] = -NONE if least is None else least
                high[at] = NONE if most is None else most
        return replace(self.matrix, low=low, high=high)

    def relax(self, matrix: Matrix) -> Answer | Refuted:
        """Fractions that satisfy a matrix of `limited`, or the proof that none do."""
        crossed = matrix.low > matrix.high
        if crossed.any():
            at = int(np.argmax(matrix.low - matrix.high))
            return Refuted((np.arange(matrix.height) == at).astype(float), float(matrix.high[at] - matrix.low[at]))
        found = self._solved(matrix, self._model or self._start())
        if isinstance(found, Answer):
            return found
        for price in (-found, found):
            small = np.where(np.abs(price) > 1e-9 * np.abs(price).max(initial=0.0), price, 0.0)
            kept, _, least = bound(matrix, np.zeros(matrix.width), small)
            if least < 0:
                return Refuted(kept, least)
        # The solver says so and has no proof that stands: all rows together are refuted, by an amount that is not known.
        return Refuted(((matrix.low != -NONE) | (matrix.high != NONE)).astype(float), -EPSILON)

    def selection(self, matrix: Matrix, near: Answer, tries: int | None = None) -> np.ndarray | None:
        """A selection that satisfies a matrix of `limited` near fractions that do; None where there is none, or with a limit of `tries` none was found."""
        found = rounded(matrix, self._lean, near, tries)
        return None if isinstance(found, Refusal) else found

    def _start(self) -> Model:
        """Solve what is easily satisfied, so that there is something to start from: without it the first proof takes ten times as long."""
        self._model = model(self.matrix, self._lean)
        if self._solver.passModel(self._model.lp) == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS refused the model of a selection")
        if self._after is not None:
            self._solver.setBasis(self._after._solver.getBasis())
            self._after = None
            return self._model
        clauses = self.problem.clauses
        easy = [i for i, c in enumerate(clauses) if isinstance(c, AtMost) or (isinstance(c, Budget) and c.unit == "examples")]
        matrix = self.limited(easy)
        reach = sum(min(int(n), self.problem.at_most.count) if self.problem.at_most else int(n) for n in np.bincount(self.problem.prompt))
        low = np.where(matrix.low == -NONE, -NONE, np.minimum(matrix.low, reach))
        self._solved(replace(matrix, low=low, high=np.maximum(matrix.high, low)), self._model)
        return self._model

    def _solved(self, matrix: Matrix, made: Model) -> Answer | np.ndarray:
        solver, scale, known = self._solver, made.scale, highspy.HighsModelStatus
        lower = np.where(matrix.low == -NONE, -highspy.kHighsInf, matrix.low * scale)
        upper = np.where(matrix.high == NONE, highspy.kHighsInf, matrix.high * scale)
        every = np.arange(matrix.height, dtype=np.int32)
        solver.changeRowsBounds(matrix.height, every, lower, upper)  # pyright: ignore[reportAttributeAccessIssue]  (the stub lacks it)
        solver.setOptionValue("simplex_iteration_limit", WARM)
        solver.run()
        solver.setOptionValue("simplex_iteration_limit", UNLIMITED)
        status = solver.getModelStatus()
        if status == known.kIterationLimit:  # too far from where the last answer ended: presolve and a new start are faster
            solver.clearSolver()
            solver.run()
            status = solver.getModelStatus()
        if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
            there, ray = (False, None) if solver.getInfo().basis_validity == 0 else solver.getDualRay()[1:]  # pyright: ignore[reportAttributeAccessIssue]  (the stub lacks it)
            return np.array(ray)[: matrix.height] * scale if there else self._missed(matrix)
        if status not in (known.kOptimal, known.kModelEmpty):
            raise RuntimeError(f"HiGHS stopped a selection: {solver.modelStatusToString(status)}")
        found = solver.getSolution()
        price = -np.array(found.row_dual)[: matrix.height] * scale / made.cost_scale
        return Answer(np.array(found.col_value)[: matrix.width], price)

    def _missed(self, matrix: Matrix) -> np.ndarray:
        """Prices of the least by which fractions miss the rows, each in shares of its own size: what presolve refutes has no other proof."""
        at = np.flatnonzero(~np.isin(self.clause, [i for i, c in enumerate(self.problem.clauses) if isinstance(c, AtMost)]))
        whole = np.zeros(matrix.height, np.int64)
        np.add.at(whole, matrix.row, np.abs(matrix.value))
        known = np.maximum(np.where(matrix.low == -NONE, 0, np.abs(matrix.low)), np.where(matrix.high == NONE, 0, np.abs(matrix.high)))
        size = np.maximum(np.where(known > 0, known, whole // 16), 1)
        below, above = at[matrix.low[at] != -NONE], at[matrix.high[at] != NONE]
        join, more = np.concatenate, len(below) + len(above)
        elastic = Matrix(
            join([matrix.row, below, above]),
            join([matrix.column, matrix.width + np.arange(more)]),
            join([matrix.value, size[below], -size[above]]),
            matrix.low,
            matrix.high,
            matrix.width + more,
        )
        cost = np.append(np.zeros(matrix.width), np.full(more, -1.0))
        found = run(elastic, cost, integral=False, upper=np.append(np.ones(matrix.width), np.full(more, np.inf)))
        return np.zeros(matrix.height) if isinstance(found, Refusal) else found.price

"""The one place that calls HiGHS: a matrix and costs in, an optimum out. Single thread, fixed seed, no time limit, no
tolerated gap.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from .matrix import NONE, Matrix
from .thin import Thin, thin

COST = 2.0**10
COEFFICIENT = 2.0**20


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`x`: columns within their bounds. `price`: of each row, d optimum / d bound (of an LP). `complete`: optimal, not stopped by
    the limit of nodes.
    """

    x: np.ndarray
    price: np.ndarray
    complete: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Nothing was found. `rows`: bool a row, those that refute the relaxation together; None where it was not refuted."""

    rows: np.ndarray | None = None


def run(
    matrix: Matrix,
    cost: np.ndarray,
    *,
    integral: bool,
    nodes: int | None = None,
    tolerance: float = 1e-6,
    prove: bool = False,
    gap: float = 0.0,
    upper: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> Answer | Refusal:
    """Maximise cost x over the bounds of the columns (from 0 to `upper` where it is given) and the matrix; a refusal says that it is
    infeasible (with a limit of `nodes`, that nothing was found), and with `prove`, for an LP, which rows refute it. `gap`: how much
    of the optimum an integral answer may lack. `start`: integers that satisfy the matrix and are likely the best: what remains is the proof.

    Costs and rows are scaled by powers of two, so that integers stay exact and an absolute 1e-6 is at most one unit of
    an objective of 2^30 levels.
    """
    made = model(matrix, cost, upper)
    lp, given = made.lp, matrix.width
    if integral:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * given + [highspy.HighsVarType.kContinuous] * (lp.num_col_ - given)
    solver = new_solver(nodes, tolerance)
    solver.setOptionValue("mip_abs_gap", gap * made.cost_scale)
    if not integral and given > 10_000 and cost.any() and len(np.unique(cost)) <= 100:
        solver.setOptionValue("solver", "ipm")  # on so degenerate an objective the simplex takes ten times as long
    if solver.passModel(lp) == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS refused the model of a selection")
    if start is not None:
        # What looks for better ones, and begins again from what was learnt, takes longer here than the tree alone.
        solver.setOptionValue("mip_heuristic_effort", 0.0)
        solver.setOptionValue("mip_allow_restart", False)
        begun = highspy.HighsSolution()
        begun.col_value, begun.value_valid = list(made.thin.filled(start)), True
        solver.setSolution(begun)
    solver.run()
    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return Refusal(_refuting(solver, matrix.height) if prove else None)
    limited = nodes is not None and status in (known.kSolutionLimit, known.kIterationLimit)
    if status not in (known.kOptimal, known.kModelEmpty) and not limited:
        raise RuntimeError(f"HiGHS stopped a selection: {solver.modelStatusToString(status)}")
    found = solver.getSolution()
    if not found.value_valid:
        return Refusal()
    price = np.zeros(matrix.height) if integral else -np.array(found.row_dual)[: matrix.height] * made.scale / made.cost_scale
    return Answer(np.array(found.col_value)[:given], price, not limited)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """`scale`: by how much each row of the matrix was multiplied; of the costs `cost_scale`. `thin`: the matrix as it is solved."""

    lp: highspy.HighsLp
    thin: Thin
    scale: np.ndarray
    cost_scale: float


def model(matrix: Matrix, cost: np.ndarray, upper: np.ndarray | None = None) -> Model:
    """The linear program that maximises cost x, as HiGHS takes it."""
    made = thin(matrix)
    whole, given, n = made.matrix, matrix.width, made.matrix.width
    cost_scale = _power(np.abs(cost).max(initial=0), COST)
    size = np.zeros(whole.height)
    np.maximum.at(size, whole.row, np.abs(whole.value).astype(float))
    scale = np.array([_power(s, COEFFICIENT) for s in size])
    order = np.lexsort((whole.row, whole.column))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n, whole.height
    lp.col_cost_ = np.append(-cost * cost_scale, np.zeros(made.more))
    sums = np.full(made.more, highspy.kHighsInf)
    lp.col_lower_ = np.append(np.zeros(given), -sums)
    lp.col_upper_ = np.append(matrix.most.astype(float) if upper is None else upper, sums)
    lp.row_lower_ = np.where(whole.low == -NONE, -highspy.kHighsInf, whole.low * scale)
    lp.row_upper_ = np.where(whole.high == NONE, highspy.kHighsInf, whole.high * scale)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(whole.column[order], np.arange(n + 1)).astype(np.int32)
    lp.a_matrix_.index_ = whole.row[order].astype(np.int32)
    lp.a_matrix_.value_ = (whole.value * scale[whole.row])[order]
    return Model(lp, made, scale[: matrix.height] * made.times, cost_scale)


def new_solver(nodes: int | None = None, tolerance: float = 1e-6) -> highspy.Highs:
    """A solver with the options of all runs."""
    solver = highspy.Highs()
    options = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": tolerance,
        "mip_heuristic_effort": 0.2,
    }
    if nodes is not None:
        options["mip_max_nodes"] = nodes
    for name, value in options.items():
        solver.setOptionValue(name, value)
    return solver


def _refuting(solver: highspy.Highs, rows: int) -> np.ndarray | None:
    # Presolve finds most infeasibilities and has no ray; solving once more from scratch is far faster than its own detour.
    solver.setOptionValue("presolve", "off")
    solver.clearSolver()
    solver.run()
    _, there, ray = solver.getDualRay()  # pyright: ignore[reportAttributeAccessIssue]  (the stub lacks it)
    return np.abs(ray[:rows]) > 1e-9 if there else None


def _power(size: float, most: float) -> float:
    """The power of two, at most 1, that brings `size` to `most` or below."""
    return 1.0 if size <= most else 2.0 ** -np.ceil(np.log2(size / most))

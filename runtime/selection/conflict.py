"""Why a selection is infeasible: a minimal set of clauses in conflict and the nearest changes that end it. It returns
data; words and places are for others.
"""

from collections.abc import Sequence

import numpy as np

from ...compiler.plan.stages import AtMost
from .changes import changes
from .integer import maximise
from .matrix import stacked
from .outcomes import broken, outcomes
from .problem import Conflict, ConflictMember, Problem, unit
from .rows import rows


def conflict(problem: Problem) -> Conflict:
    """A minimal conflict of an infeasible problem. ValueError where the problem is feasible after all."""
    if not problem.budgets:
        return _all_selected(problem)
    numbers = minimal(problem)
    return Conflict(members=tuple(_member(problem, i) for i in numbers), changes=changes(problem, numbers))


def feasible(problem: Problem, active: Sequence[int]) -> bool:
    """Whether some selection satisfies the clauses numbered `active`."""
    made = rows(problem, active)
    matrix = stacked(made, problem.size)
    return maximise(matrix, np.zeros(problem.size, np.int64)) is not None


def minimal(problem: Problem) -> list[int]:
    """Numbers of clauses that conflict while any of them left out would end the conflict, by QuickXplain (Junker, AAAI
    2004).
    """
    everything = list(range(len(problem.clauses)))
    for i in everything:
        if _starved(problem, i):
            return [i]
    if feasible(problem, everything):
        raise ValueError("the problem is feasible")

    def explain(base: list[int], grown: bool, rest: list[int]) -> list[int]:
        if grown and not feasible(problem, base):
            return []
        if len(rest) == 1:
            return rest
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        of_second = explain(base + first, True, second)
        of_first = explain(base + of_second, bool(of_second), first)
        return of_first + of_second

    return sorted(explain([], False, everything))


def _starved(problem: Problem, i: int) -> bool:
    """Whether clause `i` alone asks for more, or less, than all candidates can give."""
    for row in rows(problem, [i]):
        most, least = int(np.maximum(row.value, 0).sum()), int(np.minimum(row.value, 0).sum())
        low, high = least if row.low is None else row.low, most if row.high is None else row.high
        if low > high or most < low or least > high:
            return True
    return False


def _all_selected(problem: Problem) -> Conflict:
    done = outcomes(problem, np.ones(problem.size, bool))
    wrong = [i for i, outcome in enumerate(done) if broken(outcome)]
    if not wrong:
        raise ValueError("the problem is feasible")
    return Conflict(members=(_member(problem, wrong[0]),), changes=changes(problem, wrong[:1]), all_selected=True)


def _member(problem: Problem, i: int) -> ConflictMember:
    clause = problem.clauses[i]
    counted = problem.counted(i)
    tokens = int(problem.tokens[counted].sum())
    counts = unit(clause)
    available = len(counted) if counts == "examples" else tokens
    if isinstance(clause, AtMost):
        available = int(np.minimum(np.bincount(problem.prompt), clause.count).sum())
    return ConflictMember(clause=clause, unit=counts, available=available, rows=len(counted), tokens=tokens)

"""Why a selection is infeasible: a minimal set of clauses in conflict and the nearest changes that end it. It returns
data; words and places are for others.
"""

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .changes import changes
from .highs import Refusal
from .integer import satisfy
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


def minimal(problem: Problem) -> list[int]:
    """Numbers of clauses that conflict while any of them left out would end the conflict.

    A deletion filter: a clause without which the rest is still infeasible goes, and with it every clause that the proof
    of that (a dual ray of the relaxation) does not use.
    """
    kept = list(range(len(problem.clauses)))
    for i in kept:
        if _starved(problem, i):
            return [i]
    if _refuted(problem, kept, shrink=False) is None:
        raise ValueError("the problem is feasible")
    found = _filtered(problem, kept, shrink=True)
    sound = _refuted(problem, found, shrink=False) is not None
    return found if sound else _filtered(problem, kept, shrink=False)  # a ray is floats: what it leaves is tried again


def _filtered(problem: Problem, kept: list[int], *, shrink: bool) -> list[int]:
    needed: list[int] = []
    while rest := [i for i in kept if i not in needed]:
        refuted = _refuted(problem, [i for i in kept if i != rest[0]], shrink=shrink)
        if refuted is None:
            needed.append(rest[0])
        else:
            kept = refuted
    return kept


def _refuted(problem: Problem, active: list[int], *, shrink: bool) -> list[int] | None:
    """Clauses of `active` that no selection satisfies together, without those that the proof does not use where `shrink`;
    None where a selection satisfies them all.
    """
    made = rows(problem, active)
    found = satisfy(stacked(made, problem.size), -problem.tokens, prove=shrink)
    if not isinstance(found, Refusal):
        return None
    if found.rows is None or not shrink:
        return active
    used = {made[r].clause for r in np.flatnonzero(found.rows)}
    if any(isinstance(c, Quota) and c.unit == "%" for c in (problem.clauses[i] for i in used)):
        # Its row is resolved against the number of examples, so that clause is part of the proof.
        used |= {i for i in active if isinstance(c := problem.clauses[i], Budget) and c.unit == "examples" and not c.up_to}
    return sorted(used)


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

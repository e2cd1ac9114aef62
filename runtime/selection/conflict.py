"""Why a selection is infeasible: a minimal set of clauses in conflict and the nearest changes that end it. It returns
data; words and places are for others.
"""

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .changes import changes
from .corners.deletion import Question, core
from .outcomes import broken, outcomes
from .problem import Conflict, ConflictMember, Problem, unit
from .rows import rows
from .session import Refuted, Session
from .table import as_table

LARGE = 3000
"""Of more candidates a conflict is first sought by prices of classes, which refute the clauses for fractions of rows; what is left is searched in whole rows."""


def conflict(problem: Problem) -> Conflict:
    """A minimal conflict of an infeasible problem. ValueError where the problem is feasible after all."""
    if not problem.budgets:
        return _all_selected(problem)
    session = Session(problem)
    numbers = minimal(session)
    found, unsearched = changes(session, numbers)
    return Conflict(members=tuple(_member(problem, i, numbers) for i in numbers), changes=found, unsearched=unsearched)


def minimal(session: Session) -> list[int]:
    """Numbers of clauses that conflict while any of them left out would end the conflict.

    A deletion filter: a clause without which the rest is still infeasible goes, and with it every clause that the proof
    of that (a dual ray of the relaxation, held against the rows) does not use.
    """
    kept = list(range(len(session.problem.clauses)))
    for i in kept:
        if _starved(session.problem, i):
            return [i]
    by_prices = core(Question(as_table(session.problem))) if session.problem.size > LARGE else None
    found = list(by_prices.numbers) if by_prices else _refuted(session, kept)
    if found is None:
        raise ValueError("the problem is feasible")
    kept, needed = found, []
    while rest := [i for i in kept if i not in needed]:
        refuted = _refuted(session, [i for i in kept if i != rest[0]])
        if refuted is None:
            needed.append(rest[0])
        else:
            kept = refuted
    return kept


def _refuted(session: Session, active: list[int]) -> list[int] | None:
    """Clauses of `active` that no selection satisfies together, without those that the proof does not use; None where a selection satisfies them all."""
    matrix = session.limited(active)
    found = session.relax(matrix)
    if not isinstance(found, Refuted):
        return active if session.selection(matrix, found) is None else None
    at = np.flatnonzero(found.price)
    used = set(session.clause[at].tolist())
    if session.fixed[at].any():
        # Its row is resolved against the number of examples, so that clause is part of the proof.
        count = session.count(active)
        clauses = session.problem.clauses
        used.add(next(i for i in active if isinstance(c := clauses[i], Budget) and c.unit == "examples" and not c.up_to and c.amount == count))
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
    return Conflict(members=(_member(problem, wrong[0], wrong[:1]),), changes=changes(Session(problem), wrong[:1])[0], all_selected=True)


def _member(problem: Problem, i: int, members: list[int]) -> ConflictMember:
    clause = problem.clauses[i]
    counted = problem.counted(i)
    tokens = int(problem.tokens[counted].sum())
    counts = unit(clause)
    available = len(counted) if counts == "examples" else tokens
    if isinstance(clause, AtMost):
        available = _selectable(problem, counted)
    capped = problem.at_most is not None and 0 in members and isinstance(clause, Quota)
    selectable = _selectable(problem, counted) if capped else None
    return ConflictMember(clause=clause, unit=counts, available=available, rows=len(counted), tokens=tokens, selectable=selectable)


def _selectable(problem: Problem, counted: np.ndarray) -> int:
    """How many of the rows `keep at most` lets be selected."""
    most = problem.at_most.count if problem.at_most else problem.size
    return int(np.minimum(np.bincount(problem.prompt[counted]), most).sum())

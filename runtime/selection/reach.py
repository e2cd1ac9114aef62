"""How far one bound must move before all clauses can be satisfied: a proof that they cannot says how far at least, and is asked for again there
(Newton's method on the piecewise linear function that the relaxation is of the bound).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from ...compiler.plan.stages import AtMost, Budget
from .integer import maximise
from .problem import unit
from .rows import bounds, rows
from .session import Limits, Refuted, Session

WHOLE = 2000
"""Of so many candidates the integers are searched to the end."""
STEPS = 8


@dataclass(frozen=True, slots=True)
class Reached:
    """The amount that a clause can count, nearest to its bound; `proven`: none is nearer."""

    amount: int
    proven: bool = True


def holds(session: Session, active: Sequence[int], over: Mapping[int, Limits] | None = None) -> bool:
    """Whether a selection satisfies the clauses `active`, with the bounds in `over`."""
    matrix = session.limited(active, over)
    found = session.relax(matrix)
    return not isinstance(found, Refuted) and session.selection(matrix, found) is not None


def reach(session: Session, active: Sequence[int], i: int, *, falling: bool) -> Reached | None:
    """The most (where a low bound is to fall) or the least that clause `i` can count, its other bound and all other
    clauses `active` kept; None: nothing is enough.
    """
    problem = session.problem
    if not problem.budgets:
        counted = problem.counted(i)
        return Reached(len(counted) if unit(problem.clauses[i]) == "examples" else int(problem.tokens[counted].sum()))
    least, most = _limits(session, active, i)
    value = _relaxed(session, active, i, least, most, falling)
    if value is None:
        return None
    if problem.size <= WHOLE:
        return _exactly(session, active, i, least, most, falling)
    for step in range(STEPS):
        tried = value + (-1 if falling else 1) * (2**step - 1)
        if tried < 0:
            return None
        matrix = session.limited(active, {i: (tried, most) if falling else (least, tried)})
        found = session.relax(matrix)
        chosen = None if isinstance(found, Refuted) else session.selection(matrix, found, tries=2)
        if chosen is not None:
            amount = _amount(session, i, chosen)
            return Reached(amount, amount == value)
    return None


def least_move(session: Session, members: Sequence[int], i: int) -> float | None:
    """How far a bound of clause `i` must move at least, as a share of what it is, before the clauses `members` can hold; None: no move of it helps."""
    problem, clause = session.problem, session.problem.clauses[i]
    found = session.relax(session.limited(members))
    if not isinstance(found, Refuted):
        return 0.0
    at = np.flatnonzero((session.clause == i) & (found.price != 0))
    if not len(at):
        return None
    if isinstance(clause, AtMost):
        return 1 / clause.count
    row = -found.least / float(np.abs(found.price[at]).max())
    if isinstance(clause, Budget):
        return ceil(row - 1e-6) / max(clause.amount, 1)
    written = max(abs(clause.low if clause.low is not None and clause.high is None else clause.high or clause.low or 0.0), 1)
    if "%" not in clause.unit:
        return ceil(row - 1e-6) / written
    if session.fixed[at].any():
        return 100 * ceil(row - 1e-6) / max(session.count(members) or 1, 1) / written
    whole = int(problem.tokens.sum()) if clause.unit == "% of tokens" else problem.size
    caps = [b.amount for b in problem.budgets if (b.unit == "tokens") == (clause.unit == "% of tokens")]
    return 100 * row / float(session.scale[at].max()) / max(min([whole, *caps]), 1) / written


def _limits(session: Session, active: Sequence[int], i: int) -> Limits:
    """The bounds of the row that clause `i` is, beside the others."""
    problem, clause = session.problem, session.problem.clauses[i]
    if not isinstance(clause, Budget) and not isinstance(clause, AtMost):
        return bounds(problem, clause, session.count([j for j in active if j != i]))
    (row,) = rows(problem, [i])
    return row.low, row.high


def _relaxed(session: Session, active: Sequence[int], i: int, least: int | None, most: int | None, falling: bool) -> int | None:
    """The nearest whole bound that fractions satisfy."""
    value = least if falling else most
    if value is None:
        return None
    counted = session.problem.counted(i)
    whole = len(counted) if unit(session.problem.clauses[i]) == "examples" else int(session.problem.tokens[counted].sum())
    while True:
        found = session.relax(session.limited(active, {i: (value, most) if falling else (least, value)}))
        if not isinstance(found, Refuted):
            return value
        price = float(np.abs(found.price[session.clause == i]).max(initial=0.0))
        if price == 0.0 or (value <= 0 if falling else value >= whole):
            return None
        step = max(1, ceil(-found.least / price * (1 - 1e-9) - 1e-6))
        value = max(value - step, 0) if falling else min(value + step, whole)


def _exactly(session: Session, active: Sequence[int], i: int, least: int | None, most: int | None, falling: bool) -> Reached | None:
    """The nearest amount of all, whatever fractions reach."""
    matrix = session.limited(active, {i: (None, most) if falling else (least, None)})
    counted = session.problem.counted(i)
    amount = np.zeros(session.problem.size, np.int64)
    amount[counted] = 1 if unit(session.problem.clauses[i]) == "examples" else session.problem.tokens[counted]
    best = maximise(matrix, amount if falling else -amount)
    return None if best is None else Reached(abs(best.value))


def _amount(session: Session, i: int, chosen: np.ndarray) -> int:
    counted = session.problem.counted(i)
    picked = counted[chosen[counted]]
    return len(picked) if unit(session.problem.clauses[i]) == "examples" else int(session.problem.tokens[picked].sum())

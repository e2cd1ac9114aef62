"""How far one bound must move before all clauses can be satisfied: a proof that they cannot says how far at least, and is asked for again there
(Newton's method on the piecewise linear function that the relaxation is of the bound).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .corners.deletion import Question
from .corners.nearest import TENTHS, nearest
from .highs import Answer
from .integer import best_near, maximise
from .matrix import NONE, Matrix
from .problem import unit, with_clause
from .rows import bounds, exact, rows
from .session import Limits, Refuted, Session
from .table import as_table

TRIES = 3
WHOLE = 2000
"""Of so many candidates the integers are searched to the end."""


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
    return _near(session, active, i, least, most, value, falling)


def _near(session: Session, active: Sequence[int], i: int, least: int | None, most: int | None, value: int, falling: bool) -> Reached | None:
    """The nearest amount that a bounded search finds: fractions reach `value`."""
    amounts = _amounts(session, i) * (1 if falling else -1)
    for room in (0, max(1, value // 1000), max(2, value // 50)):
        # Where fractions only just hold, whole rows near them may not; with some room they mostly do.
        start = max(value - room, 0) if falling else value + room
        matrix = session.limited(active, {i: (start, most) if falling else (least, start)})
        found = session.relax(matrix)
        if isinstance(found, Refuted):
            return None
        chosen = best_near(matrix, amounts, -session.problem.tokens, found)
        if chosen is not None:
            amount = abs(int(amounts[chosen].sum()))
            return Reached(amount, amount == value)
    return None


def reach_share(session: Session, active: Sequence[int], i: int, quota: Quota, parts: int, *, falling: bool) -> tuple[Fraction | None, bool]:
    """The nearest share of a quota of an unknown total, in `parts` of a per cent, that the other clauses allow, and whether that is proven; None: none."""
    written = exact((quota.low if falling else quota.high) or 0.0) * parts
    step, way = (ceil(written), -1) if falling else (floor(written), 1)
    if parts == TENTHS:
        # Of fractions prices of classes know the nearest at once: what is left is to find whole rows near it.
        side = "low" if falling else "high"
        near = next((c for name, c in nearest(Question(as_table(session.problem)), active, i) if name == side), None)
        if isinstance(near, Quota):
            value = float((near.low if falling else near.high) or 0.0)
            step = round(value * parts)
            session = Session(with_clause(session.problem, i, replace(quota, low=value) if falling else replace(quota, high=value)), after=session)
    proven, tries = True, 0
    while 0 <= step <= 100 * parts and tries < TRIES:
        matrix = session.limited(active)
        found = session.relax(matrix)
        if isinstance(found, Refuted):
            moved = _allowed(session, matrix, found, i, step, parts, falling)
            if moved is None:
                return None, True
        elif session.selection(matrix, found, tries=1) is not None:
            return Fraction(step, parts), proven
        else:
            proven, tries, moved = False, tries + 1, step + way * 2**tries
        step = moved
        value = float(Fraction(step, parts))
        asked = replace(quota, low=value) if falling else replace(quota, high=value)
        session = Session(with_clause(session.problem, i, asked), after=session)
    return None, True


def _allowed(session: Session, matrix: Matrix, found: Refuted, i: int, step: int, parts: int, falling: bool) -> int | None:
    """The nearest share at which the proof no longer stands."""
    problem, quota = session.problem, session.problem.clauses[i]
    side = (matrix.low != -NONE) if falling else (matrix.high != NONE)
    at = np.flatnonzero((session.clause == i) & side & (found.price != 0))
    if len(at) != 1 or not isinstance(quota, Quota):
        return None
    row = int(at[0])
    price = found.price[row] * session.scale[row]
    weight = (problem.tokens if quota.unit == "% of tokens" else np.ones(problem.size, np.int64)).astype(float)
    part = np.zeros(problem.size)
    part[problem.counted(i)] = weight[problem.counted(i)]
    now = part - float(exact((quota.low if falling else quota.high) or 0.0)) / 100 * weight
    others = -matrix.dot(found.price) + price * now
    fixed = found.least - float(np.maximum(others - price * now, 0.0).sum())

    def stands(share: int) -> bool:
        return fixed + float(np.maximum(others - price * (part - share / parts / 100 * weight), 0.0).sum()) < 0

    bad, good = step, 0 if falling else 100 * parts
    if bad == good or stands(good):
        return None
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if stands(middle) else (middle, bad)
    return good


def least_move(session: Session, members: Sequence[int], found: Refuted | Answer, i: int) -> float | None:
    """How far a bound of clause `i` must move at least, as a share of what it is, before the clauses `members` can hold, by what the relaxation
    said of them; None: no move of it helps.
    """
    problem, clause = session.problem, session.problem.clauses[i]
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
    whole = int(_amounts(session, i).sum())
    while True:
        found = session.relax(session.limited(active, {i: (value, most) if falling else (least, value)}))
        if not isinstance(found, Refuted):
            return value
        of_bound = found.price[session.clause == i] * (-1 if falling else 1)
        price = float(of_bound.max(initial=0.0))
        if price <= 0.0 or (value <= 0 if falling else value >= whole):
            return None  # the proof does without this bound, or rests on the other one of the clause
        step = max(1, ceil(-found.least / price * (1 - 1e-9) - 1e-6))
        value = max(value - step, 0) if falling else min(value + step, whole)


def _exactly(session: Session, active: Sequence[int], i: int, least: int | None, most: int | None, falling: bool) -> Reached | None:
    """The nearest amount of all, whatever fractions reach."""
    matrix = session.limited(active, {i: (None, most) if falling else (least, None)})
    amounts = _amounts(session, i)
    best = maximise(matrix, amounts if falling else -amounts)
    return None if best is None else Reached(abs(best.value))


def _amounts(session: Session, i: int) -> np.ndarray:
    """What each row adds to the amount of clause `i`."""
    counted = session.problem.counted(i)
    amounts = np.zeros(session.problem.size, np.int64)
    amounts[counted] = 1 if unit(session.problem.clauses[i]) == "examples" else session.problem.tokens[counted]
    return amounts

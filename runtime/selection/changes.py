"""The nearest change of each clause in a conflict that makes a selection feasible, each proven feasible before it is
offered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .highs import Refusal, run
from .integer import satisfy
from .matrix import stacked
from .outcomes import broken, outcomes
from .problem import Change, Clause, Problem, with_clause
from .reach import WHOLE, holds, least_move, reach, reach_share
from .rows import Row, exact, rows, tolerance
from .session import Refuted, Session
from .wording import rewritten

SMALL = 3000
"""Of so many candidates every bound is searched."""
WANTED = 3
"""So many changes of a large problem are enough where no other clause can have a nearer one..."""
MOST = 4
"""... or so many clauses were searched and one change was found, those first that need to move least by the proof of the conflict."""


def changes(session: Session, members: Sequence[int]) -> tuple[tuple[Change, ...], int]:
    """Changes of one of the clauses `members` (numbers) that end the conflict, nearest first, and of how many clauses no bound was looked at.

    They make the whole problem feasible where one change can; else (`enough` False) the set `members` alone. Of a large problem not every clause is
    searched: how far each must move at least is known from the proof of the conflict.
    """
    everything = range(len(session.problem.clauses))
    found, unsearched = _searched(session, everything, members)
    if not found and len(members) < len(session.problem.clauses):
        found, unsearched = _searched(session, members, members)
        found = [replace(c, enough=False) for c in found]
    return tuple(sorted(found, key=_distance)), unsearched


def _searched(session: Session, active: Sequence[int], members: Sequence[int]) -> tuple[list[Change], int]:
    ahead = [(0.0, i) for i in members]
    if session.problem.size > SMALL and session.problem.budgets:
        proof = session.relax(session.limited(members))
        ahead = sorted((far, i) for i in members if (far := least_move(session, members, proof, i)) is not None)
    found: list[Change] = []
    for place, (far, i) in enumerate(ahead):
        nearest = sorted(map(_distance, found))[:WANTED]
        if far and found and (place >= MOST or (len(nearest) == WANTED and far > nearest[-1])):
            return found, len(ahead) - place
        found += _changes_of(session, active, i)
    return found, 0


def _distance(change: Change) -> float:
    return abs(change.new - change.old) / max(abs(change.old), 1)


def _feasible(problem: Problem, active: Sequence[int]) -> bool:
    if not problem.budgets:
        done = outcomes(problem, np.ones(problem.size, bool))
        return not any(broken(done[i]) for i in active)
    return _satisfiable(problem, rows(problem, active))


def _satisfiable(problem: Problem, made: list[Row]) -> bool:
    return not isinstance(satisfy(stacked(made, problem.size), -problem.tokens), Refusal)


def _changes_of(session: Session, active: Sequence[int], i: int) -> Iterator[Change]:
    problem = session.problem
    clause = problem.clauses[i]
    if problem.budgets and isinstance(session.relax(session.limited([j for j in active if j != i])), Refuted):
        return  # no bound of this clause helps: the others are in conflict without it
    for bound, variant, nearest in _candidates(session, active, i):
        # What a solver found is feasible by construction; where everything is selected another clause may still be broken.
        if variant is not None and (problem.budgets or _feasible(with_clause(problem, i, variant), active)):
            changed = replace(variant, text=rewritten(variant))
            old, new = _number(clause, bound), _number(variant, bound)
            yield Change(clause=clause, changed=changed, bound=bound, old=old, new=new, nearest=nearest)


def _number(clause: Clause, bound: str) -> float:
    return float(getattr(clause, "low" if bound == "equal" else bound))


def _candidates(session: Session, active: Sequence[int], i: int) -> Iterator[tuple[str, Clause | None, bool]]:
    """Which bound may move, the clause with the nearest value of it that the other clauses allow, and whether that is proven."""
    problem, clause = session.problem, session.problem.clauses[i]
    match clause:
        case AtMost():
            yield "count", _more_per_prompt(session, active, i, clause), True
        case Budget():
            filled = clause.unit == "tokens" and problem.fills_tokens
            for falling in (True, False):
                found = reach(session, active, i, falling=falling)
                amount = None if found is None else found.amount + (problem.longest - 1 if filled and falling else 0)
                if found is not None and amount is not None and amount != clause.amount and amount > 0:
                    yield "amount", replace(clause, amount=amount), found.proven
        case Quota():
            moved = _moved_share if "%" in clause.unit else _moved_amount
            for falling, value in ((True, clause.low), (False, clause.high)):
                if value is not None:
                    yield "equal" if clause.equal else "low" if falling else "high", *moved(session, active, i, clause, falling=falling)


def _set(quota: Quota, value: float, falling: bool) -> Quota:
    if quota.equal:
        return replace(quota, low=value, high=value)
    return replace(quota, low=value) if falling else replace(quota, high=value)


def _others(problem: Problem, active: Sequence[int], i: int) -> tuple[list[int], int | None]:
    """The other clauses, and how many rows they select where they say so exactly."""
    numbers = [j for j in active if j != i]
    chosen = [problem.clauses[j] for j in numbers]
    return numbers, min((c.amount for c in chosen if isinstance(c, Budget) and c.unit == "examples" and not c.up_to), default=None)


def _side(made: list[Row], *, falling: bool) -> list[Row]:
    """The rows without the bound that is to fall (the low one) or to rise (the high one)."""
    return [replace(r, low=None) if falling else replace(r, high=None) for r in made]


def _moved_amount(session: Session, active: Sequence[int], i: int, quota: Quota, *, falling: bool) -> tuple[Quota | None, bool]:
    found = reach(session, active, i, falling=falling)
    if found is None:
        return None, True
    miss = tolerance(session.problem, quota)
    value = found.amount + miss if falling else max(found.amount - miss, 0)
    return (_set(quota, float(value), falling) if _moves(quota, Fraction(value), falling) else None), found.proven


def _moves(quota: Quota, value: Fraction, falling: bool) -> bool:
    """Whether the value is a real move in the right direction."""
    if falling:
        return quota.low is not None and value < exact(quota.low)
    return quota.high is not None and value > exact(quota.high)


def _moved_share(session: Session, active: Sequence[int], i: int, quota: Quota, *, falling: bool) -> tuple[Quota | None, bool]:
    """The nearest share that can be reached, rounded to the side that can: to a tenth of a per cent, finer only where
    `=` leaves no tenth.
    """
    for decimals in (1, 2, 3):
        value, proven = _share_on_grid(session, active, i, quota, 10**decimals, falling)
        if value is None or not _moves(quota, value, falling):
            return None, True
        changed = _set(quota, float(value), falling)
        if not quota.equal or _feasible(with_clause(session.problem, i, changed), active):
            return changed, proven
    return None, True


def _share_on_grid(session: Session, active: Sequence[int], i: int, quota: Quota, parts: int, falling: bool) -> tuple[Fraction | None, bool]:
    problem = session.problem
    others, count = _others(problem, active, i)
    if not problem.budgets:
        count = problem.size if quota.unit == "%" else int(problem.tokens.sum())
    if count is not None and (quota.unit == "%" or not problem.budgets):
        found = reach(session, active, i, falling=falling)
        if found is None or count == 0:
            return None, True
        miss = tolerance(problem, quota)
        limit = Fraction(100 * parts * (found.amount + miss if falling else found.amount - miss), count)
        return Fraction(floor(limit) if falling else ceil(limit), parts), found.proven
    if problem.size > WHOLE and not quota.equal:
        return reach_share(session, active, i, quota, parts, falling=falling)
    kept = [*rows(problem, others), *_side(rows(problem, [i], count), falling=falling)]
    limit = _relaxed_share(problem, kept, i, quota, falling)
    if limit is None:
        return None, True

    def reachable(step: int) -> bool:
        asked = with_clause(problem, i, _set(quota, step / parts, falling))
        made = [*kept, *_side(rows(asked, [i], count), falling=not falling)]
        return _satisfiable(problem, made)

    edge = floor(limit * 100 * parts + 1e-6) + 1 if falling else ceil(limit * 100 * parts - 1e-6) - 1
    written = ceil(exact(quota.low or 0) * parts) if falling else floor(exact(quota.high or 0) * parts)
    step = _last(reachable, 0, min(edge, written)) if falling else _last(reachable, 100 * parts, max(edge, written))
    return (None if step is None else Fraction(step, parts)), True


def _relaxed_share(problem: Problem, made: list[Row], i: int, quota: Quota, falling: bool) -> float | None:
    """The highest (lowest) bound on a share that fractions of rows could meet, by Dinkelbach's iteration; None where none can."""
    weight = problem.tokens if quota.unit == "% of tokens" else np.ones(problem.size, np.int64)
    part = np.zeros(problem.size, np.int64)
    part[problem.counted(i)] = weight[problem.counted(i)]
    matrix, sign = stacked(made, problem.size), 1 if falling else -1
    share = 0.0 if falling else 1.0
    while True:
        found = run(matrix, sign * (part - share * weight), integral=False)
        if isinstance(found, Refusal):
            return None
        total = float(weight @ found.x)
        if total <= 0:
            return 1.0 if falling else 0.0
        reached = (float(part @ found.x) + sign * tolerance(problem, quota)) / total
        if sign * (reached - share) < 1e-9:
            return min(max(share, reached, 0.0), 1.0) if falling else max(min(share, reached, 1.0), 0.0)
        share = reached


def _more_per_prompt(session: Session, active: Sequence[int], i: int, clause: AtMost) -> AtMost | None:
    problem = session.problem
    fullest = int(np.bincount(problem.prompt).max(initial=0))
    if not problem.budgets:
        count = _last(lambda k: _feasible(with_clause(problem, i, replace(clause, count=k)), active), fullest, clause.count)
    else:
        count = _last(lambda k: holds(session, active, {i: (None, k)}), fullest, clause.count)
    return None if count is None else replace(clause, count=count)


def _last(holds: Callable[[int], bool], good: int, bad: int) -> int | None:
    """The value nearest to `bad`, which fails, at which a monotone condition holds, as far as `good`; None where it does
    not hold there either. Growing steps from `bad`, as the answer is mostly next to it.
    """
    way, step = (1 if good > bad else -1), 1
    while True:
        if good == bad:
            return None
        probe = bad + way * min(step, abs(good - bad))
        if holds(probe):
            good = probe
            break
        bad, step = probe, 4 * step
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good

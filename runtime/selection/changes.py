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
from .integer import maximise, satisfy
from .matrix import stacked
from .outcomes import broken, outcomes
from .problem import Change, Clause, Problem, unit
from .rows import Row, exact, rows, tolerance
from .wording import rewritten


def changes(problem: Problem, members: Sequence[int]) -> tuple[Change, ...]:
    """Changes of one of the clauses `members` (numbers) that end the conflict, nearest first.

    They make the whole problem feasible where one change can; else (`enough` False) the set `members` alone.
    """
    everything = range(len(problem.clauses))
    found = [c for i in members for c in _changes_of(problem, everything, i)]
    if not found and len(members) < len(problem.clauses):
        found = [replace(c, enough=False) for i in members for c in _changes_of(problem, members, i)]
    return tuple(sorted(found, key=lambda c: abs(c.new - c.old) / max(abs(c.old), 1)))


def with_clause(problem: Problem, i: int, clause: Clause) -> Problem:
    """The problem with clause number `i` replaced by another of its kind."""
    if isinstance(clause, AtMost):
        return replace(problem, at_most=clause)
    clauses = [*problem.quotas, *problem.budgets]
    clauses[i - (problem.at_most is not None)] = clause
    quotas = tuple(c for c in clauses if isinstance(c, Quota))
    return replace(problem, quotas=quotas, budgets=tuple(c for c in clauses if isinstance(c, Budget)))


def _feasible(problem: Problem, active: Sequence[int]) -> bool:
    if not problem.budgets:
        done = outcomes(problem, np.ones(problem.size, bool))
        return not any(broken(done[i]) for i in active)
    return _satisfiable(problem, rows(problem, active))


def _satisfiable(problem: Problem, made: list[Row]) -> bool:
    return not isinstance(satisfy(stacked(made, problem.size), -problem.tokens), Refusal)


def _changes_of(problem: Problem, active: Sequence[int], i: int) -> Iterator[Change]:
    clause = problem.clauses[i]
    others = [j for j in active if j != i]
    if problem.budgets and not _feasible(problem, others):
        return  # no bound of this clause helps: the others are in conflict without it
    for bound, variant in _candidates(problem, active, i):
        # What a solver found is feasible by construction; where everything is selected another clause may still be broken.
        if variant is not None and (problem.budgets or _feasible(with_clause(problem, i, variant), active)):
            changed = replace(variant, text=rewritten(variant))
            yield Change(clause=clause, changed=changed, bound=bound, old=_number(clause, bound), new=_number(variant, bound))


def _number(clause: Clause, bound: str) -> float:
    return float(getattr(clause, "low" if bound == "equal" else bound))


def _candidates(problem: Problem, active: Sequence[int], i: int) -> Iterator[tuple[str, Clause | None]]:
    """Which bound may move, and the clause with the nearest value of it that the other clauses allow."""
    clause = problem.clauses[i]
    match clause:
        case AtMost():
            yield "count", _more_per_prompt(problem, active, i, clause)
        case Budget():
            filled = clause.unit == "tokens" and problem.fills_tokens
            most, least = _reach(problem, active, i, falling=True), _reach(problem, active, i, falling=False)
            for amount in (None if most is None else most + (problem.longest - 1 if filled else 0), least):
                if amount is not None and amount != clause.amount and amount > 0:
                    yield "amount", replace(clause, amount=amount)
        case Quota():
            moved = _moved_share if "%" in clause.unit else _moved_amount
            for falling, value in ((True, clause.low), (False, clause.high)):
                if value is not None:
                    yield "equal" if clause.equal else "low" if falling else "high", moved(problem, active, i, clause, falling=falling)


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


def _reach(problem: Problem, active: Sequence[int], i: int, *, falling: bool) -> int | None:
    """The most (where a low bound is to fall) or the least that clause `i` can count, its other bound and all other
    clauses kept; None: nothing is enough.
    """
    value = np.zeros(problem.size, np.int64)
    counted = problem.counted(i)
    value[counted] = 1 if unit(problem.clauses[i]) == "examples" else problem.tokens[counted]
    if not problem.budgets:
        return int(value.sum())
    others, count = _others(problem, active, i)
    made = [*rows(problem, others), *_side(rows(problem, [i], count), falling=falling)]
    best = maximise(stacked(made, problem.size), value if falling else -value)
    return None if best is None else abs(best.value)


def _moved_amount(problem: Problem, active: Sequence[int], i: int, quota: Quota, *, falling: bool) -> Quota | None:
    reach = _reach(problem, active, i, falling=falling)
    if reach is None:
        return None
    miss = tolerance(problem, quota)
    value = reach + miss if falling else max(reach - miss, 0)
    return _set(quota, float(value), falling) if _moves(quota, Fraction(value), falling) else None


def _moves(quota: Quota, value: Fraction, falling: bool) -> bool:
    """Whether the value is a real move in the right direction."""
    if falling:
        return quota.low is not None and value < exact(quota.low)
    return quota.high is not None and value > exact(quota.high)


def _moved_share(problem: Problem, active: Sequence[int], i: int, quota: Quota, *, falling: bool) -> Quota | None:
    """The nearest share that can be reached, rounded to the side that can: to a tenth of a per cent, finer only where
    `=` leaves no tenth.
    """
    for decimals in (1, 2, 3):
        value = _share_on_grid(problem, active, i, quota, 10**decimals, falling)
        if value is None or not _moves(quota, value, falling):
            return None
        changed = _set(quota, float(value), falling)
        if not quota.equal or _feasible(with_clause(problem, i, changed), active):
            return changed
    return None


def _share_on_grid(problem: Problem, active: Sequence[int], i: int, quota: Quota, parts: int, falling: bool) -> Fraction | None:
    others, count = _others(problem, active, i)
    if not problem.budgets:
        count = problem.size if quota.unit == "%" else int(problem.tokens.sum())
    if count is not None and (quota.unit == "%" or not problem.budgets):
        reach = _reach(problem, active, i, falling=falling)
        if reach is None or count == 0:
            return None
        miss = tolerance(problem, quota)
        limit = Fraction(100 * parts * (reach + miss if falling else reach - miss), count)
        return Fraction(floor(limit) if falling else ceil(limit), parts)
    kept = [*rows(problem, others), *_side(rows(problem, [i], count), falling=falling)]
    limit = _relaxed_share(problem, kept, i, quota, falling)
    if limit is None:
        return None

    def reachable(step: int) -> bool:
        asked = with_clause(problem, i, _set(quota, step / parts, falling))
        made = [*kept, *_side(rows(asked, [i], count), falling=not falling)]
        return _satisfiable(problem, made)

    edge = floor(limit * 100 * parts + 1e-6) + 1 if falling else ceil(limit * 100 * parts - 1e-6) - 1
    written = ceil(exact(quota.low or 0) * parts) if falling else floor(exact(quota.high or 0) * parts)
    step = _last(reachable, 0, min(edge, written)) if falling else _last(reachable, 100 * parts, max(edge, written))
    return None if step is None else Fraction(step, parts)


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


def _more_per_prompt(problem: Problem, active: Sequence[int], i: int, clause: AtMost) -> AtMost | None:
    fullest = int(np.bincount(problem.prompt).max(initial=0))
    count = _last(lambda k: _feasible(with_clause(problem, i, replace(clause, count=k)), active), fullest, clause.count)
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

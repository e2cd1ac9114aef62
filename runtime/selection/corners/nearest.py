"""The nearest bound of one clause of a table with which fractions of rows satisfy the others as well, each nearer one refuted over every candidate."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from ....compiler.plan.stages import AtMost, Budget, Quota
from ..problem import Clause
from ..rows import exact
from .deletion import Question

TENTHS = 10


def nearest(question: Question, active: Sequence[int], i: int) -> Iterator[tuple[str, Clause]]:
    """The name of a bound of clause `i` that may move, and the clause with its nearest value: tenths of a per cent for shares, else whole numbers."""
    clause = question.table.clauses[i]
    match clause:
        case AtMost():
            count = _closest(lambda k: _holds(question, active, i, replace(clause, count=k)), question.census.fullest, clause.count)
            if count is not None:
                yield "count", replace(clause, count=count)
        case Budget():
            for side in ("low", "high"):
                amount = _amount(question, active, i, clause.amount, side, lambda value: replace(clause, amount=value))
                if amount:
                    yield "amount", replace(clause, amount=amount)
        case Quota():
            for side, value in (("low", clause.low), ("high", clause.high)):
                found = None if value is None else _quota(question, active, i, clause, exact(value), side)
                if found is not None:
                    yield "equal" if clause.equal else side, found


def _quota(question: Question, active: Sequence[int], i: int, quota: Quota, written: Fraction, side: str) -> Quota | None:
    def moved(value: float) -> Quota:
        return replace(quota, low=value, high=value) if quota.equal else replace(quota, **{side: value})

    if "%" not in quota.unit:
        found = _amount(question, active, i, ceil(written) if side == "low" else floor(written), side, lambda value: moved(float(value)))
        return None if found is None else moved(float(found))
    start = ceil(written * TENTHS) if side == "low" else floor(written * TENTHS)
    end = 0 if side == "low" else 100 * TENTHS
    step = _closest(lambda s: _holds(question, active, i, moved(s / TENTHS)), end, start)
    return None if step is None else moved(step / TENTHS)


def _amount(question: Question, active: Sequence[int], i: int, value: int, side: str, moved: Callable[[int], Clause]) -> int | None:
    """Newton's method: each refutation says how far the bound must move at least."""
    while True:
        verdict = question.ask(active, {i: moved(value)})
        if verdict.used is None:
            return value if verdict.known else None
        far = (verdict.excess or {}).get((i, side))
        if far is None or (value <= 0 and side == "low"):
            return None
        value = max(value - max(1, ceil(far)), 0) if side == "low" else value + max(1, ceil(far))


def _holds(question: Question, active: Sequence[int], i: int, clause: Clause) -> bool:
    verdict = question.ask(active, {i: clause})
    return verdict.used is None and verdict.known


def _closest(holds: Callable[[int], bool], good: int, bad: int) -> int | None:
    """The value nearest to `bad`, which fails, at which a monotone condition holds, as far as `good`; None where it does not hold there either."""
    if good == bad or not holds(good):
        return None
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good

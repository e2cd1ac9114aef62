"""Clauses as linear rows with exact integer coefficients: low <= sum of a_r x_r <= high. It knows nothing of objectives
or of solvers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import AtMost, Budget, Quota
from .problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One linear row. `clause`: number of the clause it came from, -1 where none did. `scale`: how many units of the
    row are one example or token.
    """

    index: np.ndarray
    value: np.ndarray
    low: int | None
    high: int | None
    clause: int = -1
    scale: Fraction = Fraction(1)


def exact(number: float) -> Fraction:
    """The decimal that was written: 0.1 is 1/10."""
    return Fraction(str(number))


def rows(problem: Problem, active: Iterable[int] | None = None, count: int | None = None) -> list[Row]:
    """The rows of the clauses numbered `active` (all of them by default). `count`: exactly so many rows are selected,
    which a caller assures.
    """
    clauses = problem.clauses
    numbers = list(range(len(clauses)) if active is None else active)
    if count is None:
        sizes = [c.amount for c in (clauses[i] for i in numbers) if isinstance(c, Budget) and c.unit == "examples" and not c.up_to]
        count = min(sizes, default=None)
    return [row for i in numbers for row in _rows_of(problem, i, count)]


def _rows_of(problem: Problem, i: int, count: int | None) -> Iterator[Row]:
    clause = problem.clauses[i]
    members = problem.counted(i)
    ones = np.ones(len(members), np.int64)
    match clause:
        case AtMost():
            yield from _per_prompt(problem, clause.count, i)
        case Budget(unit="examples"):
            yield Row(members, ones, None if clause.up_to else clause.amount, clause.amount, i)
        case Budget():
            filled = problem.fills_tokens
            yield Row(members, problem.tokens, clause.amount - problem.longest + 1 if filled else None, clause.amount, i)
        case Quota(unit="examples" | "tokens"):
            low, high = bounds(problem, clause)
            yield Row(members, ones if clause.unit == "examples" else problem.tokens[members], low, high, i)
        case Quota(unit="%") if count is not None:
            low, high = bounds(problem, clause, count)
            yield Row(members, ones, low, high, i)
        case Quota():
            yield from _share(problem, clause, members, i)


def _per_prompt(problem: Problem, most: int, i: int) -> Iterator[Row]:
    order = np.argsort(problem.prompt, kind="stable")
    prompts = problem.prompt[order]
    starts = np.flatnonzero(np.r_[True, prompts[1:] != prompts[:-1]]) if len(order) else np.zeros(0, np.int64)
    for group in np.split(order, starts[1:]):
        if len(group) > most:
            yield Row(group, np.ones(len(group), np.int64), None, most, i)


def tolerance(problem: Problem, quota: Quota) -> int:
    """By how much an amount may miss a quota written with `=`, in examples or tokens."""
    if not quota.equal or quota.unit == "examples":
        return 0
    return 1 if quota.unit == "%" else problem.longest


def bounds(problem: Problem, quota: Quota, total: int | None = None) -> tuple[int | None, int | None]:
    """The least and the greatest amount a quota allows, in whole examples or tokens; a share is of `total`."""
    miss = tolerance(problem, quota)
    factor = Fraction(1) if "%" not in quota.unit else Fraction(total or 0, 100)
    low = None if quota.low is None else ceil(exact(quota.low) * factor - miss)
    high = None if quota.high is None else floor(exact(quota.high) * factor + miss)
    return low, high


def _share(problem: Problem, quota: Quota, members: np.ndarray, i: int) -> Iterator[Row]:
    """A share q = p/d of an unknown total: d * amount - p * total >= 0 (or <= 0), less the tolerance of `=`."""
    weight = problem.tokens if quota.unit == "% of tokens" else np.ones(problem.size, np.int64)
    miss = tolerance(problem, quota)
    sides = [("equal", quota.low)] if quota.equal else [("low", quota.low), ("high", quota.high)]
    for side, share in sides:
        if share is None:
            continue
        q = exact(share) / 100
        if q.denominator * max(int(weight.max(initial=0)), 1) * max(problem.size, 1) >= 2**62:
            label = Label(quota.span, "fewer decimals are needed here")
            raise Fault(Diagnostic("MIX0404", f"a share of {share} % is too fine to be solved exactly", label))
        value = -q.numerator * weight
        value[members] += q.denominator * weight[members]
        common = int(np.gcd.reduce(value)) or 1
        margin = q.denominator * miss
        low = None if side == "high" else ceil(Fraction(-margin, common))
        high = None if side == "low" else floor(Fraction(margin, common))
        index = np.flatnonzero(value)
        yield Row(index, value[index] // common, low, high, i, Fraction(q.denominator, common))

"""Hard clauses as linear lines over kinds: a row of a kind with w tokens counts `ones + tokens w`, exact integers. It knows no rows and no prompts."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np

from ....compiler.diagnostics import Diagnostic, Fault, Label
from ....compiler.plan.stages import Budget, Quota
from ..matrix import NONE
from ..problem import Problem
from ..rows import bounds, exact, tolerance
from .kinds import Kinds


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`low <= sum over the selected of (ones + tokens w) <= high`, where a bound of -NONE or NONE is absent. `ones`, `tokens`: int64 a kind.

    `clause`: its number. `scale`: how many units of the line are one example or token.
    """

    clause: int
    ones: np.ndarray
    tokens: np.ndarray
    low: int
    high: int
    scale: Fraction = Fraction(1)


def lines(problem: Problem, known: Kinds) -> list[Line]:
    """The lines of all clauses but `keep at most`. Fault MIX0404 for shares too fine to be exact."""
    count = min((b.amount for b in problem.budgets if b.unit == "examples" and not b.up_to), default=None)
    nothing = np.zeros(known.total, np.int64)
    made: list[Line] = []
    for i, clause in enumerate(problem.clauses):
        match clause:
            case Budget(unit="examples"):
                made.append(Line(i, nothing + 1, nothing, -NONE if clause.up_to else clause.amount, clause.amount))
            case Budget():
                made.append(Line(i, nothing, nothing + 1, clause.amount - problem.longest + 1 if problem.fills_tokens else -NONE, clause.amount))
            case Quota():
                inside = known.quotas[i - (problem.at_most is not None)].astype(np.int64)
                made.extend(_quota(problem, clause, inside, i, count))
            case _:
                pass
    return made


def _quota(problem: Problem, quota: Quota, inside: np.ndarray, i: int, count: int | None) -> Iterator[Line]:
    nothing = np.zeros_like(inside)
    by_token = "tokens" in quota.unit
    if "%" not in quota.unit or (quota.unit == "%" and count is not None):
        low, high = bounds(problem, quota, count)
        ones, tokens = (nothing, inside) if by_token else (inside, nothing)
        yield Line(i, ones, tokens, -NONE if low is None else low, NONE if high is None else high)
        return
    margin = tolerance(problem, quota)
    for share, is_low, is_high in ((quota.low, True, quota.equal), (None if quota.equal else quota.high, False, True)):
        if share is None:
            continue
        q = exact(share) / 100
        if q.denominator * (max(problem.longest, 1) if by_token else 1) * max(problem.size, 1) >= 2**62:
            label = Label(quota.span, "fewer decimals are needed here")
            raise Fault(Diagnostic("MIX0404", f"a share of {share} % is too fine to be solved exactly", label))
        each = q.denominator * inside - q.numerator
        common = int(np.gcd.reduce(each)) or 1
        low = ceil(Fraction(-q.denominator * margin, common)) if is_low else -NONE
        high = floor(Fraction(q.denominator * margin, common)) if is_high else NONE
        ones, tokens = (nothing, each // common) if by_token else (each // common, nothing)
        yield Line(i, ones, tokens, low, high, Fraction(q.denominator, common))

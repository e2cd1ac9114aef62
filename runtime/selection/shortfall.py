"""Soft targets in a linear problem: a column for what each leaf lacks, the least sum of them, and what became of them. It knows no
objective but the shortfall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from .highs import Refusal
from .integer import at_most, maximise, satisfy
from .matrix import Matrix, stacked
from .problem import Problem, Soft, SoftOutcome, Target
from .rows import Row

FEW = 64
"""Candidates up to which shortfalls in tokens are made least to the token: beyond, that is a knapsack for each leaf, and no bound is near."""


@dataclass(frozen=True, slots=True, eq=False)
class Softened:
    """`rows` are those given, one for each leaf with a target, and last one that holds the sum of the shortfalls at `least`;
    behind the rows of the problem stand the columns of the shortfalls, of at most `upper` each. No selection lacks less than `proven`.
    """

    rows: list[Row]
    upper: np.ndarray
    least: int
    proven: int

    @property
    def matrix(self) -> Matrix:
        return _matrix(self.rows, self.upper)


def soften(problem: Problem, soft: Soft[np.ndarray], rows: list[Row]) -> Softened | None:
    """The rows of the hard clauses with the least shortfall that they allow; None where nothing satisfies them.

    It is the least exactly; in tokens, of more than `FEW` candidates, within the longest candidate of what the relaxation proves, or
    within a few of them where there is no such selection.
    """
    aimed = [i for i, target in enumerate(soft.targets) if target]
    wide, columns = problem.size, np.arange(problem.size, problem.size + len(aimed))
    lacking = [_lacking(problem, soft, i, int(column)) for i, column in zip(aimed, columns, strict=True)]
    upper = np.concatenate([np.ones(wide, np.int64), np.array([soft.targets[i] for i in aimed], np.int64)])
    value = np.concatenate([np.zeros(wide, np.int64), np.full(len(aimed), -1, np.int64)])
    made = [*rows, *lacking]

    def held(most: int) -> list[Row]:
        return [*made, Row(columns, np.ones(len(aimed), np.int64), None, most)]

    if soft.unit == "examples" or problem.size <= FEW:
        best = maximise(_matrix(made, upper), value)
        return best and Softened(held(-best.value), upper, -best.value, -best.value)
    reached = at_most(_matrix(made, upper), value)
    if reached is None or isinstance(satisfy(_matrix(made, upper), value), Refusal):
        return None
    proven = max(0, -floor(reached))
    most = proven + max(problem.longest - 1, 0)
    while isinstance(satisfy(_matrix(held(most), upper), value), Refusal):
        most += problem.longest
    return Softened(held(most), upper, most, proven)


def soft_outcome(
    problem: Problem, chosen: np.ndarray, price: float = 0.0, least: int | None = None, prices: Sequence[float] | None = None
) -> SoftOutcome | None:
    """What each leaf has in a selection, counted from the definition; None without soft targets. `least`: None where it is proven.

    `price`: of the sum of the shortfalls; `prices`: of each leaf that has a target, in their order.
    """
    soft = problem.soft
    if soft is None:
        return None
    found, given = [], iter(prices or ())
    for leaf, target, members in zip(soft.leaves, soft.targets, soft.members, strict=True):
        weight = _weight(problem, soft, members)
        amount = int(weight[chosen[members]].sum())
        worth = abs(next(given, 0.0)) if target else 0.0
        found.append(Target(leaf=leaf, target=target, amount=amount, shortfall=max(0, target - amount), available=int(weight.sum()), price=worth))
    total = sum(t.shortfall for t in found)
    return SoftOutcome(clause=soft.clause, unit=soft.unit, targets=tuple(found), shortfall=total, least=total if least is None else least, price=abs(price))


def _lacking(problem: Problem, soft: Soft[np.ndarray], leaf: int, column: int) -> Row:
    members = soft.members[leaf]
    weight = _weight(problem, soft, members)
    return Row(np.append(members, column), np.append(weight, 1), soft.targets[leaf], None)


def _weight(problem: Problem, soft: Soft[np.ndarray], members: np.ndarray) -> np.ndarray:
    return problem.tokens[members] if soft.unit == "tokens" else np.ones(len(members), np.int64)


def _matrix(rows: list[Row], upper: np.ndarray) -> Matrix:
    plain = stacked(rows, len(upper))
    return Matrix(plain.row, plain.column, plain.value, plain.low, plain.high, plain.width, upper)

"""What became of each clause in a selection, counted in exact integers from the definition, not from the rows that a
solver saw.
"""

from collections.abc import Sequence

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota
from .problem import Clause, Outcome, Problem, unit
from .rows import bounds


def outcomes(problem: Problem, chosen: np.ndarray, prices: Sequence[float] | None = None) -> tuple[Outcome, ...]:
    """The outcome of every clause. `prices`: of each clause, above zero where its high bound costs, below where its low
    bound does.
    """
    return tuple(_outcome(problem, chosen, i, prices[i] if prices is not None else 0.0) for i in range(len(problem.clauses)))


def broken(outcome: Outcome) -> bool:
    """Whether the amount lies outside the bounds."""
    below = outcome.low is not None and outcome.amount < outcome.low
    return below or (outcome.high is not None and outcome.amount > outcome.high)


def _outcome(problem: Problem, chosen: np.ndarray, i: int, price: float) -> Outcome:
    clause = problem.clauses[i]
    return outcome(clause, *_measured(problem, chosen, i, clause, unit(clause)), price)


def outcome(clause: Clause, amount: int, low: int | None, high: int | None, share: float | None, price: float) -> Outcome:
    """The outcome of a clause from what was counted for it; `price` as in `outcomes`."""
    room = [distance for bound, distance in ((low, amount - (low or 0)), (high, (high or 0) - amount)) if bound is not None]
    slack = min(room, default=None)
    return Outcome(
        clause=clause,
        unit=unit(clause),
        amount=amount,
        low=low,
        high=high,
        share=share,
        slack=slack,
        binding=slack == 0 or price != 0.0,
        price=abs(price),
        side=None if price == 0.0 else "high" if price > 0 else "low",
    )


def _measured(
    problem: Problem, chosen: np.ndarray, i: int, clause: Clause, counts: str
) -> tuple[int, int | None, int | None, float | None]:
    if isinstance(clause, AtMost):
        return int(np.bincount(problem.prompt[chosen]).max(initial=0)), None, clause.count, None
    members = problem.counted(i)
    picked = members[chosen[members]]
    amount = len(picked) if counts == "examples" else int(problem.tokens[picked].sum())
    match clause:
        case Budget(unit="examples"):
            return amount, None if clause.up_to else clause.amount, clause.amount, None
        case Budget():
            filled = problem.fills_tokens
            return amount, clause.amount - problem.longest + 1 if filled else None, clause.amount, None
        case Quota(unit="examples" | "tokens"):
            return amount, *bounds(problem, clause), None
        case _:
            total = int(chosen.sum()) if counts == "examples" else int(problem.tokens[chosen].sum())
            return amount, *bounds(problem, clause, total), 100 * amount / total if total else None

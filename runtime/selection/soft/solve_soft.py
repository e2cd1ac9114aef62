"""Solves a selection with soft targets by prices: first the least shortfall from a small program, then its counts as floors of an ordinary table,
then the proof of both over every row. It knows no files and no frames but those that it makes.
"""

from dataclasses import replace
from math import fsum, inf

import numpy as np

from ..outcomes import outcomes
from ..prices.solve_table import solve_table
from ..problem import Infeasible, Problem, Soft, SoftOutcome, Solution
from ..shortfall import soft_outcome
from ..table import Selected
from .floors import counted, floored, floors, hard, prices
from .kinds import kinds
from .least import Least, least
from .lines import lines
from .moved import moved
from .proof import Prices, Sides, advantage, at_margin, bound, legal, prompt_bars

AIM = 1e-5
"""The gap from which on it is looked whether other leaves would better be short."""
ROUNDS = 3
LOOSER = (0.0, 0.001, 0.01, 0.1, 1.0)
"""By which shares of a floor it is lowered until prices find a selection."""


def solve_soft(problem: Problem, soft: Soft[np.ndarray], worth: np.ndarray | None = None) -> Solution | Infeasible:
    """Nearly the highest objective among the selections that miss the targets by the least, how near, or why there is none.

    `worth`: the objective with what tells equal rows apart. The shortfall is compared with what is proven of every selection; the bound of the
    objective holds for all that miss no more than the answer does.
    """
    known = kinds(problem)
    worth = problem.objective if worth is None else worth
    asked = problem
    if any(b.up_to for b in problem.budgets):
        most = solve_table(hard(problem, known, worth))
        if isinstance(most, Infeasible):
            return most
        asked = counted(problem, len(most.rows))
    weight = asked.tokens if asked.fills_tokens else np.ones(asked.size, np.int64)
    sides = Sides(asked, soft, asked.objective * weight, known, lines(asked, known))
    found = least(asked, soft, sides.value)
    first = None if found is None else _found(sides, found, worth)
    if found is None or first is None:
        none = solve_table(hard(problem, known, worth))
        if isinstance(none, Infeasible):
            return none
        raise RuntimeError("the hard clauses were refuted and satisfied; this is a bug in mixc")
    return _told(problem, sides, found, *_improved(sides, found, worth, *first))


def _found(sides: Sides, found: Least, worth: np.ndarray) -> tuple[np.ndarray, Prices] | None:
    """A selection with floors as high as prices can meet, and the prices."""
    for share in LOOSER:
        answer = _floored(sides, found, _lowered(sides, found.lacking, share), worth)
        if answer is not None:
            return answer
    return None


def _lowered(sides: Sides, lacking: np.ndarray, share: float) -> np.ndarray:
    return lacking + np.ceil(share * np.maximum(sides.targets - lacking, 0)).astype(np.int64)


def _floored(sides: Sides, found: Least, lacking: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, Prices] | None:
    floor = floors(sides.soft, lacking, found.supply, worth)
    answer = solve_table(floored(sides.problem, sides.soft, sides.known, worth, floor))
    if not isinstance(answer, Selected):
        return None
    chosen = np.zeros(sides.problem.size, bool)
    chosen[answer.rows.to_numpy()] = True
    return chosen, legal(prices(sides.problem, floor, list(sides.lines), answer), sides)


def _missed(sides: Sides, chosen: np.ndarray) -> int:
    told = soft_outcome(replace(sides.problem, soft=sides.soft), chosen)
    assert told is not None
    return told.shortfall


def _improved(sides: Sides, found: Least, worth: np.ndarray, chosen: np.ndarray, priced: Prices) -> tuple[np.ndarray, Prices, float]:
    """The selection, with other leaves short where that is worth more, the prices that prove most, and what they prove."""
    missed = _missed(sides, chosen)
    total, proven = fsum(sides.value[chosen]), bound(priced, sides, missed)
    for _ in range(ROUNDS):
        if missed == 0 or proven - total <= AIM * abs(total):
            break
        other = moved(sides, priced, missed)
        if other is None:
            break
        tried = bound(other.prices, sides, missed)
        if tried < proven:
            priced, proven = other.prices, tried
        answer = _floored(sides, found, other.lacking, worth)
        if answer is None or _missed(sides, answer[0]) > missed:
            break
        reached, better = fsum(sides.value[answer[0]]), bound(answer[1], sides, missed)
        gained = reached > total
        if gained:
            chosen, total = answer[0], reached
        if better < proven:
            priced, proven = answer[1], better
        if not gained:
            break
    return chosen, priced, proven


def _told(problem: Problem, sides: Sides, found: Least, chosen: np.ndarray, priced: Prices, proven: float) -> Solution:
    total = fsum(sides.value[chosen])
    top = max(total, proven)
    clauses = [0.0] * len(problem.clauses)
    for line, price in zip(sides.lines, priced.lines, strict=True):
        clauses[line.clause] += float(price) * float(line.scale)
    worth = advantage(priced, sides)
    if problem.at_most is not None:
        _, out = prompt_bars(worth, problem.prompt, problem.at_most.count)
        worth, clauses[0] = worth - out[problem.prompt], fsum(out)
    return Solution(
        chosen=chosen, objective=total, bound=top, gap=0.0 if top == total else (top - total) / abs(total) if total else inf, resolution=0.0,
        method="prices", outcomes=outcomes(problem, chosen, clauses), advantage=worth, soft=_soft_told(sides, found, chosen, priced),
    )  # fmt: skip


def _soft_told(sides: Sides, found: Least, chosen: np.ndarray, priced: Prices) -> SoftOutcome | None:
    asked = replace(sides.problem, soft=sides.soft)
    margin = at_margin(priced.leaves, sides.targets, _missed(sides, chosen))
    aimed = [float(p) for p, target in zip(priced.leaves, sides.soft.targets, strict=True) if target]
    return soft_outcome(asked, chosen, margin, found.proven, aimed)

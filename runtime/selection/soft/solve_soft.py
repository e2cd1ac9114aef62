"""Solves a selection with soft targets by prices: first the least shortfall from a small program, then the best rows that miss no more, then the
proof of both over every row. It knows no files and no frames but those that it makes.
"""

from dataclasses import replace
from math import fsum, inf

import numpy as np

from ..outcomes import broken, outcomes
from ..prices.solve_table import solve_table
from ..problem import Infeasible, Problem, Soft, SoftOutcome, Solution
from ..shortfall import FEW, soft_outcome
from ..table import Selected
from .doubted import raised, relaxed, selected
from .floors import counted, easy, floored, floors, hard, prices
from .kinds import kinds
from .least import Least, least
from .lines import lines
from .proof import Prices, Sides, advantage, at_margin, bound, legal, prompt_bars
from .to_the_token import to_the_token

AIM = 1e-5
"""The gap that is good enough."""
SAMPLE = 2000
"""About how many of the rows that are selected the prices are first looked for with."""
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
    made = lines(asked, known)
    sides = Sides(asked, soft, asked.objective * weight, worth * weight, known, made)
    found = least(asked, soft, known, made, sides.worth)
    first = None if found is None else _near(sides, found, worth) or _by_floors(sides, found, worth)
    if found is None or first is None:
        none = solve_table(hard(problem, known, worth))
        if isinstance(none, Infeasible):
            return none
        raise RuntimeError("the hard clauses were refuted and satisfied; this is a bug in mixc")
    return _told(problem, sides, found, *first)


def _near(sides: Sides, found: Least, worth: np.ndarray) -> tuple[np.ndarray, Prices] | None:
    """A selection that misses no more than is proven, from the prices of floors that are easy to meet; None where that did not succeed."""
    full = floors(sides.soft, found.wish, found.supply, worth)
    by_token = sides.soft.unit == "tokens"
    size = sides.problem.longest if by_token else 1
    part = min(1.0, SAMPLE / max(_expected(sides), 1))
    floor = easy(full, found.supply, size, part, sides.problem.longest if by_token and sides.problem.size > FEW else 0)
    answer = solve_table(floored(sides.problem, sides.soft, sides.known, worth, floor))
    if not isinstance(answer, Selected):
        return None
    priced = raised(sides, legal(prices(sides.problem, floor, list(sides.lines), answer), sides), full.amount)
    near = relaxed(sides, priced, found.proven)
    if near is None:
        return None
    spare = sides.problem.longest // 4 if by_token and sides.problem.size > FEW else 0
    chosen = selected(sides, near, found.proven, AIM / 2 * max(abs(near.bound), 2.0**-30), spare)
    if chosen is None:
        return None
    return (to_the_token(sides, chosen, near.prices) if by_token else chosen), near.prices


def _expected(sides: Sides) -> int:
    """About how many rows will be selected."""
    mean = max(float(sides.problem.tokens.mean()), 1.0) if sides.problem.size else 1.0
    return int(min(b.amount if b.unit == "examples" else b.amount / mean for b in sides.problem.budgets))


def _by_floors(sides: Sides, found: Least, worth: np.ndarray) -> tuple[np.ndarray, Prices] | None:
    """A selection from a table with floors as high as prices can meet."""
    knapsacks = sides.soft.unit == "tokens" and sides.problem.size > FEW  # floors that fill the budget to the token are not to be branched on
    for share in LOOSER[2:] if knapsacks else LOOSER:
        lacking = found.lacking + np.ceil(share * np.maximum(sides.targets - found.lacking, 0)).astype(np.int64)
        floor = floors(sides.soft, lacking, found.supply, worth)
        answer = solve_table(floored(sides.problem, sides.soft, sides.known, worth, floor))
        if isinstance(answer, Selected):
            chosen = np.zeros(sides.problem.size, bool)
            chosen[answer.rows.to_numpy()] = True
            priced = legal(prices(sides.problem, floor, list(sides.lines), answer), sides)
            return _better(sides, to_the_token(sides, chosen, priced) if sides.soft.unit == "tokens" else chosen, priced)
    return None


def _better(sides: Sides, chosen: np.ndarray, priced: Prices) -> tuple[np.ndarray, Prices]:
    """The same, with other leaves short where that is worth more, and with the prices that prove most."""
    missed = _missed(sides, chosen)
    total, proven = fsum(sides.value[chosen]), bound(priced, sides, missed)
    if proven - total <= AIM * abs(total):
        return chosen, priced
    near = relaxed(sides, priced, missed)
    if near is None:
        return chosen, priced
    priced = near.prices if near.bound < proven else priced
    if near.bound - total > AIM * abs(total):
        other = selected(sides, near, missed, AIM / 2 * max(abs(near.bound), 2.0**-30))
        chosen = other if other is not None and fsum(sides.value[other]) > total else chosen
    return chosen, priced


def _missed(sides: Sides, chosen: np.ndarray) -> int:
    told = soft_outcome(replace(sides.problem, soft=sides.soft), chosen)
    assert told is not None
    return told.shortfall


def _told(problem: Problem, sides: Sides, found: Least, chosen: np.ndarray, priced: Prices) -> Solution:
    missed = _missed(sides, chosen)
    total = fsum(sides.value[chosen])
    top = max(total, bound(priced, sides, missed))
    clauses = [0.0] * len(problem.clauses)
    for line, price in zip(sides.lines, priced.lines, strict=True):
        clauses[line.clause] += float(price) * float(line.scale)
    worth = advantage(priced, sides)
    if problem.at_most is not None:
        _, out = prompt_bars(worth, problem.prompt, problem.at_most.count)
        worth, clauses[0] = worth - out[problem.prompt], fsum(out)
    done = outcomes(problem, chosen, clauses)
    wrong = [o.clause.text for o in done if broken(o)]
    if wrong:
        raise RuntimeError(f"the solver returned a selection that breaks `{wrong[0]}`; this is a bug in mixc")
    return Solution(
        chosen=chosen, objective=total, bound=top, gap=0.0 if top == total else (top - total) / abs(total) if total else inf, resolution=0.0,
        method="prices", outcomes=done, advantage=worth, soft=_soft_told(sides, found, chosen, priced, missed),
    )  # fmt: skip


def _soft_told(sides: Sides, found: Least, chosen: np.ndarray, priced: Prices, missed: int) -> SoftOutcome | None:
    aimed = [float(p) for p, target in zip(priced.leaves, sides.soft.targets, strict=True) if target]
    return soft_outcome(replace(sides.problem, soft=sides.soft), chosen, at_margin(priced.leaves, sides.targets, missed), found.proven, aimed)

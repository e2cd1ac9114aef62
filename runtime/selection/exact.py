"""Solves a selection to proven optimality: all, by sorting, or by integer programming in lexicographic steps. It knows
no files, frames or diagnostics.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import fsum

import numpy as np

from ...compiler.plan.stages import Budget
from .conflict import conflict
from .integer import Optimum, maximise
from .matrix import Matrix, stacked
from .objective import Objective, objective, tie_cost
from .outcomes import broken, outcomes
from .problem import Infeasible, Problem, Solution
from .rows import Row, rows
from .shortfall import soft_outcome, soften

TIE_NODES = 2000


def solve(problem: Problem) -> Solution | Infeasible:
    """The selection of the highest objective among those that satisfy every clause, or why there is none.

    `budget up to N examples` first maximises the count, then soft targets are missed as little as can be. Objectives are compared as in `objective`; among equal ones the
    smallest sum of `tie_cost` wins (searched to a fixed number of nodes, and only where rows in doubt can tie at all).
    Equal problems give equal answers.
    """
    if not problem.budgets or _nothing_will_do(problem):
        return _all(problem)
    if not problem.soft and not problem.quotas and len(problem.budgets) == 1 and problem.budgets[0].unit == "examples":
        return _sorted(problem)
    return _integer(problem)


def _nothing_will_do(problem: Problem) -> bool:
    """Whether there is no candidate and every clause allows none: a solver has no word on a problem without columns."""
    return problem.size == 0 and not any(broken(o) for o in outcomes(problem, np.zeros(0, bool)))


def _all(problem: Problem) -> Solution | Infeasible:
    chosen = np.ones(problem.size, bool)
    done = outcomes(problem, chosen)
    if any(broken(o) for o in done):
        return Infeasible(conflict=conflict(problem))
    total = fsum(problem.objective)
    soft = soft_outcome(problem, chosen)
    return Solution(chosen=chosen, objective=total, bound=total, gap=0.0, resolution=0.0, method="all", outcomes=done, soft=soft)


def _sorted(problem: Problem) -> Solution | Infeasible:
    """The N best rows, of at most k a prompt: a greedy choice is optimal, for the selectable sets are the independent
    sets of a matroid.
    """
    budget = problem.budgets[0]
    order = np.lexsort((problem.tie, -problem.objective))
    rest = np.zeros(0, np.int64)
    if problem.at_most is not None:
        place = _place_in_prompt(problem.prompt, order)
        rest = order[place == problem.at_most.count]
        order = order[place < problem.at_most.count]
    if len(order) < budget.amount and not budget.up_to:
        return Infeasible(conflict=conflict(problem))
    chosen = np.zeros(problem.size, bool)
    chosen[order[: budget.amount]] = True
    price = float(problem.objective[order[budget.amount - 1]]) if 0 < budget.amount < len(order) else 0.0
    advantage = problem.objective - price
    prices = [price]
    if problem.at_most is not None:
        of_prompt = np.zeros(int(problem.prompt.max(initial=-1)) + 1)
        of_prompt[problem.prompt[rest]] = np.maximum(problem.objective[rest] - price, 0.0)
        advantage = advantage - of_prompt[problem.prompt]
        prices = [fsum(of_prompt), price]
    total = fsum(problem.objective[chosen])
    done = _checked(problem, chosen, prices)
    return Solution(
        chosen=chosen, objective=total, bound=total, gap=0.0, resolution=0.0, method="sorted", outcomes=done, advantage=advantage
    )


def _place_in_prompt(prompt: np.ndarray, order: np.ndarray) -> np.ndarray:
    """How many rows of the same prompt come before each entry of `order`."""
    grouped = np.argsort(prompt[order], kind="stable")
    sorted_prompts = prompt[order][grouped]
    first = np.flatnonzero(np.r_[True, sorted_prompts[1:] != sorted_prompts[:-1]])[: len(order)]
    sizes = np.diff(np.r_[first, len(order)])
    place = np.empty(len(order), np.int64)
    place[grouped] = np.arange(len(order)) - np.repeat(first, sizes)
    return place


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """`least`: what soft targets may lack in all, held by the last row; `proven`: none lacks less."""

    rows: list[Row]
    matrix: Matrix
    least: int = 0
    proven: int = 0


def _integer(problem: Problem) -> Solution | Infeasible:
    weight = problem.tokens if problem.fills_tokens else np.ones(problem.size, np.int64)
    model = _filled(problem)
    goal = objective(problem.objective * weight)
    found = None if model is None else maximise(model.matrix, _widened(goal.value, model))
    if model is None or found is None:
        return Infeasible(conflict=conflict(problem))
    chosen = _untied(problem, model, goal, found)[: problem.size].astype(bool)
    prices = [0.0] * len(problem.clauses)
    for row, price in zip(model.rows, found.price, strict=True):
        if row.clause >= 0:
            prices[row.clause] += float(Fraction(float(price)) * goal.unit * row.scale)
    price = float(found.price[-1]) * float(goal.unit) if problem.soft else 0.0
    aimed = sum(map(bool, problem.soft.targets)) if problem.soft else 0
    leaves = [float(each) * float(goal.unit) for each in found.price[len(model.rows) - 1 - aimed : -1]] if problem.soft else None
    soft = soft_outcome(problem, chosen, price, model.proven, leaves)
    if soft and soft.shortfall > model.least:
        raise RuntimeError(f"the solver returned a selection that misses `{soft.clause.text}` by more than it must; this is a bug in mixc")
    total = fsum((problem.objective * weight)[chosen])
    return Solution(
        chosen=chosen,
        objective=total,
        bound=total,
        gap=0.0,
        resolution=0.0 if goal.exact else float(goal.unit),
        method="milp",
        outcomes=_checked(problem, chosen, prices),
        advantage=found.advantage[: problem.size] * float(goal.unit),
        soft=soft,
    )


def _filled(problem: Problem) -> _Model | None:
    """The rows of all clauses, and those that hold what a budget `up to` reaches at most; None where nothing satisfies
    them.
    """
    made = rows(problem)
    for i, clause in enumerate(problem.clauses):
        if isinstance(clause, Budget) and clause.up_to:
            ones = np.ones(problem.size, np.int64)
            most = maximise(stacked(made, problem.size), ones)
            if most is None:
                return None
            made = [*rows(problem, count=most.value), Row(np.arange(problem.size), ones, most.value, most.value, i)]
    if problem.soft is None:
        return _Model(made, stacked(made, problem.size))
    softened = soften(problem, problem.soft, made)
    return softened and _Model(softened.rows, softened.matrix, softened.least, softened.proven)


def _widened(numbers: np.ndarray, model: _Model) -> np.ndarray:
    """Numbers of rows, with a zero for each column of a shortfall."""
    return np.concatenate([numbers, np.zeros(model.matrix.width - len(numbers), np.int64)])


def _untied(problem: Problem, model: _Model, goal: Objective, found: Optimum) -> np.ndarray:
    """Among selections of the same objective the one whose rows have the smallest seeded hashes."""
    free, matrix = found.open, model.matrix
    values = _widened(goal.value, model)[free]
    if len(free) < 2 or not (goal.exact or len(free) <= 200 or len(np.unique(values)) < len(free)):
        return found.chosen
    reached = int((values * found.chosen[free]).sum())
    part = matrix.restricted(free, found.chosen).with_row(Row(np.arange(len(free)), values, reached, None))
    first = maximise(part, -_widened(tie_cost(problem.tie), model)[free], nodes=TIE_NODES, start=found.chosen[free])
    chosen = found.chosen.copy()
    if first is not None:
        chosen[free] = first.chosen
    return chosen


def _checked(problem: Problem, chosen: np.ndarray, prices: list[float]) -> tuple:
    done = outcomes(problem, chosen, prices)
    wrong = [o.clause.text for o in done if broken(o)]
    if wrong:
        raise RuntimeError(f"the solver returned a selection that breaks `{wrong[0]}`; this is a bug in mixc")
    return done

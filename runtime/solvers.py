"""Which solver answers a selection, and its answer in one form: exactly and proven, or by prices with a proven gap."""

from dataclasses import replace
from math import fsum, inf

import numpy as np
import polars as pl

from ..compiler.plan.stages import AtMost, Budget, Select
from .candidates import Candidates, problem, table, worth
from .selection.corners.conflict_of import conflict_of
from .selection.exact import solve
from .selection.prices.solve_table import solve_table
from .selection.problem import Infeasible, Solution
from .selection.shortfall import FEW
from .selection.soft.solve_soft import solve_soft
from .selection.table import Selected, Table
from .tie_share import tie_share

EXACT, PRICES = "exact", "prices"
MOST = 200_000
"""The most candidates that `solver auto` leaves to the exact solver where clauses couple them."""


def solver(stage: Select, candidates: int) -> str:
    """`exact` or `prices`: what the spec says, else by the number of candidates.

    Without quotas and with one budget in examples sorting is exact at any size; targets in tokens of more than a few candidates are knapsacks, which
    no exact solver ends with.
    """
    if stage.solver != "auto":
        return stage.solver
    aimed = stage.soft is not None and stage.soft.shape != "paper"
    if not stage.budgets or (stage.soft is not None and not aimed):
        return EXACT
    if aimed and stage.fills_tokens:
        return EXACT if candidates <= FEW else PRICES
    sortable = not aimed and not stage.quotas and len(stage.budgets) == 1 and stage.budgets[0].unit == "examples"
    return EXACT if candidates <= MOST or sortable else PRICES


def solved(stage: Select, live: Candidates) -> Solution | Infeasible:
    """The answer of the solver over the candidates.

    Where prices find no selection among at most `MOST` candidates, the exact solver has the last word; among more, prices say what conflicts.
    """
    if solver(stage, live.size) == EXACT:
        return solve(problem(stage, live))
    return _by_prices(stage, live) if stage.soft is None or not stage.budgets else _soft_by_prices(stage, live)


def _by_prices(stage: Select, live: Candidates) -> Solution | Infeasible:
    asked = table(stage, live, _untied(live))
    answer = solve_table(asked)
    if isinstance(answer, Infeasible):
        if live.size <= MOST:
            # so few are searched to the end, which finds what conflicts and what would mend it
            return solve(problem(stage, live))
        found = None if answer.conflict.all_selected else conflict_of(asked)
        return answer if found is None else Infeasible(conflict=found)
    chosen = np.zeros(live.size, bool)
    chosen[answer.rows.to_numpy()] = True
    value = worth(stage, live)
    total = fsum(value[chosen])
    bound = max(answer.bound, total)
    gap = 0.0 if bound == total else (bound - total) / abs(total) if total else inf
    return Solution(
        chosen=chosen, objective=total, bound=bound, gap=gap, resolution=answer.resolution, method=answer.method,
        outcomes=answer.outcomes, advantage=_advantage(stage, asked, live, value, answer), most=answer.most,
    )  # fmt: skip


def _soft_by_prices(stage: Select, live: Candidates) -> Solution | Infeasible:
    asked = problem(stage, live)
    answer = solve(asked) if asked.soft is None or not asked.size else solve_soft(asked, asked.soft, _untied(live).to_numpy())
    if isinstance(answer, Infeasible) and live.size <= MOST:
        return solve(replace(asked, soft=None))  # finds what conflicts and what would mend it
    return answer


def _untied(live: Candidates) -> pl.Series:
    """The objective; with a part for the seeded hash, never below zero, where many rows are worth the same: the bound then holds for both."""
    value = live.frame["objective"]
    share = tie_share(value)
    return value + share * (1 - live.frame["tie"].to_numpy() / 2.0**64) if share else value


def _advantage(stage: Select, asked: Table, live: Candidates, value: np.ndarray, answer: Selected) -> np.ndarray:
    """What each candidate is worth less the prices of all clauses that count it; of `keep at most` that of its prompt.

    Clauses that count by one column are added up for each of its values first, by rows and by tokens.
    """
    tokens, counted = live.frame["tokens"].to_numpy(), asked.count is not None
    whole = {"examples": 0.0, "tokens": 0.0}
    by_value = {name: {unit: np.zeros(values.height) for unit in whole} for name, values in live.values.values()}
    for clause, price in zip(asked.clauses, answer.prices, strict=True):
        if isinstance(clause, AtMost) or price == 0:
            continue
        unit = "tokens" if "tokens" in clause.unit else "examples"
        if isinstance(clause, Budget):
            whole[unit] += price
            continue
        name, counts = live.counted(clause.group)
        by_value[name][unit] += price * counts
        if "%" in clause.unit and not (clause.unit == "%" and counted):
            whole[unit] -= price * ((clause.low if price < 0 or clause.high is None else clause.high) or 0.0) / 100
    net = value - whole["examples"] - whole["tokens"] * tokens
    for name, units in by_value.items():
        codes = live.frame[name].to_numpy()
        net -= units["examples"][codes]
        if units["tokens"].any():
            net -= units["tokens"][codes] * tokens
    return net if asked.at_most is None else net - _of_prompts(live.frame["prompt"].to_numpy(), net, asked.at_most.count)


def _of_prompts(prompt: np.ndarray, net: np.ndarray, most: int) -> np.ndarray:
    """Of each row the price of its prompt: what the best row is worth that `most` leaves out of it, if that is more than nothing."""
    order = np.lexsort((-net, prompt))
    first = np.flatnonzero(np.r_[True, prompt[order][1:] != prompt[order][:-1]])[: len(order)]
    place = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    price = np.zeros(int(prompt.max(initial=-1)) + 1)
    out = order[place == most]
    price[prompt[out]] = np.maximum(net[out], 0.0)
    return price[prompt]

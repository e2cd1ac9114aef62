"""Which solver answers a selection, and its answer in one form: exactly and proven, or by prices with a proven gap."""

from math import fsum, inf

import numpy as np
import polars as pl

from ..compiler.plan.stages import AtMost, Budget, Quota, Select
from .candidates import OBJECTIVE, TIE, in_order, problem, table
from .selection.exact import solve
from .selection.prices.solve_table import solve_table
from .selection.problem import Infeasible, Solution
from .selection.table import Selected, Table
from .tie_share import tie_share

EXACT, PRICES = "exact", "prices"
MOST = 200_000
"""The most candidates that `solver auto` leaves to the exact solver where clauses couple them."""


def solver(stage: Select, candidates: int) -> str:
    """`exact` or `prices`: what the spec says, else by the number of candidates.

    Without quotas and with one budget in examples sorting is exact at any size; soft targets are the exact solver's alone.
    """
    if stage.solver != "auto":
        return stage.solver
    alone = not stage.budgets or (not stage.quotas and len(stage.budgets) == 1 and stage.budgets[0].unit == "examples")
    return EXACT if candidates <= MOST or alone or stage.soft else PRICES


def solved(stage: Select, live: pl.DataFrame) -> Solution | Infeasible:
    """The answer of the solver over candidates as `candidates.problem` takes them. Fault MIX0502 for negative tokens.

    Where prices find no selection among at most `MOST` candidates, the exact solver has the last word.
    """
    return solve(problem(stage, live)) if solver(stage, live.height) == EXACT else _by_prices(stage, live)


def _by_prices(stage: Select, live: pl.DataFrame) -> Solution | Infeasible:
    objective = _untied(live)
    asked = table(stage, live, objective)
    answer = solve_table(asked)
    if isinstance(answer, Infeasible):
        # so few are searched to the end, which finds what conflicts and what would mend it
        return answer if live.height > MOST else solve(problem(stage, live))
    chosen = np.zeros(live.height, bool)
    chosen[answer.rows.to_numpy()] = True
    total = fsum(in_order(live, stage)[chosen])
    bound = max(answer.bound, total)
    gap = 0.0 if bound == total else (bound - total) / abs(total) if total else inf
    return Solution(
        chosen=chosen, objective=total, bound=bound, gap=gap, resolution=answer.resolution, method=answer.method,
        outcomes=answer.outcomes, advantage=_advantage(stage, asked, in_order(live, stage), answer), most=answer.most,
    )  # fmt: skip


def _untied(live: pl.DataFrame) -> pl.Series:
    """The objective; with a part for the seeded hash, never below zero, where many rows are worth the same: the bound then holds for both."""
    value = live[OBJECTIVE].cast(pl.Float64)
    share = tie_share(value)
    return value + share * (1 - live[TIE].to_numpy() / 2.0**64) if share else value


def _advantage(stage: Select, asked: Table, value: np.ndarray, answer: Selected) -> np.ndarray:
    """What each candidate is worth less the prices of all clauses that count it; of `keep at most` that of its prompt."""
    inside = [expression.alias(f"member {i}") for i, expression in enumerate(asked.members)]
    held = asked.frame.select("prompt", "tokens", *inside).collect()
    tokens, counted = held["tokens"].to_numpy(), asked.count is not None
    net = value.astype(float)
    members = iter(range(len(asked.quotas)))
    for clause, price in zip(asked.clauses, answer.prices, strict=True):
        counts = held[f"member {next(members)}"].to_numpy().astype(float) if isinstance(clause, Quota) else np.ones(len(net))
        if isinstance(clause, AtMost) or price == 0:
            continue
        each = tokens if "tokens" in clause.unit else 1
        if isinstance(clause, Budget) or "%" not in clause.unit or (clause.unit == "%" and counted):
            net -= price * each * counts
        else:
            share = (clause.low if price < 0 or clause.high is None else clause.high) or 0.0
            net -= price * each * (counts - share / 100)
    return net if asked.at_most is None else net - _of_prompts(held["prompt"].to_numpy(), net, asked.at_most.count)


def _of_prompts(prompt: np.ndarray, net: np.ndarray, most: int) -> np.ndarray:
    """Of each row the price of its prompt: what the best row is worth that `most` leaves out of it, if that is more than nothing."""
    order = np.lexsort((-net, prompt))
    first = np.flatnonzero(np.r_[True, prompt[order][1:] != prompt[order][:-1]])[: len(order)]
    place = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    price = np.zeros(int(prompt.max(initial=-1)) + 1)
    out = order[place == most]
    price[prompt[out]] = np.maximum(net[out], 0.0)
    return price[prompt]

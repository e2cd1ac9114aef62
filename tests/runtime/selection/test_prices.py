"""The solver of tables against every subset of small problems and against the exact solver; what it promises of order and files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.prices.solve_table import solve_table
from mixc.runtime.selection.problem import Infeasible, Problem, Solution
from mixc.runtime.selection.table import Selected, Table, as_problem
from mixc.tests.runtime.selection.brute import at_most, best, budget, quota, sample


def table(problem: Problem, seed: int = 0) -> Table:
    """The problem as a table, its rows shuffled."""
    columns = {f"in {i}": np.isin(np.arange(problem.size), m) for i, m in enumerate(problem.members)}
    frame = pl.DataFrame(
        {
            "row": np.arange(problem.size, dtype=np.uint32),
            "prompt": problem.prompt,
            "tokens": problem.tokens,
            "objective": problem.objective,
            "tie": problem.tie,
            **columns,
        }
    )
    order = np.random.default_rng(seed).permutation(problem.size)
    return Table(
        frame=frame[order].lazy(),
        at_most=problem.at_most,
        quotas=problem.quotas,
        members=tuple(pl.col(name) for name in columns),
        budgets=problem.budgets,
    )


def large(seed: int, n: int, most: int | None = 1) -> Problem:
    rng = np.random.default_rng(seed)
    kind, teacher = rng.integers(0, 12, n), rng.integers(0, 4, n)
    share = n / 40 / 12
    quotas = [quota(float(int(1.3 * share)), None) for _ in range(4)] + [quota(None, float(int(0.7 * share))) for _ in range(3)]
    members = [kind == i for i in range(7)]
    quotas += [quota(None, 22.0, "% of tokens"), quota(20.0, 30.0, "%"), quota(27.5, None, "% of tokens"), quota(20.0, 20.0, "%", True)]
    members += [teacher == i for i in range(4)]
    return Problem(
        prompt=rng.integers(0, n // 4, n),
        tokens=rng.integers(20, 900, n),
        objective=rng.normal(size=n) + 0.2 * kind,
        tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(most) if most else None,
        quotas=tuple(quotas),
        members=tuple(members),
        budgets=(budget(n // 40), budget(n // 40 * 330, "tokens")),
    )


@pytest.mark.parametrize("seed", range(250))
def test_small_problems_as_by_trying_every_subset(seed: int) -> None:
    problem = sample(np.random.default_rng(seed))
    top, _ = best(problem)
    answer = solve_table(table(problem))
    if top is None:
        assert isinstance(answer, Infeasible)
        return
    assert isinstance(answer, Selected)
    assert answer.objective <= float(top) + 1e-9 and answer.bound >= float(top) - 1e-12
    if answer.objective:
        assert answer.gap == pytest.approx((answer.bound - answer.objective) / abs(answer.objective))
    exact = solve(problem)
    assert isinstance(exact, Solution)
    assert [o.low for o in answer.outcomes if "%" not in o.clause.text] == [o.low for o in exact.outcomes if "%" not in o.clause.text]
    for outcome in answer.outcomes:
        assert outcome.low is None or outcome.amount >= outcome.low
        assert outcome.high is None or outcome.amount <= outcome.high

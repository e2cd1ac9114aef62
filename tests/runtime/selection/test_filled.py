"""Budgets `up to` solved by prices: as many rows as the exact solver takes, or word of how many there might be."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from mixc.compiler.plan.stages import Budget
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.prices import filled as module
from mixc.runtime.selection.prices.solve_table import solve_table
from mixc.runtime.selection.problem import Conflict, Infeasible, Problem, Solution
from mixc.runtime.selection.table import Selected, Table
from mixc.tests.runtime.selection.brute import at_most, budget, quota
from mixc.tests.runtime.selection.test_prices import table


def capped(seed: int, n: int, budgets: tuple[Budget, ...]) -> Problem:
    """Groups that overlap and whose caps, and the prompts, leave fewer rows than the budget asks for."""
    rng = np.random.default_rng(seed)
    kind, teacher = rng.integers(0, 6, n), rng.integers(0, 3, n)
    return Problem(
        prompt=rng.integers(0, n // 3, n),
        tokens=rng.integers(20, 900, n),
        objective=rng.normal(size=n),
        tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(1),
        quotas=(*(quota(None, n / 40) for _ in range(6)), quota(None, 30.0, "%"), quota(15.0, None, "%")),
        members=(*(kind == i for i in range(6)), teacher == 0, (teacher == 1) & (kind < 3)),
        budgets=budgets,
    )


@pytest.mark.parametrize("seed", range(4))
def test_as_many_rows_as_the_exact_solver_takes(seed: int) -> None:
    problem = capped(seed, 300, (budget(250, up_to=True), budget(3000 + 3000 * seed, "tokens")))
    exact, answer = solve(problem), solve_table(table(problem))
    assert isinstance(exact, Solution) and isinstance(answer, Selected)
    most = int(exact.chosen.sum())
    assert len(answer.rows) <= most <= (answer.most or len(answer.rows))
    if answer.most is None:
        assert answer.objective <= exact.objective + 1e-9 <= answer.bound + 2e-9


def test_the_count_is_proven_from_a_sample_too_and_no_order_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.selection.prices.attempt.SMALL", 1000)
    monkeypatch.setattr("mixc.runtime.selection.prices.attempt.SELECTED", 200)
    problem = capped(7, 12_000, (budget(9000, up_to=True),))
    first, second = solve_table(table(problem, 1)), solve_table(table(problem, 2))
    assert isinstance(first, Selected) and isinstance(second, Selected)
    assert first.rows.equals(second.rows) and first.objective == second.objective
    assert len(first.rows) == 1800 and first.most is None  # six caps of 300, which the prompts leave room for


def test_it_says_how_many_rows_there_could_be_where_none_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = capped(3, 600, (budget(500, up_to=True),))
    asked, attempt = table(problem), module.attempt
    unknown = Infeasible(conflict=Conflict(members=(), changes=(), proven=False))

    def only_counted(of: Table, known: object, count: int | None, *, counting: bool = False) -> Selected | Infeasible:
        found = attempt(of, known, count, counting=counting)  # pyright: ignore[reportArgumentType]
        return replace(found, bound=found.bound + 3) if counting and isinstance(found, Selected) else unknown

    monkeypatch.setattr(module, "attempt", only_counted)
    answer = solve_table(asked)
    assert isinstance(answer, Selected) and len(answer.rows) == 90 and answer.most == 93
    value = asked.frame.filter(pl.col("row").is_in(answer.rows.implode())).select(pl.col("objective").sum()).collect().item()
    assert answer.objective == pytest.approx(value) and answer.bound >= answer.objective

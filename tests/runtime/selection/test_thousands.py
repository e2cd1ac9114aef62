"""Thousands of small random problems against every subset: what is feasible is solved to the optimum whatever the order of the rows, what is not is
refused with a conflict of which nothing can be left out.
"""

from dataclasses import replace

import numpy as np
import pytest
from mixc.runtime.selection.blocks import blocks, settle
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.highs import Answer, run
from mixc.runtime.selection.integer import bound
from mixc.runtime.selection.matrix import stacked
from mixc.runtime.selection.problem import Infeasible, Problem, Solution, with_clause
from mixc.runtime.selection.reach import reach
from mixc.runtime.selection.rows import rows
from mixc.runtime.selection.session import Session
from mixc.runtime.selection.thin import thin
from mixc.tests.runtime.selection.brute import at_most, best, budget, quota, sample, satisfied

ROUNDS, EACH = 30, 50


@pytest.mark.parametrize("part", range(ROUNDS))
def test_what_is_feasible_is_optimal_and_what_is_not_has_a_minimal_conflict(part: int) -> None:
    for seed in range(10_000 + part * EACH, 10_000 + (part + 1) * EACH):
        problem = sample(np.random.default_rng(seed))
        top, winners = best(problem)
        answer = solve(problem)
        if top is None:
            assert isinstance(answer, Infeasible), seed
            numbers = [next(i for i, c in enumerate(problem.clauses) if c is m.clause) for m in answer.conflict.members]
            assert not satisfied(problem, numbers).any(), seed
            if problem.budgets:
                assert all(satisfied(problem, [j for j in numbers if j != i]).any() for i in numbers), seed
            for change in answer.conflict.changes:
                i = next(i for i, c in enumerate(problem.clauses) if c is change.clause)
                assert satisfied(with_clause(problem, i, change.changed), None if change.enough else numbers).any(), seed
        else:
            assert isinstance(answer, Solution), seed
            assert any(np.array_equal(answer.chosen, each) for each in winners), seed


def shuffled(problem: Problem, order: np.ndarray) -> Problem:
    columns = {name: getattr(problem, name)[order] for name in ("prompt", "tokens", "objective", "tie")}
    bools = [np.isin(order, m) for m in problem.members]
    return replace(problem, members=tuple(bools), **columns)


@pytest.mark.parametrize("seed", range(20_000, 20_200))
def test_whether_it_holds_and_how_well_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = sample(rng)
    first, second = solve(problem), solve(shuffled(problem, rng.permutation(problem.size)))
    if isinstance(first, Solution):
        assert isinstance(second, Solution) and second.objective == pytest.approx(first.objective, abs=1e-9)
        again = solve(problem)
        assert isinstance(again, Solution) and np.array_equal(first.chosen, again.chosen)
    else:
        assert isinstance(second, Infeasible)


def grouped(seed: int, n: int = 240) -> Problem:
    """Prompts of several rows, shares of tokens, both budgets: large enough that rows are written thin."""
    rng = np.random.default_rng(seed)
    groups = tuple(rng.random(n) < share for share in (0.3, 0.2, 0.25))
    quotas = (quota(None, 30.0, "% of tokens", name="A"), quota(10, None, name="B"), quota(None, 35.0, "% of tokens", name="C"))
    return Problem(
        prompt=np.sort(rng.integers(0, n // 4, n)), tokens=rng.integers(20, 90, n), objective=rng.integers(0, 1000, n) / 100,
        tie=rng.integers(0, 2**64, n, dtype=np.uint64), at_most=at_most(int(rng.integers(1, 3))), quotas=quotas, members=groups,
        budgets=(budget(30), budget(1600, "tokens")),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_thin_rows_are_the_same_program(seed: int) -> None:
    problem = grouped(seed)
    matrix = stacked(rows(problem), problem.size)
    made = thin(matrix)
    assert made.more >= 1 and len(made.matrix.row) < len(matrix.row)
    x = np.random.default_rng(seed).integers(0, 2, problem.size)
    wide = np.append(x, np.zeros(made.more, np.int64))
    sums = made.matrix.activity(wide)[matrix.height :]
    wide[problem.size :] = sums
    assert np.array_equal(made.matrix.activity(wide)[: matrix.height], matrix.activity(x) * made.times)


@pytest.mark.parametrize("seed", range(12))
def test_the_doubt_of_a_row_is_what_the_bound_loses_by_doing_the_opposite(seed: int) -> None:
    problem = grouped(seed)
    matrix = stacked(rows(problem), problem.size)
    value = np.rint(problem.objective * 100).astype(np.int64)
    found = run(matrix, value, integral=False)
    assert isinstance(found, Answer)
    block = blocks(matrix)
    assert block.count == sum(r.clause == 0 for r in rows(problem))
    settled = settle(matrix, value, found.price, block)
    assert settled.bound == pytest.approx(bound(matrix, value, found.price)[2], rel=1e-6)
    for j in np.random.default_rng(seed).choice(problem.size, 12, replace=False):
        low = np.append(matrix.low, int(not settled.base[j]))
        forced = replace(
            matrix, row=np.append(matrix.row, matrix.height), column=np.append(matrix.column, j), value=np.append(matrix.value, 1),
            low=low, high=np.append(matrix.high, low[-1]),
        )  # fmt: skip
        other = run(forced, value, integral=False)
        if isinstance(other, Answer):
            assert float(value @ other.x) <= settled.bound - settled.doubt[j] + 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_a_bounded_search_never_offers_what_does_not_hold(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of large problems, walked with a small one: never beyond the nearest, and proven where it says so."""
    problem = grouped(seed)
    problem = replace(problem, budgets=(budget(30), budget(700, "tokens")))
    session = Session(problem)
    active, i = range(len(problem.clauses)), len(problem.clauses) - 1
    exact = reach(session, active, i, falling=False)
    monkeypatch.setattr("mixc.runtime.selection.reach.WHOLE", 0)
    bounded = reach(Session(problem), active, i, falling=False)
    assert exact is not None and bounded is not None and exact.proven
    assert bounded.amount >= exact.amount and (not bounded.proven or bounded.amount == exact.amount)
    assert isinstance(solve(with_clause(problem, i, budget(bounded.amount, "tokens"))), Solution)

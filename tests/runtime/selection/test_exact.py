"""The exact solver against every subset of small problems, and what it promises of prices, ties and order."""

from dataclasses import replace
from fractions import Fraction
from math import fsum

import numpy as np
import pytest
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.integer import branch, maximise
from mixc.runtime.selection.matrix import stacked
from mixc.runtime.selection.objective import objective, tie_cost
from mixc.runtime.selection.problem import Infeasible, Problem, Solution
from mixc.runtime.selection.rows import rows
from mixc.tests.runtime.selection.brute import at_most, best, budget, quota, sample, satisfied


def made(values: list[float], tokens: list[int] | None = None, **clauses: object) -> Problem:
    n = len(values)
    fixed = {"prompt": np.arange(n), "tokens": np.array(tokens or [1] * n), "tie": np.arange(n, dtype=np.uint64) << np.uint64(50)}
    return Problem(**{**fixed, "objective": np.array(values, float), **clauses})  # pyright: ignore[reportArgumentType]


def solved(problem: Problem) -> Solution:
    answer = solve(problem)
    assert isinstance(answer, Solution)
    return answer


def large(seed: int, n: int = 3000) -> Problem:
    """Groups that overlap, a share of tokens, two budgets: binding, and beyond any brute force."""
    rng = np.random.default_rng(seed)
    groups = [rng.random(n) < share for share in (0.3, 0.2, 0.1, 0.5, 0.05)]
    limits = [(70.0, 90.0, "examples"), (None, 9.5, "%"), (15.0, None, "%"), (None, 33.3, "% of tokens"), (20.0, 20.0, "examples")]
    return Problem(
        prompt=rng.integers(0, n // 3, n),
        tokens=rng.integers(20, 900, n),
        objective=rng.normal(size=n),
        tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(1),
        quotas=tuple(quota(low, high, unit, low == high) for low, high, unit in limits),
        members=tuple(groups),
        budgets=(budget(200), budget(60_000, "tokens")),
    )


@pytest.mark.parametrize("seed", range(250))
def test_small_problems_are_solved_as_by_trying_every_subset(seed: int) -> None:
    problem = sample(np.random.default_rng(seed))
    top, winners = best(problem)
    answer = solve(problem)
    if top is None:
        assert isinstance(answer, Infeasible)
        return
    assert isinstance(answer, Solution)
    assert any(np.array_equal(answer.chosen, each) for each in winners)
    assert answer.objective == pytest.approx(float(top), abs=1e-9)
    assert answer.gap == 0.0 and answer.bound >= answer.objective
    if answer.method != "sorted":
        cost = tie_cost(problem.tie)
        assert cost[answer.chosen].sum() == min(cost[each].sum() for each in winners)


def test_columns_settled_by_prices_are_settled_rightly() -> None:
    for seed in range(3):
        problem = large(seed, 900)
        problem = replace(problem, budgets=(budget(200), budget(75_000, "tokens")))
        matrix = stacked(rows(problem), problem.size)
        value = objective(problem.objective).value
        found = maximise(matrix, value, core=40)
        whole = branch(matrix, value, np.arange(problem.size), np.zeros(problem.size, bool))
        if whole is None:
            assert found is None
            continue
        assert found is not None and found.value == int(value[whole].sum())
        settled = np.setdiff1d(np.arange(problem.size), found.open)
        assert len(settled) > problem.size // 2
        assert np.array_equal(found.chosen[settled], whole[settled])


def test_a_large_answer_satisfies_every_clause_and_comes_again() -> None:
    problem = large(5)
    first, second = solved(problem), solved(problem)
    assert np.array_equal(first.chosen, second.chosen) and first.outcomes == second.outcomes
    assert first.chosen.sum() == 200 and problem.tokens[first.chosen].sum() <= 60_000
    assert first.objective == fsum(problem.objective[first.chosen])
    for outcome in first.outcomes:
        assert outcome.low is None or outcome.amount >= outcome.low
        assert outcome.high is None or outcome.amount <= outcome.high
    share = problem.tokens[np.intersect1d(problem.members[3], np.flatnonzero(first.chosen))].sum()
    assert Fraction(int(share), int(problem.tokens[first.chosen].sum())) <= Fraction(333, 1000)


def test_the_order_in_which_rows_arrive_does_not_matter_once_they_are_sorted() -> None:
    rng = np.random.default_rng(4)
    problem = large(4, 600)
    problem = replace(problem, objective=np.round(problem.objective), budgets=(budget(120), budget(50_000, "tokens")))
    problem = replace(problem, quotas=problem.quotas[1:4], members=problem.members[1:4])
    ids = rng.permutation(600)

    def chosen_ids(order: np.ndarray) -> list[int]:
        place = order[np.argsort(ids[order])]
        bools = [np.isin(place, m) for m in problem.members]
        columns = {c: getattr(problem, c)[place] for c in ("prompt", "tokens", "objective", "tie")}
        return ids[place][solved(replace(problem, members=tuple(bools), **columns)).chosen].tolist()

    assert chosen_ids(np.arange(600)) == chosen_ids(rng.permutation(600))


def test_only_a_budget_is_a_sort_with_ties_by_hash() -> None:
    problem = made([1, 3, 3, 3, 0], budgets=(budget(3),), tie=np.array([0, 9, 5, 7, 1], np.uint64) << np.uint64(56))
    assert np.flatnonzero(solved(problem).chosen).tolist() == [1, 2, 3]
    answer = solved(replace(problem, budgets=(budget(2),)))
    assert answer.method == "sorted" and np.flatnonzero(answer.chosen).tolist() == [2, 3]


def test_without_a_budget_everything_is_selected() -> None:
    answer = solved(made([1.0, -5.0, 2.0], quotas=(quota(2, None),), members=(np.array([0, 1]),)))
    assert answer.method == "all" and answer.chosen.all() and answer.objective == -2.0
    assert isinstance(solve(made([1.0, 2.0], at_most=at_most(1), prompt=np.array([0, 0]))), Infeasible)


def test_a_tokens_budget_alone_is_filled_and_counts_rows_by_their_tokens() -> None:
    problem = made([-1.0, -2.0, -0.5, -9.0], [5, 4, 3, 2], budgets=(budget(9, "tokens"),))
    answer = solved(problem)
    assert 9 - 5 < problem.tokens[answer.chosen].sum() <= 9
    top, winners = best(problem)
    assert top is not None and answer.objective == float(top)
    assert np.array_equal(answer.chosen, winners[0])


def test_up_to_takes_as_many_as_it_can_even_at_a_loss() -> None:
    answer = solved(made([5.0, -1.0, -2.0, -3.0], [1, 1, 1, 9], budgets=(budget(4, up_to=True), budget(6, "tokens"))))
    assert np.flatnonzero(answer.chosen).tolist() == [0, 1, 2]


def test_prices_are_the_duals_of_the_relaxation() -> None:
    values = [10.0, 9.0, 8.0, 7.0, 2.0, 1.0]
    problem = made(values, quotas=(quota(2, None),), members=(np.array([4, 5]),), budgets=(budget(4),))
    floor, size = solved(problem).outcomes
    # Of four rows two must be 2 and 1. One less of them lets in an 8 for the 1; one example more lets in an 8.
    assert (floor.price, floor.side, floor.amount, floor.slack, floor.binding) == (7.0, "low", 2, 0, True)
    assert (size.price, size.side) == (8.0, "high")


def test_a_share_is_priced_by_the_example() -> None:
    values = [10.0, 9.0, 8.0, 7.0, 2.0, 1.0]
    problem = made(values, quotas=(quota(50, None, "%"),), members=(np.array([4, 5]),), budgets=(budget(4),))
    floor = solved(problem).outcomes[0]
    assert (floor.price, floor.side, floor.unit, floor.low, floor.share) == (7.0, "low", "examples", 2, 50.0)


def test_a_clause_that_costs_nothing_has_no_price() -> None:
    problem = made([3.0, 2.0, 1.0], quotas=(quota(None, 3),), members=(np.array([0, 1, 2]),), budgets=(budget(2),))
    cap = solved(problem).outcomes[0]
    assert (cap.price, cap.side, cap.slack, cap.binding) == (0.0, None, 1, False)


def test_a_row_of_two_groups_counts_in_both() -> None:
    problem = made([0.0, 5.0, 5.0], quotas=(quota(1, None), quota(1, None)), members=(np.array([0, 1]), np.array([0, 2])), budgets=(budget(1),))
    assert np.flatnonzero(solved(problem).chosen).tolist() == [0]


def test_equal_on_a_share_of_rows_means_within_one_example() -> None:
    problem = made([9.0, 8.0, 7.0, 1.0, 0.5], quotas=(quota(50, 50, "%", True),), members=(np.array([0, 1, 2]),), budgets=(budget(3),))
    assert np.flatnonzero(solved(problem).chosen).tolist() == [0, 1, 3]
    assert satisfied(problem).sum() == 9


def test_decimals_are_the_ones_that_were_written() -> None:
    # 0.1 % of 1000 is one row exactly; the float nearest to 0.1 is a little more, and would ask for two.
    values = np.linspace(1, 0, 1001).tolist()
    problem = made(values, quotas=(quota(0.1, None, "%"),), members=(np.array([1000]),), budgets=(budget(1000),))
    assert solved(problem).outcomes[0].low == 1


def test_objectives_with_few_decimals_are_compared_exactly() -> None:
    kept = objective(np.array([0.1, 0.2, 0.3, -0.7]))
    assert kept.exact and kept.value.tolist() == [1, 2, 3, -7] and kept.unit == Fraction(1, 10)
    rounded = objective(np.array([np.pi, -np.e]))
    assert not rounded.exact
    assert np.abs(rounded.value * float(rounded.unit) - [np.pi, -np.e]).max() <= float(rounded.unit) / 2
    assert rounded.unit <= Fraction(np.pi) / 2**29


def test_without_a_candidate_nothing_is_chosen_where_every_clause_allows_none() -> None:
    clauses = {"budgets": (budget(5, up_to=True),), "quotas": (quota(None, 30.0, "%"),), "members": (np.zeros(0, bool),)}
    answer = solved(made([], **clauses))
    assert answer.chosen.size == 0 and answer.objective == 0
    assert isinstance(solve(made([], **(clauses | {"budgets": (budget(5),)}))), Infeasible)

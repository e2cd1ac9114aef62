"""Soft targets by prices: against every subset of small problems, against the exact solver, and what a proof of a larger one is worth."""

from dataclasses import replace

import numpy as np
import pytest
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.outcomes import broken, outcomes
from mixc.runtime.selection.problem import Infeasible, Problem, Solution
from mixc.runtime.selection.soft.kinds import kinds, types
from mixc.runtime.selection.soft.least import least
from mixc.runtime.selection.soft.lines import lines
from mixc.runtime.selection.soft.proof import Prices, Sides, bound, dearest, legal
from mixc.runtime.selection.soft.solve_soft import solve_soft
from mixc.tests.runtime.selection.brute import at_most, budget, objective_of, quota, satisfied, subsets
from mixc.tests.runtime.selection.test_soft import large, sampled, shortfalls, softened

ROUNDS, EACH = 12, 100


def best_of(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Which subsets hold all hard clauses, as many rows of them as `up to` allows, and what each misses."""
    good, size = satisfied(problem), subsets(problem.size).sum(axis=1)
    for b in problem.budgets:
        if b.up_to and good.any():
            good &= size == size[good].max()
    return good, shortfalls(problem)


@pytest.mark.parametrize("part", range(ROUNDS))
def test_small_problems_as_by_trying_every_subset(part: int) -> None:
    for seed in range(part * EACH, (part + 1) * EACH):
        problem = sampled(seed)
        good, lacking = best_of(problem)
        answer = solve_soft(problem, problem.soft)  # pyright: ignore[reportArgumentType]
        if not good.any():
            assert isinstance(answer, Infeasible), seed
            continue
        assert isinstance(answer, Solution) and answer.soft is not None, seed
        chosen = int(answer.chosen @ (1 << np.arange(problem.size)))
        assert good[chosen] and answer.soft.shortfall == lacking[chosen] == answer.soft.least == lacking[good].min(), seed
        tops = subsets(problem.size)[good & (lacking == lacking[chosen])]
        top = float(max(objective_of(problem, s.astype(bool)) for s in tops))
        assert answer.objective <= top + 1e-9 and answer.bound >= top - 1e-9, seed
        assert top - answer.objective <= answer.bound - answer.objective + 1e-9, seed


def test_where_no_rows_in_doubt_will_do_the_floors_are_met_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.selection.soft.solve_soft._near", lambda *_: None)
    found = 0
    for seed in range(5000, 5080):
        problem = sampled(seed)
        good, lacking = best_of(problem)
        answer = solve_soft(problem, problem.soft)  # pyright: ignore[reportArgumentType]
        if good.any():
            assert isinstance(answer, Solution) and answer.soft is not None, seed
            chosen = int(answer.chosen @ (1 << np.arange(problem.size)))
            assert good[chosen] and answer.soft.shortfall == lacking[good].min(), seed
            found += 1
    assert found > 30


@pytest.mark.parametrize("seed", range(2))
def test_larger_problems_agree_with_the_exact_solver(seed: int) -> None:
    problem = large(seed + 2, 40)
    exact, answer = solve(problem), solve_soft(problem, problem.soft)  # pyright: ignore[reportArgumentType]
    assert isinstance(exact, Solution) and isinstance(answer, Solution) and exact.soft is not None and answer.soft is not None
    assert answer.soft.least == answer.soft.shortfall == exact.soft.shortfall
    assert answer.objective <= exact.objective + 1e-9 and exact.objective <= answer.bound + 1e-9 and answer.gap <= 2e-3
    assert not any(broken(o) for o in outcomes(problem, answer.chosen))
    again = solve_soft(problem, problem.soft)  # pyright: ignore[reportArgumentType]
    assert isinstance(again, Solution) and np.array_equal(again.chosen, answer.chosen) and again.bound == answer.bound


def test_leaves_share_what_must_be_missed_as_the_objective_likes_it() -> None:
    """A floor takes half of the budget, so that half of the targets is missed; which leaves miss it is left to the objective."""
    rng = np.random.default_rng(4)
    n = 3000
    leaf, other = rng.integers(0, 12, n), rng.random(n) < 0.3
    leaf[other] = -1
    problem = Problem(
        prompt=np.arange(n) // 3, tokens=rng.integers(20, 300, n), objective=rng.normal(size=n) + 0.3 * leaf, tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(2), quotas=(quota(60.0, None),), members=(other,), budgets=(budget(120),),
    )  # fmt: skip
    asked = softened(problem, [10] * 12, [leaf == i for i in range(12)])
    exact, answer = solve(asked), solve_soft(asked, asked.soft)  # pyright: ignore[reportArgumentType]
    assert isinstance(exact, Solution) and isinstance(answer, Solution) and answer.soft is not None and exact.soft is not None
    assert answer.soft.shortfall == answer.soft.least == exact.soft.shortfall == 60
    assert exact.objective <= answer.bound + 1e-9 and answer.gap <= 1e-3
    assert sum(t.shortfall for t in answer.soft.targets[:6]) > 40, "the leaves of a low objective are short"


@pytest.mark.parametrize("seed", range(3))
def test_targets_in_tokens_are_met_to_the_token(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, leaves = 600, 6
    leaf, tokens = rng.integers(0, leaves, n), rng.integers(20, 300, n)
    amount = int(tokens.sum()) // 4
    problem = Problem(
        prompt=np.arange(n) // 2, tokens=tokens, objective=rng.normal(size=n), tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(1), budgets=(budget(amount, "tokens"),),
    )  # fmt: skip
    asked = softened(problem, [amount // leaves] * leaves, [leaf == i for i in range(leaves)], "tokens")
    answer = solve_soft(asked, asked.soft)  # pyright: ignore[reportArgumentType]
    assert isinstance(answer, Solution) and answer.soft is not None
    assert answer.soft.shortfall == answer.soft.least == 0 and answer.gap <= 0.02
    assert not any(broken(o) for o in outcomes(asked, answer.chosen))


@pytest.mark.parametrize("seed", range(60))
def test_any_prices_bound_every_selection_that_misses_no_more(seed: int) -> None:
    problem = sampled(seed + 3000)
    if any(b.up_to for b in problem.budgets) or problem.soft is None:
        return
    good, lacking = best_of(problem)
    weight = problem.tokens if problem.fills_tokens else 1
    known = kinds(problem)
    made = lines(problem, known)
    sides = Sides(problem, problem.soft, problem.objective * weight, problem.objective * weight, known, made)
    rng = np.random.default_rng(seed)
    prices = legal(Prices(rng.normal(size=len(made)) * 0.3, rng.random(len(problem.soft.leaves))), sides)
    for missed in np.unique(lacking[good]):
        top = max(objective_of(problem, s.astype(bool)) for s in subsets(problem.size)[good & (lacking <= missed)])
        assert bound(prices, sides, int(missed)) >= float(top)


def test_kinds_and_types_count_every_row_once() -> None:
    problem = large(1, 40, 3000)
    known = kinds(problem)
    held = types(problem, known, 1)
    assert known.rows.sum() == problem.size and held.prompts.sum() == len(np.unique(problem.prompt))
    for inside, members in zip((*known.quotas, *known.leaves), (*problem.members, *problem.soft.members), strict=True):  # pyright: ignore[reportOptionalMemberAccess]
        assert np.array_equal(np.flatnonzero(inside[known.of]), members)
    for kind in range(0, known.total, 7):
        at = held.kind == kind
        assert (held.prompts[held.type[at]] * held.number[at]).sum() == len(np.unique(problem.prompt[known.of == kind]))


@pytest.mark.parametrize("seed", range(5))
def test_the_least_shortfall_is_that_of_the_exact_solver(seed: int) -> None:
    problem = replace(large(seed, 40, 1500), quotas=(quota(60.0, None),), members=(np.arange(0, 1500, 4),), budgets=(budget(300),))
    found = least(problem, problem.soft, kinds(problem), lines(problem, kinds(problem)), problem.objective)  # pyright: ignore[reportArgumentType]
    exact = solve(problem)
    assert found is not None and isinstance(exact, Solution) and exact.soft is not None
    assert found.proven == found.lacking.sum() == exact.soft.shortfall and found.wish.sum() <= found.proven


def test_what_is_missed_is_missed_where_it_is_dearest() -> None:
    assert dearest(np.array([1.0, 3.0, 2.0]), np.array([5, 2, 4]), 4) == 3 * 2 + 2 * 2

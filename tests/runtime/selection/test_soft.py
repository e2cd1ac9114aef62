"""Soft targets: the shortfall first, then the objective, against every subset of small problems; larger ones against bounds of their own."""

from dataclasses import replace

import numpy as np
import pytest
from mixc.compiler.plan.stages import SoftQuota
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.problem import Infeasible, Problem, Soft, Solution
from mixc.tests.runtime.selection.brute import SPAN, at_most, budget, objective_of, quota, sample, satisfied, subsets

UNIFORM = SoftQuota(text="quota skill uniform", shape="uniform", span=SPAN)


def softened(problem: Problem, targets: list[int], members: list[np.ndarray], unit: str = "examples") -> Problem:
    names = tuple(f"leaf {i}" for i in range(len(targets)))
    return replace(problem, soft=Soft(clause=UNIFORM, leaves=names, targets=tuple(targets), members=tuple(members), unit=unit))


def sampled(seed: int) -> Problem:
    """A small problem with a budget and up to four leaves, of which rows may have several."""
    rng = np.random.default_rng(seed)
    problem = sample(rng)
    while not problem.budgets:
        problem = sample(rng)
    unit = "tokens" if problem.fills_tokens else "examples"
    most = int(problem.tokens.sum()) if unit == "tokens" else problem.size
    count = int(rng.integers(1, 5))
    targets = [int(t) for t in rng.integers(0, most // 2 + 2, count)]
    return softened(problem, targets, [rng.random(problem.size) < 0.5 for _ in targets], unit)


def shortfalls(problem: Problem) -> np.ndarray:
    """The sum of max(0, t_s - n_s) of every subset, by its definition."""
    soft = problem.soft
    assert soft is not None
    weight = problem.tokens if soft.unit == "tokens" else np.ones(problem.size, int)
    total = np.zeros(2**problem.size, int)
    for target, members in zip(soft.targets, soft.members, strict=True):
        inside = np.isin(np.arange(problem.size), members)
        total += np.maximum(0, target - subsets(problem.size) @ (weight * inside))
    return total


@pytest.mark.parametrize("seed", range(400))
def test_the_shortfall_is_the_least_and_the_objective_the_best_of_that_shortfall(seed: int) -> None:
    problem = sampled(seed)
    good, lacking, size = satisfied(problem), shortfalls(problem), subsets(problem.size).sum(axis=1)
    for b in problem.budgets:
        if b.up_to and good.any():
            good &= size == size[good].max()
    answer = solve(problem)
    if not good.any():
        assert isinstance(answer, Infeasible)
        return
    assert isinstance(answer, Solution) and answer.soft is not None
    least = lacking[good].min()
    top = max(objective_of(problem, s.astype(bool)) for s in subsets(problem.size)[good & (lacking == least)])
    chosen = int(answer.chosen @ (1 << np.arange(problem.size)))
    assert good[chosen] and lacking[chosen] == least == answer.soft.shortfall == answer.soft.least
    assert answer.objective == pytest.approx(float(top), abs=1e-9) and answer.bound >= answer.objective
    for told, target, members in zip(answer.soft.targets, problem.soft.targets, problem.soft.members, strict=True):  # pyright: ignore[reportOptionalMemberAccess]
        weight = problem.tokens if answer.soft.unit == "tokens" else np.ones(problem.size, int)
        assert told.amount == weight[members][answer.chosen[members]].sum() and told.available == weight[members].sum()
        assert (told.target, told.shortfall) == (target, max(0, target - told.amount))


def large(seed: int, skills: int, n: int = 4000) -> Problem:
    """A leaf a row, some of them rare, one row a prompt, a floor and a cap beside the targets."""
    rng = np.random.default_rng(seed)
    leaf = np.minimum(rng.zipf(1.3, n) - 1, skills - 1)
    problem = Problem(
        prompt=rng.integers(0, n // 2, n), tokens=rng.integers(20, 900, n), objective=rng.normal(size=n),
        tie=rng.integers(0, 2**64, n, dtype=np.uint64), at_most=at_most(1),
        quotas=(quota(100.0, None), quota(None, 30.0, "%")), members=(rng.random(n) < 0.2, rng.random(n) < 0.5),
        budgets=(budget(400), budget(150_000, "tokens")),
    )  # fmt: skip
    return softened(problem, [400 // skills] * skills, [leaf == s for s in range(skills)])


@pytest.mark.parametrize("seed", range(3))
def test_a_large_problem_lacks_what_no_selection_has(seed: int) -> None:
    problem = large(seed, 40)
    answer = solve(problem)
    assert isinstance(answer, Solution) and answer.soft is not None and answer.gap == 0.0
    prompts = [len(np.unique(problem.prompt[m])) for m in problem.soft.members]  # pyright: ignore[reportOptionalMemberAccess]
    alone = sum(max(0, 10 - found) for found in prompts)
    assert alone <= answer.soft.shortfall <= alone + 5, "more is missed only where rare leaves share prompts"
    free = solve(replace(problem, soft=None))
    assert isinstance(free, Solution) and free.objective > answer.objective
    assert sum(max(0, t.target - free.chosen[m].sum()) for t, m in zip(answer.soft.targets, problem.soft.members, strict=True)) > answer.soft.shortfall  # pyright: ignore[reportOptionalMemberAccess]
    assert answer.soft.price > 0


def test_many_candidates_in_tokens_lack_at_most_the_longest_above_what_is_proven() -> None:
    rng = np.random.default_rng(0)
    leaf = rng.integers(0, 5, 300)
    problem = Problem(
        prompt=np.arange(300), tokens=rng.integers(20, 200, 300), objective=rng.normal(size=300),
        tie=rng.integers(0, 2**64, 300, dtype=np.uint64), budgets=(budget(10_000, "tokens"),),
    )  # fmt: skip
    answer = solve(softened(problem, [2000] * 5, [leaf == s for s in range(5)], "tokens"))
    assert isinstance(answer, Solution) and answer.soft is not None
    assert 0 <= answer.soft.least <= answer.soft.shortfall < answer.soft.least + problem.longest


def test_rows_in_another_order_are_the_same_rows() -> None:
    problem = large(5, 30)
    shuffle = np.random.default_rng(1).permutation(problem.size)
    place = np.argsort(shuffle)
    other = Problem(
        prompt=problem.prompt[shuffle], tokens=problem.tokens[shuffle], objective=problem.objective[shuffle], tie=problem.tie[shuffle],
        at_most=problem.at_most, quotas=problem.quotas, members=tuple(place[m] for m in problem.members), budgets=problem.budgets,
        soft=replace(problem.soft, members=tuple(place[m] for m in problem.soft.members)),  # pyright: ignore[reportCallIssue, reportOptionalMemberAccess, reportArgumentType]
    )  # fmt: skip
    one, two = solve(problem), solve(other)
    assert isinstance(one, Solution) and isinstance(two, Solution)
    assert np.array_equal(one.chosen[shuffle], two.chosen) and one.soft == two.soft
    assert np.array_equal(one.chosen, solve(problem).chosen)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_target_is_worth_what_its_price_says() -> None:
    values = np.array([9.0, 8.0, 1.0, 0.5])
    problem = Problem(
        prompt=np.arange(4), tokens=np.ones(4), objective=values, tie=np.arange(4, dtype=np.uint64), budgets=(budget(2),)
    )  # fmt: skip
    answer = solve(softened(problem, [1], [np.array([2, 3])]))
    assert isinstance(answer, Solution) and answer.soft is not None
    assert list(answer.chosen) == [True, False, True, False] and answer.soft.price == pytest.approx(7.0)
    assert solve(softened(problem, [0], [np.array([2, 3])])).objective == 17.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(("targets", "members"), [([1, 1], [np.array([0])]), ([-1], [np.array([0])])])
def test_targets_that_are_none_are_refused(targets: list[int], members: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="targets"):
        softened(sample(np.random.default_rng(0)), targets, members)

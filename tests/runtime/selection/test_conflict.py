"""Conflicts are minimal, and the changes they propose are feasible and the nearest, as trying every subset shows."""

from dataclasses import replace

import numpy as np
import pytest
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.problem import Conflict, Infeasible, Problem, Solution, with_clause
from mixc.tests.runtime.selection.brute import at_most, budget, nearer, quota, replaced, sample, satisfied


def conflict_of(problem: Problem) -> Conflict:
    answer = solve(problem)
    assert isinstance(answer, Infeasible)
    return answer.conflict


def plain(n: int, **clauses: object) -> Problem:
    columns = {"prompt": np.arange(n), "tokens": np.full(n, 10), "objective": np.zeros(n), "tie": np.arange(n, dtype=np.uint64)}
    return Problem(**{**columns, **clauses})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("seed", range(220))
def test_conflicts_are_minimal_and_changes_feasible_and_tight(seed: int) -> None:
    problem = sample(np.random.default_rng(seed))
    if satisfied(problem).any():
        return  # nearly half of the samples are infeasible
    conflict = conflict_of(problem)
    numbers = [next(i for i, c in enumerate(problem.clauses) if c is m.clause) for m in conflict.members]
    assert not satisfied(problem, numbers).any()
    if problem.budgets:
        for i in numbers:
            assert satisfied(problem, [j for j in numbers if j != i]).any()
    for change in conflict.changes:
        i = next(i for i, c in enumerate(problem.clauses) if c is change.clause)
        scope = None if change.enough else numbers
        assert satisfied(with_clause(problem, i, change.changed), scope).any()
        for closer in nearer(change):
            assert not satisfied(with_clause(problem, i, closer), scope).any()
    distances = [abs(c.new - c.old) / max(abs(c.old), 1) for c in conflict.changes]
    assert distances == sorted(distances)


@pytest.mark.parametrize("seed", range(220, 320))
def test_no_bound_that_would_do_is_passed_over(seed: int) -> None:
    problem = sample(np.random.default_rng(seed))
    if satisfied(problem).any():
        return  # nearly half of the samples are infeasible
    conflict = conflict_of(problem)
    for member in conflict.members:
        i = next(i for i, c in enumerate(problem.clauses) if c is member.clause)
        bound = {"AtMost": "count", "Budget": "amount"}.get(type(member.clause).__name__)
        if bound is None:
            continue
        most = int(problem.tokens.sum()) + 12
        works = any(satisfied(with_clause(problem, i, replaced(member.clause, bound, v))).any() for v in range(1, most))
        assert works == any(c.clause is member.clause and c.enough for c in conflict.changes)


def test_a_floor_above_its_supply_is_alone_in_conflict() -> None:
    problem = plain(6, quotas=(quota(4, None),), members=(np.array([0, 1, 2]),), budgets=(budget(5),))
    conflict = conflict_of(problem)
    (member,), (change,) = conflict.members, conflict.changes
    assert (member.available, member.unit, member.rows, member.tokens) == (3, "examples", 3, 30)
    assert (change.bound, change.old, change.new, change.enough) == ("low", 4.0, 3.0, True)
    assert change.changed.text == 'quota skill "G" >= 3 examples'


def test_a_budget_above_the_candidates_is_alone_in_conflict() -> None:
    conflict = conflict_of(plain(6, budgets=(budget(9),)))
    assert [m.available for m in conflict.members] == [6]
    assert [c.changed.text for c in conflict.changes] == ["budget 6 examples"]


def test_floors_that_only_together_exceed_a_budget_are_named_together() -> None:
    groups = tuple(np.arange(4) + 4 * i for i in range(3))
    quotas = (quota(4, None, name="A"), quota(4, None, name="B"), quota(None, 3, name="C"))
    problem = plain(12, quotas=quotas, members=groups, budgets=(budget(7),))
    conflict = conflict_of(problem)
    assert [m.clause.text for m in conflict.members] == [quotas[0].text, quotas[1].text, problem.budgets[0].text]
    assert {c.changed.text for c in conflict.changes} == {
        'quota skill "A" >= 3 examples',
        'quota skill "B" >= 3 examples',
        "budget 8 examples",
    }


def test_at_most_per_prompt_is_named_where_it_starves() -> None:
    problem = plain(6, prompt=np.array([0, 0, 0, 1, 1, 1]), at_most=at_most(1), budgets=(budget(4),))
    conflict = conflict_of(problem)
    assert [(m.clause.text, m.available) for m in conflict.members] == [("keep at most 1 per prompt", 2), ("budget False 4 examples", 6)]
    assert {c.changed.text for c in conflict.changes} == {"keep at most 2 per prompt", "budget 2 examples"}


def test_a_share_is_proposed_to_a_tenth_on_the_side_that_can_be_reached() -> None:
    problem = plain(9, quotas=(quota(50, None, "%"),), members=(np.array([0, 1]),), budgets=(budget(7),))
    change = next(c for c in conflict_of(problem).changes if c.bound == "low")
    assert change.new == 28.5 and change.changed.text == 'quota skill "G" >= 28.5%'
    assert isinstance(solve(with_clause(problem, 0, change.changed)), Solution)
    assert isinstance(solve(with_clause(problem, 0, replaced(change.clause, "low", 28.6))), Infeasible)


def test_two_conflicts_that_have_nothing_in_common_need_two_changes() -> None:
    quotas = (quota(3, None, name="A"), quota(3, None, name="B"))
    problem = plain(8, quotas=quotas, members=(np.array([0, 1]), np.array([2, 3])), budgets=(budget(4),))
    conflict = conflict_of(problem)
    assert [m.clause.text for m in conflict.members] == [quotas[0].text]
    assert [(c.changed.text, c.enough) for c in conflict.changes] == [('quota skill "A" >= 2 examples', False)]


def test_without_a_budget_a_quota_can_only_be_met_or_changed() -> None:
    problem = plain(8, quotas=(quota(None, 10, "%"),), members=(np.array([0, 1]),))
    conflict = conflict_of(problem)
    assert conflict.all_selected
    assert [c.changed.text for c in conflict.changes] == ['quota skill "G" <= 25%']
    assert isinstance(solve(replace(problem, quotas=(conflict.changes[0].changed,))), Solution)

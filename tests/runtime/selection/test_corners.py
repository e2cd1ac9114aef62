"""Conflicts of tables by prices of classes: against every subset of small problems, against the relaxation, and against the exact solver of larger ones."""

from dataclasses import replace

import numpy as np
import pytest
from mixc.runtime.selection.conflict import conflict
from mixc.runtime.selection.corners.conflict_of import conflict_of
from mixc.runtime.selection.corners.deletion import Question, core
from mixc.runtime.selection.highs import Refusal, run
from mixc.runtime.selection.matrix import stacked
from mixc.runtime.selection.problem import Problem, with_clause
from mixc.runtime.selection.rows import rows
from mixc.runtime.selection.table import as_problem, as_table
from mixc.tests.runtime.selection.brute import sample, satisfied
from mixc.tests.runtime.selection.test_prices import large, table


def fractions_hold(problem: Problem, active: list[int]) -> bool:
    matrix = stacked(rows(problem, active), problem.size)
    return not isinstance(run(matrix, np.zeros(problem.size, np.int64), integral=False), Refusal)


@pytest.mark.parametrize("part", range(10))
def test_what_is_refuted_cannot_be_and_nothing_of_it_can_be_left_out(part: int) -> None:
    refuted = 0
    for seed in range(20_000 + 100 * part, 20_000 + 100 * (part + 1)):
        problem = sample(np.random.default_rng(seed))
        if not problem.budgets:
            continue
        found = core(Question(table(problem, seed)))
        every = list(range(len(problem.clauses)))
        assert (found is None) == fractions_hold(problem, every), seed
        if found is None:
            continue
        refuted += 1
        assert found.minimal and not satisfied(problem, found.numbers).any(), seed
        assert all(fractions_hold(problem, [j for j in found.numbers if j != i]) for i in found.numbers), seed
    assert refuted > 10


@pytest.mark.parametrize("seed", range(60))
def test_changes_hold_for_fractions_and_nothing_nearer_does(seed: int) -> None:
    problem = sample(np.random.default_rng(30_000 + seed))
    found = conflict_of(as_table(problem)) if problem.budgets else None
    for change in found.changes if found else ():
        numbers = [next(i for i, c in enumerate(problem.clauses) if c is m.clause) for m in found.members] if found else []
        i = next(i for i, c in enumerate(problem.clauses) if c is change.clause)
        active = list(range(len(problem.clauses))) if change.enough else numbers
        assert fractions_hold(with_clause(problem, i, change.changed), active) and not change.whole, seed
        step = (0.1 if "%" in getattr(change.clause, "unit", "") else 1) * (1 if change.old > change.new else -1)
        nearer = round(change.new + step, 1)
        if (nearer - change.old) * (change.new - change.old) > 0:
            name = "low" if change.bound == "equal" else change.bound
            clause = replace(change.changed, **{name: type(getattr(change.clause, name))(nearer)} | ({"high": nearer} if change.bound == "equal" else {}))
            assert not fractions_hold(with_clause(problem, i, clause), active), seed


@pytest.mark.parametrize(("floor", "most"), [(1.0, 1), (2.0, None)])
def test_the_conflict_is_one_by_the_exact_solver_too(floor: float, most: int | None) -> None:
    problem = large(3, 4_000, most)
    quotas = tuple(replace(q, low=q.low * 5 * floor) if q.low and q.unit == "examples" else q for q in problem.quotas)
    problem = replace(problem, quotas=quotas)
    found = conflict_of(table(problem))
    assert found is not None and found.left_out == "fractions" and found.changes
    alone = replace(problem, quotas=(), members=(), budgets=())
    kept = [(q, m) for q, m in zip(problem.quotas, problem.members, strict=True) if any(c.clause is q for c in found.members)]
    mine = replace(
        alone, at_most=problem.at_most if any(c.clause is problem.at_most for c in found.members) else None,
        quotas=tuple(q for q, _ in kept), members=tuple(m for _, m in kept), budgets=tuple(b for b in problem.budgets if any(c.clause is b for c in found.members)),
    )  # fmt: skip
    assert {m.clause.text for m in conflict(mine).members} == {m.clause.text for m in found.members}


def test_the_answer_does_not_depend_on_the_order_of_the_rows() -> None:
    problem = large(5, 3_000)
    problem = replace(problem, budgets=(problem.budgets[0], replace(problem.budgets[1], amount=1_600)))
    first, second = conflict_of(table(problem, 1)), conflict_of(table(problem, 2))
    assert first is not None and first == second


def test_a_problem_as_a_table_is_the_same_problem() -> None:
    problem = large(7, 500)
    back, _ = as_problem(as_table(problem))
    assert all(np.array_equal(a, b) for a, b in zip(back.members, problem.members, strict=True)) and np.array_equal(back.tokens, problem.tokens)
    assert np.array_equal(back.prompt, np.unique(problem.prompt, return_inverse=True)[1])

"""The solver of tables against every subset of small problems and against the exact solver; what it promises of order and files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.highs import Answer, run
from mixc.runtime.selection.matrix import stacked
from mixc.runtime.selection.objective import objective
from mixc.runtime.selection.prices.solve_table import solve_table
from mixc.runtime.selection.problem import Infeasible, Problem, Solution
from mixc.runtime.selection.rows import rows
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


@pytest.mark.parametrize("most", [1, 2, None])
def test_middling_problems_agree_with_the_exact_solver_within_the_gap(most: int | None) -> None:
    problem = large(3, 6000, most)
    exact, answer = solve(problem), solve_table(table(problem))
    assert isinstance(exact, Solution) and isinstance(answer, Selected)
    assert answer.objective <= exact.objective + 1e-9 and exact.objective <= answer.bound
    assert answer.gap <= 2e-3
    # The prices are optimal: their bound is the optimum of the linear program, and the integrality of so few rows nearly all of the gap.
    goal = objective(problem.objective)
    matrix = stacked(rows(problem), problem.size)
    relaxed = run(matrix, goal.value, integral=False)
    assert isinstance(relaxed, Answer)
    assert answer.bound == pytest.approx(float((relaxed.x * goal.value).sum()) * float(goal.unit), rel=1e-6)
    if most == 1:  # the linear program has more than one dual solution, whose bound is the same: here they are close, in the others not
        for mine, theirs in zip(answer.outcomes, exact.outcomes, strict=True):
            assert mine.price == pytest.approx(theirs.price, rel=0.05, abs=1e-6), mine.clause.text
            assert mine.price == 0 or mine.side == theirs.side


def test_order_files_and_kinds_of_keys_do_not_change_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.selection.prices.attempt.SMALL", 1000)
    monkeypatch.setattr("mixc.runtime.selection.prices.attempt.SELECTED", 200)
    problem = large(5, 24_000)
    whole = table(problem)
    first = solve_table(whole)
    assert isinstance(first, Selected) and first.passes >= 3 and first.gap < 1e-2
    held = whole.frame.collect()
    for part, piece in enumerate(held.sample(fraction=1.0, shuffle=True, seed=9).iter_slices(5000)):
        piece.write_parquet(tmp_path / f"{part}.parquet", row_group_size=700)
    split = Table(
        frame=pl.scan_parquet(tmp_path / "*.parquet"),
        at_most=whole.at_most,
        quotas=whole.quotas,
        members=whole.members,
        budgets=whole.budgets,
    )
    second = solve_table(split)
    assert isinstance(second, Selected) and second.rows.equals(first.rows)
    assert (second.objective, second.bound, second.prices) == (first.objective, first.bound, first.prices)
    back, keys = as_problem(split)
    assert keys.to_list() == list(range(problem.size)) and np.array_equal(back.objective, problem.objective)


def test_groups_of_lists_and_of_text_are_counted() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    skills = [[["a"], ["a", "b"], ["c"], [], ["b"]][i] for i in rng.integers(0, 5, n)]
    frame = pl.DataFrame(
        {
            "row": [f"r{i:05}" for i in range(n)],
            "prompt": [f"p{i}" for i in rng.integers(0, 1500, n)],
            "tokens": rng.integers(1, 100, n),
            "objective": rng.normal(size=n),
            "tie": rng.integers(0, 2**64, n, dtype=np.uint64),
            "skills": skills,
            "teacher": [None if i == 2 else f"t{i}" for i in rng.integers(0, 3, n)],
        },
        schema_overrides={"skills": pl.List(pl.String)},
    ).lazy()
    asked = Table(
        frame=frame,
        at_most=at_most(1),
        quotas=(quota(90.0, None), quota(None, 30.0, "%")),
        members=(pl.col("skills").list.contains("b"), pl.col("teacher") == "t1"),
        budgets=(budget(200),),
    )
    answer = solve_table(asked)
    problem, keys = as_problem(asked)
    exact = solve(problem)
    assert isinstance(answer, Selected) and isinstance(exact, Solution)
    kept = frame.filter(pl.col("row").is_in(answer.rows.implode())).collect()
    assert kept["prompt"].n_unique() == kept.height == 200
    assert kept["skills"].list.contains("b").sum() == answer.outcomes[1].amount >= 90
    assert (kept["teacher"] == "t1").sum() == answer.outcomes[2].amount <= 60
    assert answer.objective <= exact.objective + 1e-9 <= answer.bound + 2e-9 and keys.len() == n

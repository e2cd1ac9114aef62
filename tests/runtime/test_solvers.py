"""Which solver answers, and that prices answer in the form of the exact solver: feasible, no better than the best, with what each row is worth."""

import math

import numpy as np
import polars as pl
import pytest
from mixc.compiler.plan.stages import AtMost, Budget, Group, Quota, Select, SoftQuota
from mixc.compiler.source import Span
from mixc.runtime.candidates import OBJECTIVE, TIE, Candidates, candidates, problem
from mixc.runtime.rows import Rows
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.outcomes import broken, outcomes
from mixc.runtime.selection.problem import Infeasible, Solution
from mixc.runtime.solvers import MOST, solved, solver

SPAN = Span("a.mix", 0, 0)


def rows(size: int, levels: int | None, seed: int = 1) -> pl.DataFrame:
    """Rows of four teachers and six skills, up to five a prompt; the objective has `levels` values, or is continuous."""
    rng = np.random.default_rng(seed)
    value = rng.normal(size=size) if levels is None else rng.integers(0, levels, size).astype(float)
    return pl.DataFrame(
        {
            "row_id": [f"{i:06d}" for i in range(size)], "prompt_id": [f"p{p}" for p in rng.integers(0, size // 3, size)],
            "teacher": rng.choice(["a", "b", "c", "d"], size), "skills": [[f"root->s{s}"] for s in rng.integers(0, 6, size)],
            "score:length": rng.integers(20, 400, size), OBJECTIVE: value, TIE: rng.integers(0, 2**64, size, dtype=np.uint64),
            "reason": pl.Series([None] * size, dtype=pl.String),
        }
    )  # fmt: skip


def live(asked: Select, size: int, levels: int | None, seed: int = 1, **other: pl.Series) -> Candidates:
    return candidates(asked, Rows.of(rows(size, levels, seed).with_columns(**other)))


def stage(**given: object) -> Select:
    quotas = (
        Quota(text='quota skill "s0" >= 30%', group=Group(kind="skill", value="s0"), low=30.0, high=None, unit="%", span=SPAN),
        Quota(text='quota skill "root" >= 1 examples', group=Group(kind="skill", value="root"), low=1.0, high=None, unit="examples", span=SPAN),
        Quota(text="quota teacher a <= 15% of tokens", group=Group(kind="teacher", value="a"), low=None, high=15.0, unit="% of tokens", span=SPAN),
    )
    budgets = (Budget(text="budget 400 examples", amount=400, unit="examples", span=SPAN), Budget(text="budget 60k tokens", amount=60_000, unit="tokens", span=SPAN))
    known = {"at_most": AtMost(text="keep at most 1 per prompt", count=1, span=SPAN), "quotas": quotas, "budgets": budgets, "tokens": "length", "solver": "prices"}
    return Select(id="select", inputs=(), seed=1, span=SPAN, **(known | given))  # type: ignore[arg-type]


@pytest.mark.parametrize("levels", [None, 2, 10])
def test_prices_answer_as_the_exact_solver_does(levels: int | None) -> None:
    asked = stage()
    given = live(asked, 6_000, levels)
    exact, found = solve(problem(asked, given)), solved(asked, given)
    assert isinstance(exact, Solution) and isinstance(found, Solution) and found.method == "prices"
    held = problem(asked, given)
    assert not any(broken(o) for o in outcomes(held, found.chosen))
    assert [(o.clause, o.amount) for o in found.outcomes] == [(o.clause, o.amount) for o in outcomes(held, found.chosen)]
    assert found.objective == math.fsum(held.objective[found.chosen])
    assert found.objective <= exact.objective + 1e-9 and exact.objective <= found.bound and found.gap <= 2e-3
    assert found.advantage is not None
    worth = found.advantage
    inside, outside = worth[found.chosen], worth[~found.chosen]
    noise = 0.02 * np.ptp(held.objective)
    assert np.mean(inside > -noise) > 0.98 and np.mean(outside < noise) > 0.98


def test_ties_go_by_the_seeded_hash_whatever_the_order_of_the_rows() -> None:
    asked = stage()
    first = solved(asked, live(asked, 6_000, 2))
    other = solved(asked, live(asked, 6_000, 2, **{TIE: rows(6_000, 2, seed=9)[TIE]}))
    assert isinstance(first, Solution) and isinstance(other, Solution)
    assert abs(first.objective - other.objective) <= 1 and not np.array_equal(first.chosen, other.chosen)


def test_the_choice_is_by_size_and_by_what_couples_the_rows() -> None:
    auto = stage(solver="auto")
    assert solver(auto, MOST) == "exact" and solver(auto, MOST + 1) == "prices"
    assert solver(stage(solver="exact"), 10 * MOST) == "exact" and solver(stage(), 10) == "prices"
    alone = stage(solver="auto", quotas=(), budgets=auto.budgets[:1])
    assert solver(alone, 10 * MOST) == "exact" and solver(stage(solver="auto", budgets=()), 10 * MOST) == "exact"
    soft = SoftQuota(text="quota skill uniform", shape="uniform", span=SPAN)
    assert solver(stage(solver="auto", soft=soft), MOST) == "exact" and solver(stage(solver="auto", soft=soft), MOST + 1) == "prices"
    aimed = stage(solver="auto", soft=soft, quotas=(), budgets=auto.budgets[:1])
    assert solver(aimed, MOST) == "exact" and solver(aimed, MOST + 1) == "prices", "targets couple the rows, sorting will not do"
    tokens = stage(solver="auto", soft=soft, quotas=(), budgets=auto.budgets[1:])
    assert solver(tokens, 64) == "exact" and solver(tokens, 65) == "prices"
    assert solver(stage(solver="exact", soft=soft, budgets=auto.budgets[1:]), 65) == "exact"
    paper = SoftQuota(text="quota skill weakness(paper)", shape="paper", student="s", max_weight=1000, alpha=0, beta=0, min_support=0, span=SPAN)
    assert solver(stage(solver="auto", soft=paper, quotas=(), budgets=auto.budgets[:1]), 10 * MOST) == "exact"


@pytest.mark.parametrize("size", [6_000, 0])
def test_prices_heed_soft_targets(size: int) -> None:
    soft = SoftQuota(text="quota skill uniform", shape="uniform", span=SPAN)
    few = Budget(text="budget up to 9 examples", amount=9, unit="examples", up_to=True, span=SPAN)
    asked = stage(soft=soft, quotas=stage().quotas[:1], budgets=stage().budgets if size else (few,))
    given = candidates(asked, Rows.of(rows(6_000, 2).head(size)))
    found, exact = solved(asked, given), solve(problem(asked, given))
    if not size:
        assert isinstance(found, Solution) and isinstance(exact, Solution) and not found.chosen.size
        return
    assert isinstance(found, Solution) and isinstance(exact, Solution) and found.method == "prices"
    assert found.soft is not None and exact.soft is not None and found.soft.shortfall == found.soft.least == exact.soft.shortfall
    assert found.objective <= exact.objective + 1e-9 <= found.bound + 2e-9


def test_soft_targets_do_not_hide_what_conflicts() -> None:
    soft = SoftQuota(text="quota skill uniform", shape="uniform", span=SPAN)
    quota = Quota(text='quota skill "s1" >= 5000 examples', group=Group(kind="skill", value="s1"), low=5000.0, high=None, unit="examples", span=SPAN)
    asked = stage(quotas=(quota,), soft=soft)
    found = solved(asked, live(asked, 6_000, None))
    assert isinstance(found, Infeasible) and [m.clause for m in found.conflict.members] == [quota] and found.conflict.proven


def test_what_counts_show_to_be_impossible_is_a_conflict_of_that_clause() -> None:
    quota = Quota(text='quota skill "s1" >= 5000 examples', group=Group(kind="skill", value="s1"), low=5000.0, high=None, unit="examples", span=SPAN)
    asked = stage(quotas=(quota,))
    found = solved(asked, live(asked, 6_000, None))
    assert isinstance(found, Infeasible) and [m.clause for m in found.conflict.members] == [quota] and found.conflict.proven


def test_where_prices_find_nothing_the_exact_solver_says_what_conflicts() -> None:
    """Each floor has rows enough; the prompts, of which one row each may be taken, have not."""
    floors = tuple(
        Quota(text=f'quota skill "s{i}" >= 420 examples', group=Group(kind="skill", value=f"s{i}"), low=420.0, high=None, unit="examples", span=SPAN)
        for i in range(6)
    )
    budget = Budget(text="budget 2600 examples", amount=2600, unit="examples", span=SPAN)
    asked = stage(quotas=floors, budgets=(budget,))
    found = solved(asked, live(asked, 6_000, None))
    assert isinstance(found, Infeasible) and found.conflict.proven and found.conflict.changes
    assert {m.clause.text for m in found.conflict.members} >= {"keep at most 1 per prompt"}


def test_of_more_candidates_than_are_searched_prices_say_what_conflicts_as_the_exact_solver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    floors = tuple(
        Quota(text=f'quota skill "s{i}" >= 420 examples', group=Group(kind="skill", value=f"s{i}"), low=420.0, high=None, unit="examples", span=SPAN)
        for i in range(6)
    )
    asked = stage(quotas=floors, budgets=(Budget(text="budget 2600 examples", amount=2600, unit="examples", span=SPAN),))
    given = live(asked, 6_000, None)
    exact = solved(asked, given)
    monkeypatch.setattr("mixc.runtime.solvers.MOST", 1_000)
    found = solved(asked, given)
    assert isinstance(exact, Infeasible) and isinstance(found, Infeasible)
    assert found.conflict.proven and found.conflict.left_out in ("fractions", "rows")
    assert [m.clause for m in found.conflict.members] == [m.clause for m in exact.conflict.members]
    assert {(c.changed.text, c.new) for c in found.conflict.changes} & {(c.changed.text, c.new) for c in exact.conflict.changes}
    assert not any(c.whole for c in found.conflict.changes)

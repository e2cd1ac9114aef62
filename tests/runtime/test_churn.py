"""How many rows a small change of a spec moves, against the least that any best selection could move: on made tables, and on the real responses.

No selection looks at a former one. Where the objective tells rows apart there is one best selection, and nothing but the necessary moves. Where many
rows tie, the seeded hash takes the same ones again as far as it can: a nudge moves at most `TIED` times the least in all, and `FEW` rows more in any case.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.runtime.churn import Churn, churn
from mixc.runtime.identity import seeded_hash
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.problem import Infeasible, Problem
from mixc.tests.runtime.churn import KINDS, Moved, chosen, moved, problem, table
from mixc.tests.runtime.selection.brute import at_most, budget, quota

TIED = 2.0
FEW = 8
SEEDS = range(3)


def nudged(seed: int, kind: str, tokens: int | None) -> list[Moved]:
    """A floor one higher, a budget about 1 % (of 40: one row) higher, a cap one per cent lower."""
    rows = table(seed, kind)
    before = solve(problem(rows, tokens=tokens))
    assert not isinstance(before, Infeasible)
    old = chosen(rows["id"], before)
    changes = {"floor": {"floor": 12}, "budget": {"examples": 41}, "cap": {"cap": 44.0}}
    found = [moved(name, old, rows["id"], problem(rows, **({"tokens": tokens} | change))) for name, change in changes.items()]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_nudge_moves_what_it_must_and_little_more(kind: str) -> None:
    found = [each for seed in SEEDS for tokens in (None, 6500) for each in nudged(seed, kind, tokens)]
    assert len(found) > 12 and sum(each.least for each in found) > 12
    if kind in ("random", "continuous"):
        assert [each for each in found if each.mine != each.least] == []
    assert [each for each in found if each.mine > each.least + FEW] == []
    assert sum(each.mine for each in found) <= TIED * sum(each.least for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_teacher_takes_its_place_and_moves_little_else(kind: str) -> None:
    """Where rows tie the new teacher's are as good as any, and come in by their hashes: that costs a row in and a row out for each of them."""
    extra = 0
    for seed in SEEDS:
        rows, more = table(seed, kind), table(seed, kind, teachers=4)
        before, after = solve(problem(rows)), solve(problem(more))
        assert not isinstance(before, Infeasible) and not isinstance(after, Infeasible)
        old, new = chosen(rows["id"], before), chosen(more["id"], after)
        fresh = {id for id in new if id.endswith("-3")}
        change = moved("teacher", old, more["id"], problem(more))
        assert change is not None and change.mine == len(old ^ new) and fresh
        if kind in ("random", "continuous"):
            assert change.mine == change.least
        extra += max(0, change.mine - max(change.least, 2 * len(fresh)))
    assert extra <= FEW * len(SEEDS)


def test_the_same_spec_moves_nothing_and_the_order_of_rows_neither() -> None:
    for kind in KINDS:
        rows = table(5, kind)
        first, second = solve(problem(rows)), solve(problem(rows))
        assert not isinstance(first, Infeasible) and not isinstance(second, Infeasible)
        assert np.array_equal(first.chosen, second.chosen)


def test_churn_is_told_from_the_folder_and_none_without_one(tmp_path: Path) -> None:
    now = pl.Series(["a", "b", "c"])
    assert churn(tmp_path, now) is None
    pl.DataFrame({"row_id": ["b", "c", "d", "e"]}).write_parquet(tmp_path / "selected.parquet")
    assert churn(tmp_path, now) == Churn(before=4, new=1, gone=2)
    (tmp_path / "selected.parquet").write_bytes(b"not a table")
    assert churn(tmp_path, now) is None


def real(shared: Path, objective: str, without: str | None = None) -> tuple[np.ndarray, Problem]:
    """The shortest correct response of each prompt, chosen among by a floor, a cap on a teacher (10 % are 50 rows, 10.2 % are 51) and a budget."""
    rows = pl.read_parquet(shared / "teachers.parquet", columns=["prompt_id", "teacher", "skill", "student_tokens", "correct", "pass_rate_all", "response"])
    rows = rows.filter(pl.col("correct") & (pl.col("student_tokens") <= 1000) & (pl.col("teacher") != (without or "")))
    rows = rows.sort("prompt_id", "student_tokens", "teacher", "response").unique("prompt_id", keep="first", maintain_order=True)
    ids = rows.select(pl.concat_str("prompt_id", pl.lit("/"), "teacher")).to_series().to_numpy()
    tie = seeded_hash(3, ids.tolist())
    value = tie / 2.0**64 if objective == "random" else rows["pass_rate_all"].fill_null(0.0).round(2).to_numpy()
    algebra, human = (rows["skill"] == "Algebra").fill_null(False).to_numpy(), (rows["teacher"] == "human-reference").to_numpy()
    return ids, Problem(
        prompt=np.arange(rows.height), tokens=rows["student_tokens"].to_numpy(), objective=value, tie=tie, at_most=at_most(1),
        quotas=(quota(100, 150, name="Algebra"), quota(None, 10, "%", name="human")), members=(algebra, human), budgets=(budget(500),),
    )  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("objective", ["random", "pass rate"])
def test_on_real_responses_a_small_change_moves_little(objective: str, shared: Path) -> None:
    ids, base = real(shared, objective)
    before = solve(base)
    assert not isinstance(before, Infeasible)
    old = chosen(ids, before)
    floor, cap = base.quotas
    changes = {
        "floor": replace(base, quotas=(replace(floor, low=101.0), cap)),
        "budget": replace(base, budgets=(budget(505),)),
        "cap": replace(base, quotas=(floor, replace(cap, high=10.2))),
    }
    for name, changed in changes.items():
        found = moved(name, old, ids, changed)
        assert found is not None and found.mine <= found.least + (FEW if objective != "random" else 0), found
    fewer, smaller = real(shared, objective, without="Meta-Llama-3.1-8B-Instruct")
    small = solve(smaller)
    assert not isinstance(small, Infeasible)
    found = moved("teacher", chosen(fewer, small), ids, base)
    fresh = sum(id.endswith("/Meta-Llama-3.1-8B-Instruct") for id in old)
    assert found is not None and found.mine <= max(found.least, 2 * fresh) + FEW, (found, fresh)

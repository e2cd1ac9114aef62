"""What a plan says before scoring is never taken back by the scores: rows it drops stay dropped, and what it calls infeasible is so."""

import random
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.inputs import compile_file
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Score, Select
from mixc.runtime.bounds import at_most, impossible, still_in
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.preview import preview
from mixc.runtime.rows import Rows, alive
from mixc.runtime.store import Store
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.frames import filter_rows, select

WHERES = ("where    correct", "where    correct and length <= 9 tokens", "where    correct or length > 9 tokens", "where    not correct", "where    length <= 12 tokens")
KEEPS = ("keep     best 1 per prompt by -length", "keep     best 2 per prompt by length", "where    length >= p40 within teacher", "keep     at most 1 per prompt")
QUOTAS = (
    'quota    skill "addition" >= 7 examples', 'quota    skill "addition" <= 2 examples', 'quota    teacher "terse" >= 60%', 'quota    teacher "tutor" = 40%',
    'quota    skill "subtraction" 10%..20% of tokens', 'quota    teacher "rambler" <= 30 tokens', 'quota    teacher "rambler" >= 90 tokens',
)  # fmt: skip
BUDGETS = ("budget   12 examples", "budget   up to 20 examples", "budget   9 examples", "budget   120 tokens", "")


def some_spec(chance: random.Random) -> str:
    """A spec whose only missing score is `correct`, with clauses that may or may not hold."""
    clauses = chance.sample(WHERES, 2) + chance.sample(KEEPS, 2) + chance.sample(QUOTAS, chance.randint(0, 3))
    head = SCORED.partition("select {")[0].replace("column(good)", "verify_math(reference)")
    return head + "select {\n  " + "\n  ".join([*clauses, chance.choice(BUDGETS), "maximize random"]) + "\n}\n"


def revealed(plan, chance: random.Random, context: Context) -> tuple[bool, set[str]]:
    """Whether the selection holds for scores drawn by chance, and the rows that come to it."""
    seen = preview(plan, context, plan.stages[: next(i for i, s in enumerate(plan.stages) if isinstance(s, Score))])
    frame = seen.walk.rows.frame()
    truth = pl.Series([chance.random() < 0.8 for _ in range(frame.height)])
    frame = frame.with_columns(truth.alias("score:correct"), pl.lit(None, pl.String).alias("score:correct:why"))
    frame = frame.with_columns(pl.col("column:count").alias("score:length"), pl.lit(None, pl.String).alias("score:length:why"))
    for stage in plan.stages:
        if stage.id.startswith("filter"):
            frame, _ = filter_rows(stage, frame)
        elif isinstance(stage, Select):
            coming = set(frame.filter(pl.col("reason").is_null())["row_id"])
            try:
                select(stage, frame)
            except Fault:
                return False, coming
            return True, coming
    raise AssertionError("no selection")


@pytest.mark.parametrize("together", [50_000, 5])
def test_a_plan_never_takes_back_what_it_says_before_scoring(together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of more rows than are searched whole: then only what fractions of rows refute is said."""
    verdicts = []
    monkeypatch.setattr("mixc.runtime.bounds.TOGETHER_ROWS", together)
    monkeypatch.chdir(make_project(tmp_path))
    context = Context(store=Store(tmp_path / ".mixc"), students=Students())
    for seed in range(40):
        chance = random.Random(seed)
        write_rows(tmp_path / "data" / "rows.jsonl", rows(12, seed))
        (tmp_path / "some.mix").write_text(some_spec(chance))
        plan = compile_file("some.mix", []).plan
        if plan is None:  # seen to be impossible without a row
            continue
        seen = preview(plan, context)
        assert not {d.code for d in seen.faults} - {"MIX0401"}
        bound = [k.rows.value for id, k in seen.known.items() if id.startswith("filter") and k.rows is not None][-1:]
        for _ in range(6):
            holds, coming = revealed(plan, chance, context)
            verdicts.append((seen.feasible, holds))
            assert not (holds and seen.feasible is False), some_spec(random.Random(seed))
            assert all(len(coming) <= most for most in bound)
    assert {(False, False), (None, True), (None, False)} <= set(verdicts), "the draws do not meet every case"


def test_rows_drop_only_where_nothing_they_lack_could_save_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path)
    spec = SCORED.replace("column(good)", "verify_math(reference)").replace("where    length <= 400 tokens", "where    correct and length <= 9 tokens")
    (tmp_path / "some.mix").write_text(spec)
    monkeypatch.chdir(tmp_path)
    plan = compile_file("some.mix", []).plan
    assert plan is not None
    seen = preview(plan, Context(store=Store(tmp_path / ".mixc"), students=Students()))
    frame = seen.walk.rows.frame()
    select_ = next(s for s in plan.stages if isinstance(s, Select))
    half = frame.with_columns(
        pl.Series("open:correct", [i % 2 == 0 for i in range(frame.height)]), pl.lit(False).alias("score:correct"), reason=pl.lit(None, pl.String)
    )
    where = next(w for s in plan.stages if s.id.startswith("filter") for w in s.wheres if "correct" in w.text)  # type: ignore[union-attr]
    left = still_in(Rows.of(half), where, plan.seed).frame()
    assert alive(left) == half["open:correct"].sum()
    assert left.filter(pl.col("reason").is_null())["open:correct"].all()
    assert at_most(Rows.of(half), []) == 36 and at_most(Rows.of(half), [s for s in select_.steps if hasattr(s, "count")]) == 24
    assert impossible(select_, Rows.of(half), ()) is None

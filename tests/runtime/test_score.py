"""Score stages: nothing computed twice, nothing lost to a kill, nothing silently wrong."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Score
from mixc.compiler.source import Span
from mixc.runtime import score as module
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Notice, Progress
from mixc.runtime.identity import row_ids
from mixc.runtime.scorers import registry
from mixc.runtime.scorers.base import Scorer
from mixc.runtime.store import Store, fingerprint
from mixc.tests.runtime.frames import missing, score

SPAN = Span("spec.mix", 0, 1)


def pending(stage: Score, rows: pl.DataFrame, context: Context) -> int:
    """How many values a run would have to compute."""
    return missing(stage, rows, context).height


class Length:
    """A scorer that counts what it is asked: the letters of the response, null for an empty one, then a nap of `nap` seconds."""

    name = "length"
    reports = False

    def __init__(self, nap: float = 0.0, stop: int | None = None) -> None:
        self.asked: list[str] = []
        self.nap, self.stop = nap, stop

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        return {"scorer": self.name, "version": stage.version}

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        return {"letters": pl.Int64(), "why": pl.String()}

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        for key, response in rows.select("key", "response").iter_rows():
            time.sleep(self.nap)
            if len(self.asked) == self.stop:
                raise KeyboardInterrupt
            self.asked.append(key)
            letters, why = (len(response), None) if response else (None, "empty")
            schema = {"key": pl.String(), **self.schema(stage)}
            yield pl.DataFrame({"why": [why], "letters": [letters], "key": [key]}).select(
                pl.col(name).cast(dtype) for name, dtype in schema.items()
            )

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        return stored.select("key", pl.col("letters").alias("value"), "why")


def stage(scorer: str = "length", **settings: object) -> Score:
    given = {"type": "number", "version": 1} | settings
    return Score(id="score:n", inputs=("scan:c",), name="n", scorer=scorer, span=SPAN, **given)  # type: ignore[arg-type]


def corpus(count: int, **more: Sequence[object]) -> pl.DataFrame:
    rows = pl.DataFrame({"prompt": [f"p{i}" for i in range(count)], "response": ["x" * (i % 7) for i in range(count)]})
    rows = rows.with_columns(teacher_value=pl.lit("t"), reason=pl.lit(None, pl.String))
    return rows.with_columns(row_ids(rows)).with_columns(pl.Series(name, values) for name, values in more.items())


def use(monkeypatch: pytest.MonkeyPatch, scorer: Scorer) -> None:
    monkeypatch.setattr(module, "scorer", lambda name: scorer)


def context(root: Path, events: list[Event] | None = None) -> Context:
    return Context(Store(root), Students(), (events if events is not None else []).append)


def test_rows_keep_their_order_and_say_why_a_score_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length())
    rows = corpus(50).sample(fraction=1.0, shuffle=True, seed=3)
    found = score(stage(), rows, context(tmp_path))
    assert found.rows.drop("score:n", "score:n:why").equals(rows)
    assert found.rows["score:n"].to_list() == [len(r) or None for r in rows["response"]]
    assert found.rows["score:n:why"].to_list() == [None if r else "empty" for r in rows["response"]]
    assert (found.computed, found.reused, found.nulls) == (50, 0, {"empty": 8})
    assert found.summary == "50 scored, 0 from the store, 8 without a value (empty)"


def test_dropped_rows_are_not_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Length()
    use(monkeypatch, asked)
    rows = corpus(10).with_columns(reason=pl.when(pl.int_range(10) >= 4).then(pl.lit("where length > 3")))
    found = score(stage(), rows, context(tmp_path))
    assert len(asked.asked) == found.computed == 4
    assert found.rows["score:n"].to_list() == [None, 1, 2, 3] + [None] * 6
    assert found.rows["score:n:why"].to_list() == ["empty"] + [None] * 9


def test_no_live_row_asks_nothing_and_has_the_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length())
    found = score(stage(), corpus(3).with_columns(reason=pl.lit("gone")), context(tmp_path))
    assert found.rows.schema["score:n"] == pl.Int64() and found.rows["score:n"].null_count() == 3
    assert (found.computed, found.reused, found.nulls) == (0, 0, {})


def test_a_second_run_computes_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length())
    assert pending(stage(), corpus(40), context(tmp_path)) == 40
    first = score(stage(), corpus(40), context(tmp_path))
    assert (pending(stage(), corpus(40), context(tmp_path)), pending(stage(), corpus(55), context(tmp_path))) == (0, 15)
    again = Length()
    use(monkeypatch, again)
    second = score(stage(), corpus(55), context(tmp_path))
    assert (second.computed, second.reused, len(again.asked)) == (15, 40, 15)
    assert second.rows[:40].equals(first.rows)
    assert pending(stage(version=2), corpus(55), context(tmp_path)) == 55


def test_equal_rows_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Length()
    use(monkeypatch, asked)
    found = score(stage(), pl.concat([corpus(5), corpus(5)]), context(tmp_path))
    assert len(asked.asked) == 5 and found.rows["score:n"].to_list() == [None, 1, 2, 3, 4] * 2


def test_the_scorer_sees_the_same_order_whatever_the_order_of_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = []
    for seed in (1, 2):
        asked = Length()
        use(monkeypatch, asked)
        rows = corpus(30).sample(fraction=1.0, shuffle=True, seed=seed)
        score(stage(), rows, context(tmp_path / str(seed)))
        orders.append(asked.asked)
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [("reference", "3", "4"), ("reference", None, "-"), ("column:steps", ["a", "b"], ["a,b"]), ("column:n", 1, 2)],
)
def test_a_changed_value_that_the_scorer_reads_is_computed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, one: object, other: object
) -> None:
    use(monkeypatch, Length())
    reading = stage(reads=(name,))
    before = corpus(4).with_columns(pl.Series(name, [other if other != "-" else "x", one, other, one], strict=False))
    after = corpus(4).with_columns(pl.Series(name, [other if other != "-" else "x", one, other, other], strict=False))
    assert score(reading, before, context(tmp_path)).computed == 4
    assert pending(reading, before, context(tmp_path)) == 0
    assert pending(reading, after, context(tmp_path)) == 1


def test_an_interruption_keeps_what_was_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length(stop=23))
    with pytest.raises(KeyboardInterrupt):
        score(stage(), corpus(60), context(tmp_path))
    assert pending(stage(), corpus(60), context(tmp_path)) == 37


def test_progress_counts_up_to_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length())
    score(stage(), corpus(10), context(tmp_path))
    events: list[Event] = []
    score(stage(), corpus(16), context(tmp_path, events))
    assert events == [Progress("score:n", done, 6, "responses") for done in range(7)]


def test_a_damaged_shard_is_noticed_and_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Length())
    whole = score(stage(), corpus(30), context(tmp_path))
    (shard,) = (tmp_path / "scores").glob("*/*.parquet")
    shard.write_bytes(shard.read_bytes()[:-9])
    events: list[Event] = []
    again = score(stage(), corpus(30), context(tmp_path, events))
    assert again.computed == 30 and again.rows.equals(whole.rows)
    assert [str(shard) in event.message for event in events if isinstance(event, Notice)] == [True]


def test_what_makes_the_values_is_kept_beside_them_and_asked_when_they_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Made(Length):
        def made_by(self, stage: Score, context: Context) -> dict[str, str]:
            return {"engine": f"after {len(self.asked)}"}

    use(monkeypatch, Made())
    score(stage(), corpus(10), context(tmp_path))
    use(monkeypatch, Length())
    score(stage(), corpus(12), context(tmp_path))
    identity = Length().identity(stage(), context(tmp_path))
    shelf = Store(tmp_path).shelf(fingerprint(identity), identity)
    assert shelf.origins()["engine"].value_counts().sort("engine").rows() == [(None, 2), ("after 10", 10)]


def test_a_scorer_that_forgets_a_row_is_our_fault_and_loud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Length):
        def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
            return super().compute(stage, rows[1:], context)

    use(monkeypatch, Forgetful())
    with pytest.raises(RuntimeError, match="9 of 10"):
        score(stage(), corpus(10), context(tmp_path))


def test_a_number_that_is_not_finite_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Length):
        def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
            letters = pl.col("letters")
            return stored.select("key", value=pl.when(letters == 1).then(float("nan")).otherwise(1 / (letters - 2)), why="why")

    use(monkeypatch, Odd())
    found = score(stage(), corpus(5), context(tmp_path))
    assert found.rows["score:n"].to_list() == [None, None, None, 1.0, 0.5]
    assert found.nulls == {"empty": 1, "not a finite number": 2}


def column(rows: pl.DataFrame, root: Path, **settings: object) -> list[object]:
    scored = score(stage("column", reads=("column:c",), **settings), rows, context(root))
    assert not root.exists() or not list(root.iterdir())
    return scored.rows["score:n"].to_list()


def test_a_column_is_read_and_never_stored(tmp_path: Path) -> None:
    assert column(corpus(3, **{"column:c": [True, None, False]}), tmp_path, type="bool") == [True, None, False]
    assert column(corpus(2, **{"column:c": [1, 0]}), tmp_path, type="bool") == [True, False]
    assert column(corpus(3, **{"column:c": [1.5, float("nan"), None]}), tmp_path) == [1.5, None, None]
    assert column(corpus(2, **{"column:c": [3.0, 4.0]}), tmp_path, unit="tokens") == [3, 4]
    assert column(corpus(2, **{"column:c": ["a", None]}), tmp_path, type="text") == ["a", None]
    assert column(corpus(2, **{"column:c": [None, None]}), tmp_path) == [None, None]


def test_a_null_of_a_column_says_so(tmp_path: Path) -> None:
    rows = corpus(3, **{"column:c": [1.5, float("inf"), None]})
    found = score(stage("column", reads=("column:c",)), rows, context(tmp_path))
    assert found.nulls == {"no value in column `c`": 1, "not a finite number": 1}
    assert found.summary.startswith("read from the rows, 1 without a value")


@pytest.mark.parametrize(
    ("values", "settings"),
    [(["a"], {}), ([0.5], {"unit": "tokens"}), ([2], {"type": "bool"}), ([1], {"type": "text"}), ([True], {})],
)
def test_a_column_of_another_type_is_a_fault_at_the_score(
    tmp_path: Path, values: list[object], settings: dict[str, object]
) -> None:
    with pytest.raises(Fault) as raised:
        column(corpus(1, **{"column:c": values}), tmp_path, **settings)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0502" and diagnostic.primary is not None and diagnostic.primary.span == SPAN


def test_every_scorer_of_the_registry_has_what_a_scorer_has() -> None:
    for name in registry.SCORERS:
        stage = Score(id="score:s", inputs=("tag",), name="s", scorer=name, version=1, type="number", span=SPAN)
        found = registry.scorer(stage)
        assert found.name == name and registry.scorer(stage) is found
        assert all(callable(getattr(found, part)) for part in ("identity", "schema", "compute", "value"))


SLOW = f"""
import importlib.util, sys
from pathlib import Path
root = {str(Path(__file__).parents[2])!r}
spec = importlib.util.spec_from_file_location("mixc", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["mixc"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["mixc"])
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_score
from mixc.runtime import score as module
from mixc.runtime.context import Context
slow = test_score.Length(nap=0.001)
module.scorer = lambda name: slow
module.SHARD_SECONDS = 0.0
context = Context(test_score.Store(Path(sys.argv[1])), test_score.Students(), lambda event: print(event.done, flush=True))
test_score.score(test_score.stage(), test_score.corpus(1000), context)
"""


def test_a_scoring_killed_at_random_moments_ends_as_one_that_ran_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kill loses no row but those computed since the last shard of 64."""
    use(monkeypatch, Length())
    moments = random.Random(5)
    killed, known = tmp_path / "killed", 0
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", SLOW, str(killed)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(moments.randrange(1, 180)):
            process.stdout.readline()
        process.kill()
        done = [int(line) for line in process.communicate()[0].splitlines()]
        before, known = known, 1000 - pending(stage(), corpus(1000), context(killed))
        assert known - before >= max(done, default=0) - module.SHARD_ROWS
    assert 0 < known < 1000
    asked = Length()
    use(monkeypatch, asked)
    resumed = score(stage(), corpus(1000), context(killed))
    assert len(asked.asked) == 1000 - known
    through = score(stage(), corpus(1000), context(tmp_path / "through"))
    assert resumed.rows.equals(through.rows)

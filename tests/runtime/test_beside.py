"""What a scorer tells beside a value: steps and tokens, the parts of a ratio, the better end. It stands in the rows, from the store as from a run."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.plan.stages import Model, Score
from mixc.compiler.source import Span
from mixc.runtime import ranked_by
from mixc.runtime import score as module
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.ranking import valued
from mixc.runtime.scorers.base import Directed, Ratio, Stepped
from mixc.runtime.scorers.full_context import GlobalLogprob
from mixc.runtime.scorers.local import LocalLogprob
from mixc.runtime.scorers.tokens import Tokens
from mixc.runtime.steps import split
from mixc.runtime.store import Store
from mixc.tests.compiling import compile_in
from mixc.tests.project import SCORED, make_project
from mixc.tests.runtime.frames import from_store, means, score
from mixc.tests.runtime.tiny import make_tiny_student

SPAN = Span("a.mix", 0, 1)
RESPONSES = ["First, 48 / 2 = 24. Then we add them! It is 72 clips.", "", "The answer is 5", "It is so. It is so."]


def rows(responses: list[str]) -> pl.DataFrame:
    count = len(responses)
    ids = [f"r{i}" for i in range(count)]
    frame = pl.DataFrame({"row_id": ids, "prompt_id": [f"p{i // 2}" for i in range(count)], "prompt": "How many clips?", "response": responses})
    return frame.with_columns(teacher=pl.lit("t"), reason=pl.lit(None, pl.String))


@pytest.mark.parametrize("scorer", ["local_logprob", "global_logprob"])
def test_tokens_and_steps_of_a_response_stand_beside_its_score(scorer: str, tmp_path: Path) -> None:
    make_tiny_student(tmp_path / "student")
    context = Context(Store(tmp_path / "store"), Students(tmp_path / "store"))
    model = Model(student="tiny", model="student", folder=str(tmp_path), dtype="fp32", span=SPAN)
    arguments = (("window_steps", 2), ("split", "sentence"), ("debias", "none")) if scorer == "local_logprob" else ()
    stage = Score(id="score:n", inputs=(), name="n", scorer=scorer, version=1, arguments=arguments, model=model, type="number", unit="nats", span=SPAN)
    table = rows(RESPONSES)
    found = score(stage, table, context).rows
    encoded = [len(e.ids) for e in context.students.tokenizer(model).responses(RESPONSES)]
    assert found["score:n:tokens"].to_list() == [n or None for n in encoded]
    cut = [len(split(text, "sentence")) for text in RESPONSES]
    assert cut == [3, 0, 1, 2]
    assert found["score:n:steps"].to_list() == [None if not n else n if scorer == "local_logprob" else 1 for n in cut]
    assert found["score:n"].is_null().to_list() == [False, True, False, False]
    assert from_store(stage, table, context).drop("open:n").equals(found)
    assert isinstance(LocalLogprob(), Stepped) and isinstance(GlobalLogprob(), Stepped) and not isinstance(Tokens(), Stepped)


class Surprisal:
    """Letters over words: a ratio of which the low end is the better one. A response without words has no value."""

    name = "surprisal"
    reports = False
    better = "low"

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        return {"scorer": self.name}

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        return {"letters": pl.Int64(), "words": pl.Int64(), "why": pl.String()}

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        counted = [(key, len(text), len(text.split()), None if text else "empty") for key, text in rows.select("key", "response").iter_rows()]
        yield pl.DataFrame(counted, schema={"key": pl.String(), **self.schema(stage)}, orient="row")

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        return stored.select("key", pl.when(pl.col("words") > 0).then(pl.col("letters") / pl.col("words")).alias("value"), "why")

    def ratio(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        parts = (pl.when(pl.col("words") > 0).then(pl.col(name).cast(pl.Float64)).alias(part) for name, part in (("letters", "over"), ("words", "under")))
        return stored.select("key", *parts)


def test_a_ratio_of_sums_is_one_over_a_teachers_prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Surprisal()
    assert isinstance(asked, Ratio) and isinstance(asked, Directed) and not isinstance(LocalLogprob(), Ratio)
    monkeypatch.setattr(module, "scorer", lambda stage: asked)
    stage = Score(id="score:n", inputs=(), name="n", scorer="surprisal", version=1, type="number", span=SPAN)
    found = score(stage, rows(["aaaa", "bb bb bb", "", "c c"]), Context(Store(tmp_path), Students())).rows
    assert found["score:n:over"].to_list() == [4.0, 8.0, None, 3.0] and found["score:n:under"].to_list() == [1.0, 3.0, None, 2.0]
    mean = means(valued(found, "n"), "n", 1)["t"]
    assert (mean.mean, mean.prompts, mean.responses) == (((4 + 8) / 2 + 3) / ((1 + 3) / 2 + 2), 2, 3)


def test_the_better_end_is_the_scorers_then_that_of_the_selection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path, prompts=1)
    text = SCORED.replace("score length", "score other = column(count)\nscore length")
    for keep, ends in (("-length", ["low", "high"]), ("length", ["high", "high"]), ("-(length)", ["low", "high"])):
        (tmp_path / "spec.mix").write_text(text.replace("by -length", f"by {keep}"))
        plan = compile_in(tmp_path, "spec.mix").plan
        assert plan is not None
        assert [ranked_by.better(plan, name) for name in ("length", "other")] == ends
    graded = text.replace("column(good)", "verify_math(reference)")
    (tmp_path / "spec.mix").write_text(graded)
    plan = compile_in(tmp_path, "spec.mix").plan
    assert plan is not None and ranked_by.better(plan, "correct") == "high"
    monkeypatch.setattr(ranked_by, "scorer", lambda stage: Surprisal())
    assert ranked_by.better(plan, "correct") == "low"

"""Responses are asked once ever: equal questions, more samples, another run, a run that was killed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.base import Request
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Notice, Passed, Progress
from mixc.runtime.responses import FOUND, Asking, Drawn, LocalModel, Question, Said, are_stored, responses
from mixc.runtime.store import Store
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")
QUESTIONS = [Question(f"What is {i} + {i}?") for i in range(6)]
DRAWN = Asking(stage="profile", max_tokens=6, samples=3, temperature=0.7, seed=5)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("responses") / "tiny")


@dataclass
class Counted:
    """A respondent that counts what it is asked of another, and fails or dies where it is told to."""

    inner: LocalModel
    asked: list[Drawn] = field(default_factory=list)
    dies_after: int | None = None
    fails: str = ""

    @property
    def engine(self) -> str:
        return self.inner.engine

    @property
    def least(self) -> int:
        return self.inner.least

    def identity(self):
        return self.inner.identity()

    def respond(self, drawn: Sequence[Drawn], done: Callable[[int], None]) -> list[Said]:
        if self.dies_after is not None and len(self.asked) >= self.dies_after:
            raise KeyboardInterrupt
        self.asked += drawn
        said = self.inner.respond(drawn, done)
        return [Said(None, why="it timed out") if self.fails and self.fails in one.question.text else s for one, s in zip(drawn, said, strict=True)]

    def passed(self, stage: str, said: Sequence[Said], seconds: float) -> Passed | None:
        return self.inner.passed(stage, said, seconds)


def made(tiny: Path, folder: Path, events: list | None = None) -> tuple[Counted, Context]:
    context = Context(store=Store(folder), students=Students(folder), watch=(lambda e: None) if events is None else events.append)
    return Counted(LocalModel(Model(student="tiny", model=str(tiny), dtype="fp32", span=Span("a.mix", 0, 1)), context)), context


def test_they_are_what_the_engine_writes_in_the_order_of_the_questions(tiny: Path, tmp_path: Path) -> None:
    events: list = []
    who, context = made(tiny, tmp_path, events)
    found = responses(replace(DRAWN, temperature=0.0), QUESTIONS, who, context)
    assert dict(found.schema) == FOUND and found["question"].to_list() == list(range(6)) and set(found["sample"]) == {0}
    tokenizer, engine = context.students.tokenizer(who.inner.model), context.students.engine(who.inner.model)
    plain = engine.generate([Request(tokenizer.prompt(one.text), 6) for one in QUESTIONS])
    assert [(r["text"], r["tokens"], r["finished"], r["engine"]) for r in found.iter_rows(named=True)] == [
        (one.text, one.tokens, one.finished, "transformers") for one in plain
    ]
    assert [e for e in events if isinstance(e, Progress)][-1] == Progress("profile", 6, 6, "responses")
    (passed,) = [e for e in events if isinstance(e, Passed)]
    assert (passed.tokens, passed.what) == (sum(one.tokens for one in plain), "write")


def test_more_samples_and_more_questions_ask_only_what_is_new(tiny: Path, tmp_path: Path) -> None:
    who, context = made(tiny, tmp_path)
    twice = responses(replace(DRAWN, samples=2), [*QUESTIONS[:3], QUESTIONS[0]], who, context)
    assert len(who.asked) == 6, "equal questions are asked once"
    assert twice.filter(pl.col("question") == 3).drop("question").equals(twice.filter(pl.col("question") == 0).drop("question"))
    assert are_stored(DRAWN, QUESTIONS[:4], who, context).to_list() == [False] * 4
    assert are_stored(replace(DRAWN, samples=2), QUESTIONS[:4], who, context).to_list() == [True] * 3 + [False]
    found = responses(DRAWN, QUESTIONS, who, context)
    assert len(who.asked) == 18 and found.height == 18
    assert found.filter((pl.col("question") < 3) & (pl.col("sample") < 2)).equals(twice.filter(pl.col("question") < 3))
    fresh, elsewhere = made(tiny, tmp_path / "other")
    assert responses(DRAWN, QUESTIONS[::-1], fresh, elsewhere)["text"].to_list() == [
        text for i in range(5, -1, -1) for text in found.filter(pl.col("question") == i)["text"]
    ]


def test_what_they_depend_on_is_asked_anew_and_the_engine_only_where_they_are_compared(tiny: Path, tmp_path: Path) -> None:
    who, context = made(tiny, tmp_path)
    responses(DRAWN, QUESTIONS, who, context)
    for other in (replace(DRAWN, seed=6), replace(DRAWN, temperature=0.9), replace(DRAWN, max_tokens=5), replace(DRAWN, fair=True)):
        assert not are_stored(other, QUESTIONS, who, context).any()
    greedy = replace(DRAWN, temperature=0.0)
    responses(greedy, QUESTIONS, who, context)
    assert are_stored(replace(greedy, seed=9, samples=1, stage="evaluate"), QUESTIONS, who, context).all()
    assert not are_stored(greedy, [replace(one, schema='{"type": "integer"}') for one in QUESTIONS], who, context).any()


def test_a_run_that_was_killed_goes_on(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.responses.CHUNK", 5)
    monkeypatch.setattr("mixc.runtime.responses.SECONDS", 0.0)  # every chunk takes too long: none grows
    who, context = made(tiny, tmp_path)
    who.dies_after = 10
    with pytest.raises(KeyboardInterrupt):
        responses(DRAWN, QUESTIONS, who, context)
    assert len(who.asked) == 10
    again, same = made(tiny, tmp_path)
    found = responses(DRAWN, QUESTIONS, again, same)
    assert len(again.asked) == 8
    whole, other = made(tiny, tmp_path / "other")
    assert found.equals(responses(DRAWN, QUESTIONS, whole, other))


def test_what_has_no_response_says_why_and_is_asked_again(tiny: Path, tmp_path: Path) -> None:
    events: list = []
    who, context = made(tiny, tmp_path, events)
    who.fails = "3 + 3"
    found = responses(DRAWN, QUESTIONS, who, context)
    lacking = found.filter(pl.col("text").is_null())
    assert lacking["question"].unique().to_list() == [3] and set(lacking["why"]) == {"it timed out"}
    assert not any(isinstance(e, Notice) for e in events)
    who.fails, who.asked = "", []
    assert responses(DRAWN, QUESTIONS, who, context)["text"].null_count() == 0
    assert [one.question for one in who.asked] == [QUESTIONS[3]] * 3


def test_nothing_to_ask_is_asked_of_nobody(tiny: Path, tmp_path: Path) -> None:
    who, context = made(tiny, tmp_path)
    assert responses(DRAWN, [], who, context).height == 0 and who.asked == []

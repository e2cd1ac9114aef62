"""The deviation of a short number format from float32: measured as defined, once, and the same however the windows come."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mixc.cli.main import main
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime import precision
from mixc.runtime.context import Context
from mixc.runtime.engines.base import Reading, Window
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Notice
from mixc.runtime.precision import apart, deviation, recalled, sample
from mixc.runtime.store import Store
from mixc.tests.project import STUDENT, make_project
from mixc.tests.runtime.tiny import make_tiny_student


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("students") / "llama")


def model(folder: Path, dtype: str) -> Model:
    return Model(student="tiny", model=str(folder), dtype=dtype, span=Span("a.mix", 0, 1))


def windows(context: Context, asked: Model) -> list[Window]:
    tokenizer = context.students.tokenizer(asked)
    prompt, answer = tokenizer.prompt("How many clips?"), tokenizer.response("First we add 48 and 24. Then it is 72 clips! " * 6).ids
    return [Window(prompt, answer[i : i + 3 + 5 * i], min(2, i)) for i in range(9)]


def test_the_deviation_is_that_of_two_loaded_models_and_is_measured_once(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(store=Store(tmp_path), students=Students())
    asked = model(student, "bf16")
    some = windows(context, asked)
    engine, exact = context.students.engine(asked), context.students.engine(model(student, "fp32"))
    readings = {some[i]: reading for i, reading in engine.read(some)}
    found = deviation("score:x", asked, context, engine, readings)
    assert found is not None
    few = sample(some)
    truth = dict(exact.read(few))
    differences = [np.abs(readings[w].logprob.astype(float) - truth[i].logprob.astype(float)) for i, w in enumerate(few)]
    means = [abs(readings[w].logprob.astype(float).mean() - truth[i].logprob.astype(float).mean()) for i, w in enumerate(few)]
    assert (found.windows, found.tokens) == (len(few), sum(w.scored for w in few))
    assert 0 < found.token_mean == pytest.approx(np.concatenate(differences).mean(), abs=1e-4)
    assert found.token_most == pytest.approx(max(d.max() for d in differences), abs=1e-4)
    assert found.window_mean == pytest.approx(np.mean(means), abs=1e-4)
    assert found.window_most == pytest.approx(max(means), abs=1e-4)

    def never(_: Model) -> None:
        raise AssertionError("it was measured before")

    monkeypatch.setattr(context.students, "exact", never)
    assert deviation("score:x", asked, context, engine, readings) == found
    with (tmp_path / precision.FILE).open("a") as kept:
        kept.write('{"cut short')
    assert deviation("score:x", asked, context, engine, readings) == found


def test_nothing_is_measured_of_float32_of_no_window_or_without_room(student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(store=Store(tmp_path), students=Students())
    asked = model(student, "bf16")
    engine = context.students.engine(asked)
    one = {Window((1, 2), (3, 4), 0): Reading(np.array([-1.0, -2.0], dtype=np.float32))}
    assert deviation("score:x", model(student, "fp32"), context, engine, one) is None
    assert deviation("score:x", asked, context, engine, {}) is None
    monkeypatch.setattr(precision, "free_bytes", lambda _: 1_000)
    assert deviation("score:x", asked, context, engine, one) is None
    assert not (tmp_path / precision.FILE).exists()


def test_a_sample_is_the_same_in_any_order_and_spread_over_lengths() -> None:
    every = [Window((1,) * p, tuple(range(n)), 0) for p in (3, 9) for n in range(1, 150)]
    few = sample(every)
    random.Random(1).shuffle(every)
    assert sample(every) == few and len(few) == precision.WINDOWS
    assert few[0].length == min(w.length for w in every) and few[-1].length == max(w.length for w in every)
    assert sum(w.length for w in few) <= precision.TOKENS
    assert len(sample([Window((), tuple(range(9_999)), 1)])) == 1


def test_apart_is_in_nats() -> None:
    one, other = np.array([-1.0, -2.0, -3.0], dtype=np.float32), np.array([-1.5, -1.75, -3.0], dtype=np.float32)
    assert apart([(one, other), (one, one)]) == {
        "windows": 2, "tokens": 6, "token_mean": 0.125, "token_most": 0.5, "window_mean": pytest.approx(0.25 / 6, abs=1e-6),
        "window_most": pytest.approx(0.25 / 3, abs=1e-6),
    }  # fmt: skip


def test_a_measurement_that_cannot_be_made_is_a_notice_and_a_line_that_lacks_a_number_is_none(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    context = Context(store=Store(tmp_path), students=Students(), watch=said.append)
    asked = model(student, "bf16")
    engine = context.students.engine(asked)
    readings = {Window((1, 2), (3, 4, 5), 0): Reading(np.array([-1.0, -2.0, -3.0], dtype=np.float32))}

    def full(_: Model) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(context.students, "exact", full)
        assert deviation("score:x", asked, context, engine, readings) is None
    (notice,) = said
    assert isinstance(notice, Notice) and "does not fit in memory" in notice.message
    measured = deviation("score:x", asked, context, engine, readings)
    assert measured is not None and recalled("score:x", asked, context) == [measured]
    kept = tmp_path / precision.FILE
    half = {name: value for name, value in json.loads(kept.read_text()).items() if name != "tokens"}
    kept.write_text(kept.read_text() + json.dumps(half) + "\n[]\n")
    assert recalled("score:x", asked, context) == [measured]
    assert recalled("score:x", model(student, "fp32"), context) == []


def test_a_build_of_scores_that_are_all_in_the_store_says_how_far_they_are_from_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path)
    make_tiny_student(tmp_path / "tiny")
    (tmp_path / "whole.mix").write_text(STUDENT.partition("train tiny")[0].replace("dtype fp32", "dtype bf16"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)

    def built(out: str) -> dict:
        assert main(["-q", "build", "whole.mix", "--out", out]) == 0
        return json.loads((tmp_path / out / "manifest.json").read_text())

    first, again = built("first"), built("again")
    assert first["counts"]["scores"]["naturalness"]["computed"] > 0 == again["counts"]["scores"]["naturalness"]["computed"]
    assert {stage["tokens"] for stage in again["stages"]} == {0}
    assert first["precision"] and again["precision"] == first["precision"]
    assert {one["dtype"] for one in again["precision"]} == {"bf16"} and all(one["token_mean"] > 0 for one in again["precision"])

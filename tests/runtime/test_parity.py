"""Values of another engine are taken only where a sample of them agrees with transformers; a shift, a stale value, a wrong rank is caught."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model, Score
from mixc.compiler.source import Source, Span
from mixc.runtime.context import Context
from mixc.runtime.engines.base import ENTROPY, LOGPROB, RANK, Engine, Reading, Window
from mixc.runtime.engines.checked import Checked
from mixc.runtime.engines.parity import LIMITS, TOKENS, WINDOWS, Agreement, compare, sample
from mixc.runtime.engines.students import Students
from mixc.runtime.packing import pack, tokens
from mixc.runtime.store import Store
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.frames import score
from mixc.tests.runtime.tiny import make_tiny_student

SPEC = Source("natural.mix", 'student tiny {\n  model "tiny"\n}\n')
SPAN = Span("natural.mix", 23, 29)
Change = Callable[[Reading], Reading]


class Other:
    """An engine that reads as another does and changes what it tells."""

    name, device = "vllm", "cpu"
    tells = frozenset({LOGPROB, RANK})

    def __init__(self, engine: Engine, change: Change = lambda reading: reading) -> None:
        self.engine, self.change, self.context = engine, change, engine.context

    @property
    def tokens(self) -> int:
        return self.engine.tokens

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        for i, reading in self.engine.read(windows, also):
            yield i, self.change(reading)

    def generate(self, prompts, max_tokens, done=None):
        raise AssertionError("greedy answers are the reference's")


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> tuple[Students, Model]:
    folder = make_tiny_student(tmp_path_factory.mktemp("parity") / "tiny")
    return Students(), Model(student="tiny", model=str(folder), dtype="fp32", span=SPAN)


@pytest.fixture
def engine(students: tuple[Students, Model]) -> Engine:
    return students[0].engine(students[1])


def windows(count: int = 40) -> list[Window]:
    numbers = np.random.default_rng(7)
    return [
        Window(tuple(numbers.integers(3, 390, 20 + i // 8).tolist()), tuple(numbers.integers(3, 390, 1 + 3 * i).tolist()), 0) for i in range(count)
    ]


def checked(students: tuple[Students, Model], fast: Engine, dtype: str = "fp32") -> tuple[Checked, list[Agreement | str]]:
    heard: list[Agreement | str] = []
    return Checked(fast, lambda: students[0].engine(students[1]), students[0].files(students[1]), dtype, heard.append, heard.append), heard


def test_a_sample_is_the_same_for_the_same_windows_spread_over_their_lengths_and_bounded() -> None:
    asked = windows()
    chosen = sample(asked)
    assert len(chosen) == len(set(chosen)) == WINDOWS
    lengths = sorted(asked[i].length for i in chosen)
    assert lengths[0] < 30 and lengths[-1] > 120
    turned = list(reversed(asked))
    assert {asked[i] for i in chosen} == {turned[i] for i in sample(turned)}
    long = [Window((5,) * 10, (7,) * TOKENS, 0)] * 3
    assert len(sample(long)) == 1
    assert len(sample([*asked, *long])) >= WINDOWS - 2
    assert len(sample(asked[:3])) == 3
    assert sample([]) == []


def test_engines_that_agree_are_told_of_once_and_their_values_are_those_of_the_fast_one(students: tuple[Students, Model], engine: Engine) -> None:
    exact, heard = checked(students, Other(engine, lambda r: replace(r, logprob=r.logprob + np.float32(1e-4))))
    asked = windows(20)
    found, plain = dict(exact.read(asked)), dict(engine.read(asked))
    assert all(found[i].logprob.tolist() == (plain[i].logprob + np.float32(1e-4)).tolist() for i in plain)
    (agreement,) = heard
    assert isinstance(agreement, Agreement)
    assert agreement.step == pytest.approx(1e-4, rel=0.05) and agreement.score == pytest.approx(1e-4, rel=0.05)
    assert (agreement.windows, agreement.ranks, exact.name) == (WINDOWS, None, "vllm") and agreement.seconds > 0
    assert exact.tokens == tokens(pack(asked)), "what is read to compare is not what was asked for"
    list(exact.read(asked))
    assert len(heard) == 1 and exact.tokens == 2 * tokens(pack(asked))


@pytest.mark.parametrize("dtype", list(LIMITS))
def test_a_shift_beyond_the_limit_is_refused_before_a_value_is_told(students: tuple[Students, Model], engine: Engine, dtype: str, golden) -> None:
    shift = LIMITS[dtype][1] * 1.1
    wrong, heard = checked(students, Other(engine, lambda r: replace(r, logprob=r.logprob - np.float32(shift))), dtype)
    told = []
    with pytest.raises(Fault) as raised:
        told += wrong.read(windows())
    assert told == heard == []
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0520" and "--engine transformers" in (diagnostic.help or "")
    if dtype == "bf16":
        golden(RUN / "MIX0520.txt", drawn(raised.value.diagnostics, [SPEC]))


def test_one_window_that_is_stale_is_enough(students: tuple[Students, Model], engine: Engine) -> None:
    asked = windows(WINDOWS)
    stale = asked[9].scored

    def change(reading: Reading) -> Reading:
        return reading if reading.logprob.size != stale else replace(reading, logprob=reading.logprob[::-1] * np.float32(1.1))

    with pytest.raises(Fault, match="do not agree"):
        list(checked(students, Other(engine, change), "bf16")[0].read(asked))


def test_the_row_and_the_prompt_where_they_are_furthest_apart_are_named(
    students: tuple[Students, Model], engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(reading: Reading) -> Reading:
        return replace(reading, logprob=reading.logprob - np.float32(0.5 if reading.logprob.size > 20 else 0.01))

    here, asked = students
    wrong = Checked(Other(engine, change), lambda: engine, here.files(asked), "fp32", print, print)
    monkeypatch.setattr(here, "engine", lambda _: wrong)
    stage = Score(
        id="score:flow", inputs=(), name="flow", scorer="global_logprob", version=1, model=asked, type="number", unit="nats/token", span=SPAN
    )
    texts = ["Two.", "We add 48 and 24 and then we look at what we have: it is 72 clips in all.", "It is 4."]
    rows = pl.DataFrame({"row_id": ["a", "b", "c"], "prompt": ["How many?", f"How many\n{'clips ' * 40}?", "And now?"], "response": texts, "reason": [None] * 3})
    with pytest.raises(Fault) as raised:
        score(stage, rows.cast({"reason": pl.String}), Context(Store(tmp_path), here))
    (told,) = raised.value.diagnostics
    shown = f"How many {'clips ' * 40}?"
    assert told.code == "MIX0520" and told.notes[0] == f'they are furthest apart in row `b`, an answer to "{shown[:79]}…"'


def test_what_is_not_a_number_is_not_let_pass(students: tuple[Students, Model], engine: Engine) -> None:
    broken = Other(engine, lambda r: replace(r, logprob=np.full_like(r.logprob, np.nan)))
    with pytest.raises(Fault, match="do not agree"):
        list(checked(students, broken)[0].read(windows(5)))


def test_ranks_are_compared_when_they_are_asked_for(students: tuple[Students, Model], engine: Engine) -> None:
    off = Other(engine, lambda r: r if r.rank is None else replace(r, rank=r.rank * 2))
    reader, heard = checked(students, off)
    list(reader.read(windows(10)))
    with pytest.raises(Fault, match="do not agree"):
        list(reader.read(windows(10), frozenset({RANK})))
    fine, heard = checked(students, Other(engine))
    list(fine.read(windows(10), frozenset({RANK})))
    assert [one.ranks for one in heard if isinstance(one, Agreement)] == [0.0]


def test_what_the_fast_engine_cannot_tell_is_the_references_and_that_is_said(students: tuple[Students, Model], engine: Engine) -> None:
    reader, heard = checked(students, Other(engine, lambda r: replace(r, logprob=r.logprob - 9)))
    assert reader.tells == {LOGPROB, RANK, ENTROPY}
    asked = windows(6)
    found, plain = dict(reader.read(asked, frozenset({ENTROPY}))), dict(engine.read(asked, frozenset({ENTROPY})))
    assert all(np.array_equal(found[i].entropy, plain[i].entropy) and np.array_equal(found[i].logprob, plain[i].logprob) for i in plain)
    assert reader.name == "transformers"
    (said,) = heard
    assert isinstance(said, str) and "entropy" in said and "`transformers`" in said


def test_a_short_window_is_held_to_as_much_as_one_of_eight_tokens(students: tuple[Students, Model]) -> None:
    files = students[0].files(students[1])
    asked = [Window((5, 6), (7,), 0)] * 3 + [Window((5, 6), (7,) * 400, 0)]
    plain = {i: Reading(np.full(w.scored, -2.0, np.float32)) for i, w in enumerate(asked)}
    moved = plain | {1: Reading(np.array([-2.5], np.float32))}
    agreement = compare(asked, moved, plain, ("vllm", "transformers"), files, "bf16")
    assert (agreement.step, agreement.token) == (0.5 / 8, 0.5)
    far = plain | {1: Reading(np.array([-3.0], np.float32))}
    with pytest.raises(Fault):
        compare(asked, far, plain, ("vllm", "transformers"), files, "bf16")


def test_every_dtype_of_the_language_has_its_limits() -> None:
    from mixc.runtime.engines.load import DTYPES

    assert set(LIMITS) == set(DTYPES)

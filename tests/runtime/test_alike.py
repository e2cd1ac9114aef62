"""What another engine writes is taken only where its greedy answers part from the reference's at a tie."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.alike import ANSWERS, TOKENS, Alike, beginnings
from mixc.runtime.engines.base import LOGPROB, Engine, Generated, Reading, Request, Window
from mixc.runtime.engines.checked import Checked
from mixc.runtime.engines.students import Students
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")
Change = Callable[[Generated], Generated]


class Writer:
    """An engine that writes as another does, changed."""

    name, device, tells = "vllm", "cpu", frozenset({LOGPROB})

    def __init__(self, engine: Engine, change: Change = lambda made: made) -> None:
        self.engine, self.change, self.context = engine, change, engine.context

    @property
    def tokens(self) -> int:
        return self.engine.tokens

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        yield from self.engine.read(windows, also)

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        return [self.change(one) for one in self.engine.generate(requests, done)]

    def end(self) -> None:
        pass


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> tuple[Students, Model]:
    folder = make_tiny_student(tmp_path_factory.mktemp("alike") / "tiny")
    return Students(), Model(student="tiny", model=str(folder), dtype="fp32", span=Span("natural.mix", 23, 29))


def checked(student: tuple[Students, Model], change: Change, dtype: str = "fp32") -> tuple[Checked, list[object]]:
    students, model = student
    heard: list[object] = []
    engine = students.engine(model)
    stops = students.tokenizer(model).stops
    return Checked(Writer(engine, change), lambda: engine, students.files(model), dtype, heard.append, heard.append, stops), heard


REQUESTS = [Request((5, 6, 7 + i), 40, 0.7, seed=i) for i in range(9)]


def test_a_sample_is_greedy_short_and_of_every_length() -> None:
    asked = [Request((5,) * (1 + i), 400 if i % 2 else 8, 0.9, seed=i) for i in range(40)]
    chosen = beginnings(asked)
    assert len(chosen) == ANSWERS and len({len(one.prompt) for one in chosen}) == ANSWERS
    assert all(one.temperature == 0 and one.max_tokens <= TOKENS for one in chosen)
    assert beginnings(asked[::-1]) == chosen
    assert len(beginnings(asked[:2])) == 2


def test_an_engine_that_writes_alike_is_told_of_once_and_writes(student: tuple[Students, Model]) -> None:
    reader, heard = checked(student, lambda made: made)
    assert reader.generate(REQUESTS) == reader.generate(REQUESTS) == student[0].engine(student[1]).generate(REQUESTS)
    (told,) = heard
    assert isinstance(told, Alike) and (told.answers, told.equal, told.gap, reader.name) == (ANSWERS, ANSWERS, 0.0, "vllm")
    assert "4 of 4 greedy beginnings" in str(told)


@pytest.mark.parametrize(
    "change",
    [
        lambda made: replace(made, ids=(*made.ids[:2], (made.ids[2] + 1) % 390, *made.ids[3:])),
        lambda made: replace(made, ids=(), finished=True),
        lambda made: replace(made, ids=made.ids[:3], finished=True),
    ],
    ids=["another token", "ends at once", "ends early"],
)
def test_one_that_takes_what_is_improbable_is_refused(student: tuple[Students, Model], change: Change) -> None:
    reader, heard = checked(student, change)
    with pytest.raises(Fault) as raised:
        reader.generate(REQUESTS)
    (told,) = raised.value.diagnostics
    assert (told.code, heard) == ("MIX0520", [])
    assert told.primary is not None and "--engine" in (told.help or "") and "they part after" in told.notes[0]

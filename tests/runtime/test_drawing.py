"""What is drawn is drawn from the softmax at its temperature, by its own seed, whatever batch it is in; what has a schema satisfies it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.plan.stages import Model
from mixc.compiler.source import Span
from mixc.runtime.engines.base import Request
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.transformers import TransformersEngine
from mixc.tests.runtime.tiny import make_tiny_student

torch = pytest.importorskip("torch")
NAMES = ["Algebra", "Geometry", "Number theory", 'a "quoted" one', "déjà vu"]
SCHEMA = json.dumps({"type": "array", "items": {"enum": NAMES}, "maxItems": 3})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TransformersEngine:
    folder = make_tiny_student(tmp_path_factory.mktemp("drawing") / "tiny")
    made = Students().engine(Model(student="tiny", model=str(folder), dtype="fp32", span=Span("a.mix", 0, 1)))
    assert isinstance(made, TransformersEngine)
    return made


def test_a_token_is_drawn_from_the_softmax_at_its_temperature(engine: TransformersEngine) -> None:
    prompt, draws, temperature = (5, 6, 7), 4_000, 1.5
    with torch.no_grad():
        expected = torch.softmax(engine.model(torch.tensor([prompt])).logits[0, -1].double() / temperature, -1)
    made = engine.generate([Request(prompt, 1, temperature, seed) for seed in range(draws)])
    stops = set(engine.tokenizer.stops())
    counts = torch.zeros(len(expected), dtype=torch.double)
    for one in made:
        if one.ids:
            counts[one.ids[0]] += 1
    keep = torch.tensor([i not in stops for i in range(len(expected))])
    ended = draws - counts.sum()
    # Pearson's statistic over tokens that are expected ten times, the rest and the ends together.
    often = keep & (expected * draws >= 10)
    rest = draws * expected[keep & ~often].sum(), counts[keep & ~often].sum()
    cells = [*zip((expected[often] * draws).tolist(), counts[often].tolist(), strict=True), (float(rest[0]), float(rest[1]))]
    cells.append((float(draws * expected[~keep].sum()), float(ended)))
    statistic = sum((found - wanted) ** 2 / wanted for wanted, found in cells if wanted)
    freedom = len(cells) - 1
    assert freedom > 10
    assert abs(statistic - freedom) < 5 * (2 * freedom) ** 0.5


def test_what_is_drawn_does_not_depend_on_the_batch_and_greedy_ones_are_not_touched_by_it(engine: TransformersEngine) -> None:
    requests = [Request((5, 6, 7 + i), 12, temperature, seed=i) for i in range(5) for temperature in (0.0, 0.8)]
    together = engine.generate(requests)
    assert together == [engine.generate([one])[0] for one in requests]
    assert together[::-1] == engine.generate(requests[::-1])
    greedy = [replace(one, temperature=0.0) for one in requests]
    assert [one for one, r in zip(together, requests, strict=True) if not r.temperature] == engine.generate(greedy)[::2]
    drawn = [one for one, r in zip(together, requests, strict=True) if r.temperature]
    assert drawn != [engine.generate([replace(r, seed=r.seed + 100)])[0] for r in requests if r.temperature]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_response_satisfies_its_schema_beside_others_that_have_none(engine: TransformersEngine, temperature: float) -> None:
    requests = [Request((5, 6, 7 + i), 200, temperature, seed=i, schema=SCHEMA if i % 2 else None) for i in range(6)]
    made = engine.generate(requests)
    assert made == [engine.generate([one])[0] for one in requests]
    for one, request in zip(made, requests, strict=True):
        if request.schema is None:
            continue
        assert one.finished
        names = json.loads(one.text)
        assert len(names) <= 3 and set(names) <= set(NAMES)
    if temperature:
        plain = engine.generate([replace(one, schema=None) for one in requests])
        assert [p for p, r in zip(plain, requests, strict=True) if not r.schema] == [m for m, r in zip(made, requests, strict=True) if not r.schema]


def test_an_engine_that_has_ended_is_loaded_anew(tmp_path: Path) -> None:
    folder = make_tiny_student(tmp_path / "tiny")
    students, model = Students(), Model(student="tiny", model=str(folder), dtype="fp32", span=Span("a.mix", 0, 1))
    first = students.engine(model)
    before = first.generate([Request((5, 6), 4)])
    students.release(model)
    assert students.loaded(model) is None
    assert students.engine(model) is not first and students.engine(model).generate([Request((5, 6), 4)]) == before

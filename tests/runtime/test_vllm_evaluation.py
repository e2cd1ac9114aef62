"""Benchmarks by the real vLLM: greedy answers are those of transformers, sampled ones are drawn by their own seeds, each arm is asked by a model of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.plan.stages import Arm, Benchmark, Evaluate, Model
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.students import Students
from mixc.runtime.evaluate import Evaluation, Trained, evaluate
from mixc.runtime.store import Store
from mixc.tests.runtime.tiny import make_tiny_student

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
SPAN = Span("a.mix", 10, 20)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


def test_vllm_answers_as_transformers_does(tmp_path: Path) -> None:
    before, after = (make_tiny_student(tmp_path / name, arch="wide", seed=seed) for name, seed in (("before", 0), ("after", 1)))
    records = [{"id": f"b{n}", "problem": f"A box holds {n} pens and {n + 3} more, how many is that?", "answer": str(2 * n + 3)} for n in range(6)]
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    rows = pl.DataFrame({"row_id": [f"{n:032x}" for n in range(4)], "prompt": [f"What is {n}?" for n in range(4)], "response": ["It is so. " * (n + 1) for n in range(4)]})
    stage = Evaluate(
        id="evaluate", inputs=(), model=Model(student="tiny", model=str(before), dtype="fp32", span=SPAN), max_tokens=12, seed=3, span=SPAN,
        benchmarks=(Benchmark(name="sums", path=str(tmp_path / "bench.jsonl"), samples=2, span=SPAN),),
        arms=(Arm(name="after", recipe="recipe", seed=3, span=SPAN),),
    )  # fmt: skip

    def by(engine: str, temperature: float) -> Evaluation:
        students = Students(tmp_path / engine, choice=Choice(engine))
        made = Evaluate(**{name: getattr(stage, name) for name in stage.__dataclass_fields__} | {"temperature": temperature})
        arms = [Trained("after", "recipe", 3, "model", after)]
        return evaluate(made, rows, arms, Context(store=Store(tmp_path / engine), students=students))

    greedy = by("vllm", 0.0)
    expected = by("transformers", 0.0)
    columns = ["arm", "benchmark", "id", "sample", "text", "finished", "correct"]
    assert greedy.items.select(columns).equals(expected.items.select(columns))
    assert greedy.items["nll"].to_list() == pytest.approx(expected.items["nll"].to_list(), abs=1e-3)
    assert greedy.items.filter(benchmark="sums").height == 12, "at temperature 0 one answer is all there is"
    texts = {arm: greedy.items.filter(benchmark="sums", arm=arm)["text"].to_list() for arm in ("before", "after")}
    assert texts["before"] != texts["after"]
    drawn = by("vllm", 0.9)
    sampled = drawn.items.filter(benchmark="sums")
    assert sampled.height == 24 and drawn.benchmarks["sums"]["after"].samples == 2
    assert sampled.filter(sample=0)["text"].to_list() != sampled.filter(sample=1)["text"].to_list()

"""The log-probability scores are the published definitions, whatever the batch, and their identities hold."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.compiler.plan.stages import Model, Score
from mixc.compiler.source import Span
from mixc.runtime import chunks
from mixc.runtime.chunks import in_chunks
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.engines.transformers import TransformersEngine
from mixc.runtime.events import Event, Progress
from mixc.runtime.scorers import local as module
from mixc.runtime.scorers.base import Aside
from mixc.runtime.scorers.full_context import GlobalLogprob
from mixc.runtime.scorers.local import LocalLogprob
from mixc.runtime.scorers.tokens import Tokens
from mixc.runtime.steps import split
from mixc.runtime.store import Store
from mixc.tests.runtime import reference
from mixc.tests.runtime.tiny import make_tiny_student

SPAN = Span("a.mix", 0, 1)
RESPONSES = {
    "one": "Twenty four clips in all",
    "steps": "First, 48 / 2 = 24. Then we add! Is 48 + 24 = 72?\nIt is 72 clips. Naïve 日本 😀 text. Done here.\n\n#### 72",
    "short": "Ok. 1. So x = 5. No. Yes it is. Go on now. We see. The end is near. It is 4.",
    "same": "Add them. Add them. Add them. Add them.",
}


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Model]:
    root = tmp_path_factory.mktemp("world")
    make_tiny_student(root / "student", arch=request.param, context=256)
    return context(root), Model(student="tiny", model="student", folder=str(root), dtype="fp32", span=SPAN)


def context(root: Path) -> Context:
    return Context(Store(root / "store"), Students(root / "store"))


def stage(model: Model, scorer: str, reads: tuple[str, ...] = (), **arguments: Any) -> Score:
    given = {"window_steps": 4, "split": "sentence", "debias": "none"} if scorer == "local_logprob" else {}
    if "window_percent" in arguments:
        del given["window_steps"]
    return Score(
        id="score:n", inputs=(), name="n", scorer=scorer, version=1, arguments=tuple({**given, **arguments}.items()),
        model=model, reads=reads, type="number", unit="nats", span=SPAN,
    )  # fmt: skip


def rows(responses: dict[str, str]) -> pl.DataFrame:
    prompts = [f"How many clips? ({key})" for key in responses]
    return pl.DataFrame(
        {"key": list(responses), "row_id": list(responses), "prompt": prompts, "response": list(responses.values())}
    )


def computed(scorer: Any, asked: Score, frame: pl.DataFrame, told: Context) -> pl.DataFrame:
    """What the scorer says of the rows, without what it says by the way."""
    return pl.concat([one for one in scorer.compute(asked, in_chunks(frame), told) if not isinstance(one, Aside)])


def steps(world: tuple[Context, Model], frame: pl.DataFrame | None = None, **arguments: Any) -> pl.DataFrame:
    table = rows(RESPONSES) if frame is None else frame
    asked = stage(world[1], "local_logprob", **arguments)
    return computed(LocalLogprob(), asked, table, world[0]).sort("key")


def local(world: tuple[Context, Model], frame: pl.DataFrame | None = None, **arguments: Any) -> dict[str, float]:
    found = LocalLogprob().value(stage(world[1], "local_logprob", **arguments), steps(world, frame, **arguments))
    return dict(found.select("key", "value").rows())


def whole(world: tuple[Context, Model], frame: pl.DataFrame | None = None) -> dict[str, float]:
    asked = stage(world[1], "global_logprob")
    stored = computed(GlobalLogprob(), asked, rows(RESPONSES) if frame is None else frame, world[0])
    return dict(GlobalLogprob().value(asked, stored).select("key", "value").rows())


def parts(world: tuple[Context, Model]) -> tuple[object, object]:
    engine = world[0].students.engine(world[1])
    assert isinstance(engine, TransformersEngine)
    return engine.model, engine.tokenizer.hf


def pieces(text: str, rule: str = "sentence") -> list[str]:
    return [text[start:end] for start, end in split(text, rule)]


@pytest.mark.parametrize(
    "arguments",
    [{"window_steps": k} for k in (0, 1, 4)] + [{"window_percent": q} for q in (1, 15, 60, 100)]
    + [{"split": "newline", "window_steps": 1}, {"split": "paragraph", "window_steps": 0}, {"debias": "drop_first"}],
)  # fmt: skip
def test_local_logprob_agrees_with_the_reference(world: tuple[Context, Model], arguments: dict) -> None:
    model, tokenizer = parts(world)
    found = local(world, **arguments)
    for key, text in RESPONSES.items():
        expected = reference.local_logprob(
            model, tokenizer, f"How many clips? ({key})", text, pieces(text, arguments.get("split", "sentence")),
            window=None if "window_percent" in arguments else arguments.get("window_steps", 4),
            percent=arguments.get("window_percent"), drop_first="debias" in arguments,
        )  # fmt: skip
        assert found[key] == pytest.approx(expected, abs=1e-4), (key, arguments)


def test_global_logprob_agrees_with_the_reference(world: tuple[Context, Model]) -> None:
    model, tokenizer = parts(world)
    found = whole(world)
    for key, text in RESPONSES.items():
        assert found[key] == pytest.approx(
            reference.global_logprob(model, tokenizer, f"How many clips? ({key})", text), abs=1e-4
        )


def test_one_step_is_the_global_score_whatever_the_window(world: tuple[Context, Model]) -> None:
    cases: list[dict[str, Any]] = [{"window_steps": 0}, {"window_steps": 9}, {"window_percent": 5}]
    for arguments in cases:
        assert local(world, **arguments)["one"] == pytest.approx(whole(world)["one"], abs=1e-5)


def test_a_window_over_all_steps_with_token_weights_is_the_global_score(world: tuple[Context, Model]) -> None:
    cases: list[dict[str, Any]] = [{"window_steps": 20}, {"window_percent": 100}]
    for arguments in cases:
        table = steps(world, **arguments)
        weighted = table.select("key", pl.col("step_logprob").list.sum() / pl.col("step_tokens").list.sum())
        assert dict(weighted.rows()) == pytest.approx(whole(world), abs=1e-5)


def test_another_window_changes_only_the_steps_that_see_it(world: tuple[Context, Model]) -> None:
    for first, second in ((0, 1), (1, 3), (2, 20)):
        one, two = steps(world, window_steps=first), steps(world, window_steps=second)
        for a, b in zip(one.iter_rows(named=True), two.iter_rows(named=True), strict=True):
            changed = [abs(x - y) > 1e-4 for x, y in zip(a["step_logprob"], b["step_logprob"], strict=True)]
            assert not any(changed[: min(first, second) + 1])
            assert all(changed[min(first, second) + 1 :])
            assert a["step_tokens"] == b["step_tokens"]


def test_batches_chunks_and_row_order_change_no_score(
    world: tuple[Context, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = local(world)
    engine = world[0].students.engine(world[1])
    monkeypatch.setattr(engine, "budget", 1)
    monkeypatch.setattr(chunks, "ROWS", 1)
    assert local(world, rows(RESPONSES).reverse()) == pytest.approx(expected, abs=1e-5)


def test_the_step_table_holds_tokens_context_and_first_token(world: tuple[Context, Model]) -> None:
    model, tokenizer = parts(world)
    table = {row["key"]: row for row in steps(world, window_steps=1).iter_rows(named=True)}["steps"]
    text = RESPONSES["steps"]
    groups = reference.token_steps(tokenizer, text, pieces(text))
    asked = world[0].students.tokenizer(world[1]).prompt("How many clips? (steps)")
    sizes = [len(group) for group in groups]
    assert table["step_tokens"] == sizes and len(sizes) > 5
    assert table["step_context"] == [len(asked) + (sizes[i - 1] if i else 0) for i in range(len(sizes))]
    seen = [min(1, i) for i in range(len(sizes))]
    exact = reference.step_logprobs(model, list(asked), groups, seen)
    assert table["step_first"] == pytest.approx([step[0] for step in exact], abs=1e-4)
    assert table["step_logprob"] == pytest.approx([sum(step) for step in exact], abs=1e-4)


def test_drop_first_leaves_out_steps_of_one_token_and_is_null_where_none_is_left(
    world: tuple[Context, Model],
) -> None:
    asked = stage(world[1], "local_logprob", debias="drop_first")
    lists = {"step_tokens": [[3, 1, 2], [1]], "step_logprob": [[-4.0, -9.0, -3.0], [-1.0]], "step_context": [[1] * 3, [1]]}
    stored = pl.DataFrame(
        {"key": ["a", "b"], "why": [None, None], **lists, "step_first": [[-2.0, -9.0, -1.0], [-1.0]]},
        schema={"key": pl.String(), **module.SCHEMA},
    )
    found = LocalLogprob().value(asked, stored)
    assert found.rows() == [("a", pytest.approx(-1.5), None), ("b", None, "every step is a single token")]


def test_a_score_that_needs_more_than_the_context_is_null_and_its_neighbours_are_not(
    world: tuple[Context, Model],
) -> None:
    long = {"long": "We add them all up now. " * 40, "fits": "We add them."}
    frame = rows(long)
    limit, tokenizer = 256, world[0].students.tokenizer(world[1])
    needed = len(tokenizer.prompt("How many clips? (long)")) + len(tokenizer.response(long["long"]).ids)
    asked = stage(world[1], "global_logprob")
    found = GlobalLogprob().value(asked, computed(GlobalLogprob(), asked, frame, world[0]))
    values = {key: (value, why) for key, value, why in found.rows()}
    assert values["long"] == (None, f"needs {needed:,} tokens, the model's context is {limit}")
    assert values["fits"][0] is not None and values["fits"][1] is None
    assert local(world, frame)["long"] is not None  # no pass of its own is longer than the context
    assert local(world, frame, window_steps=40)["long"] is None


def test_a_response_without_tokens_has_no_score_and_a_reason(world: tuple[Context, Model]) -> None:
    frame = rows({"empty": "", "blank": " \n "})
    for scorer in (LocalLogprob(), GlobalLogprob()):
        asked = stage(world[1], scorer.name)
        stored = computed(scorer, asked, frame, world[0])
        assert stored.schema == {"key": pl.String(), **scorer.schema(asked)}
        assert sorted(scorer.value(asked, stored).rows()) == [("blank", None, "no tokens"), ("empty", None, "no tokens")]


def test_given_steps_are_used_or_say_why_not(world: tuple[Context, Model]) -> None:
    text = "We add. Then 5."
    frame = rows({"a": text, "b": text, "c": text}).with_columns(
        pl.Series("column:cut", [["We add", ". Then 5."], ["We add"], None], dtype=pl.List(pl.String))
    )
    asked = stage(world[1], "local_logprob", ("column:cut",), split="given:cut", window_steps=0)
    found = {r["key"]: r for r in computed(LocalLogprob(), asked, frame, world[0]).iter_rows(named=True)}
    model, tokenizer = parts(world)
    expected = reference.local_logprob(model, tokenizer, "How many clips? (a)", text, ["We add", ". Then 5."], window=0)
    value = LocalLogprob().value(asked, pl.DataFrame([found["a"]], schema={"key": pl.String(), **module.SCHEMA}))
    assert value["value"].item() == pytest.approx(expected, abs=1e-4)
    assert found["b"]["why"] == "the given steps end before the response does, at character 6"
    assert found["c"]["why"] == "no steps are given"


def test_progress_ends_at_the_tokens_that_were_announced(world: tuple[Context, Model]) -> None:
    heard: list[Event] = []
    watched = Context(world[0].store, world[0].students, heard.append)
    steps((watched, world[1]), window_steps=0)
    bars = [event for event in heard if isinstance(event, Progress)]
    assert {bar.unit for bar in bars} == {"tokens"} and len({bar.total for bar in bars}) == 1
    assert bars[-1].done == bars[-1].total and [b.done for b in bars] == sorted(b.done for b in bars)


def test_the_fingerprint_holds_what_the_values_depend_on_and_no_more(world: tuple[Context, Model]) -> None:
    def identity(**arguments: Any) -> dict[str, object]:
        return LocalLogprob().identity(stage(world[1], "local_logprob", **arguments), world[0])

    base = identity()
    assert identity(debias="drop_first") == base
    for changed in ({"window_steps": 3}, {"window_percent": 4}, {"split": "newline"}):
        assert identity(**changed) != base
    bf16 = Model(student="tiny", model="student", folder=world[1].folder, dtype="bf16", span=SPAN)
    assert LocalLogprob().identity(stage(bf16, "local_logprob"), world[0]) != base
    assert Tokens().identity(stage(bf16, "tokens"), world[0]) == Tokens().identity(stage(world[1], "tokens"), world[0])


def test_tokens_counts_the_response_alone(world: tuple[Context, Model]) -> None:
    asked = stage(world[1], "tokens")
    stored = pl.concat(list(Tokens().compute(asked, rows(RESPONSES | {"none": ""}), world[0])))
    assert stored.schema == {"key": pl.String(), **Tokens().schema(asked)}
    found = {key: value for key, value, _ in Tokens().value(asked, stored).rows()}
    hf = world[0].students.tokenizer(world[1]).hf
    assert found == {k: len(hf(t, add_special_tokens=False)["input_ids"]) for k, t in (RESPONSES | {"none": ""}).items()}


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, Model]]:
    root = Path(__file__).parents[2]
    name = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
    yield (
        context(tmp_path_factory.mktemp("smollm2")),
        Model(student="smollm2", model=name, folder=str(root), dtype="fp32", span=SPAN),
    )


@pytest.mark.student
@pytest.mark.shared
@pytest.mark.slow
def test_scores_of_real_responses_agree_with_the_reference(smollm2: tuple[Context, Model]) -> None:
    shared = Path(os.environ.get("MIXC_SHARED", Path(__file__).parents[3] / "shared" / "data"))
    data = pl.read_parquet(shared / "teachers.parquet", columns=["corpus", "prompt_id", "prompt", "response", "teacher"])
    short = data.filter((pl.col("corpus") == "gsm8k") & pl.col("response").str.len_chars().is_between(200, 480))
    frame = short.sort("prompt_id", "teacher").gather_every(short.height // 12).head(12).with_row_index("key")
    frame = frame.with_columns(pl.col("key").cast(pl.String)).with_columns(row_id="key")
    model, tokenizer = parts(smollm2)
    found, full = local(smollm2, frame), whole(smollm2, frame)
    for row in frame.iter_rows(named=True):
        text, prompt = row["response"], row["prompt"]
        expected = reference.local_logprob(model, tokenizer, prompt, text, pieces(text), window=4)
        assert found[row["key"]] == pytest.approx(expected, abs=1e-4)
        assert full[row["key"]] == pytest.approx(reference.global_logprob(model, tokenizer, prompt, text), abs=1e-4)

"""Benchmarks and held-out likelihood, on tiny random students and on files that are right and wrong."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Benchmark, Evaluate, Model
from mixc.compiler.source import Span
from mixc.runtime.answers import asking
from mixc.runtime.benchmarks import read_benchmark
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.evaluate import Trained, evaluate
from mixc.runtime.events import Notice
from mixc.runtime.store import Store
from mixc.tests.runtime.tiny import make_tiny_student

SPAN = Span("a.mix", 10, 20)


def make_benchmark(path: Path, records: list, **changes: object) -> Benchmark:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return replace(Benchmark(name="sums", path=str(path), span=SPAN), **changes)


def make_context(folder: Path, events: list | None = None) -> Context:
    watch = events.append if events is not None else lambda event: None
    return Context(store=Store(folder / "store"), students=Students(folder / "store"), watch=watch)


def make_stage(model: Path | None, *benchmarks: Benchmark, **changes: object) -> Evaluate:
    student = model and Model(student="tiny", model=str(model), dtype="fp32", span=SPAN)
    stage = Evaluate(
        id="evaluate", inputs=(), model=student or None, benchmarks=benchmarks, max_tokens=12, seed=3, span=SPAN
    )
    return replace(stage, **changes)


def after(folder: Path, name: str = "after", recipe: str = "recipe", seed: int = 3) -> list[Trained]:
    """One arm that was trained, its model in `folder`."""
    return [Trained(name, recipe, seed, "model" if name == "after" else f"arms/{name}", folder)]


def make_heldout(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row_id": [f"{count - number:032x}" for number in range(count)],
            "prompt": [f"What is {number} + 1?" for number in range(count)],
            "response": [f"It is {number + 1}. " * (number + 1) for number in range(count)],
        }
    )


def problem(call) -> str:
    with pytest.raises(Fault) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "MIX0511"
    assert diagnostic.primary is not None and diagnostic.primary.span == SPAN
    assert diagnostic.help
    return diagnostic.message


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    pytest.importorskip("transformers")
    return make_tiny_student(tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    pytest.importorskip("transformers")
    return make_tiny_student(tmp_path_factory.mktemp("other"), seed=1)


def test_a_benchmark_is_read_by_the_first_field_it_has(tmp_path):
    records = [
        {"id": 7, "problem": "a", "prompt": "x", "answer": "1", "reference": "y"},
        {"prompt": "b", "question": "x", "reference": 2},
        "",
        {"question": "c", "answer": 3.5},
    ]
    items = read_benchmark(make_benchmark(tmp_path / "b.jsonl", records), seed=0)
    assert [(i.id, i.problem, i.answer) for i in items] == [("7", "a", "1"), ("line 2", "b", "2"), ("line 4", "c", "3.5")]


@pytest.mark.parametrize("ids", [True, False])
def test_a_limit_takes_the_same_items_whatever_their_order_and_more_of_them_keeps_the_first(tmp_path, ids):
    records = [{"problem": f"p{n}", "answer": "1"} | ({"id": f"i{n}"} if ids else {}) for n in range(50)]

    def chosen(records: list, limit: int, seed: int = 1) -> set[str]:
        benchmark = make_benchmark(tmp_path / "b.jsonl", records, limit=limit)
        items = read_benchmark(benchmark, seed)
        assert len(items) == min(limit, 50)
        return {item.problem for item in items}

    assert chosen(records, 9) == chosen(records[::-1], 9)
    assert chosen(records, 9) < chosen(records, 20)
    assert chosen(records, 9) != chosen(records, 9, seed=2)
    assert len(chosen(records, 500)) == 50


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([{"problem": "a", "answer": "1"}, {"problem": "b", "solution": "2"}], ["line 2", "no answer"]),
        ([{"text": "a", "answer": "1"}], ["line 1", "no problem"]),
        ([{"problem": "", "answer": "1"}], ["`problem`", "line 1", "not a text"]),
        ([{"problem": "a", "answer": ["1"]}], ["`answer`", "line 1", "not a text"]),
        ([{"problem": "a", "answer": "1"}, '{"problem": '], ["line 2", "not JSON"]),
        (["[1, 2]"], ["line 1", "not a JSON object"]),
        ([{"id": "x", "problem": "a", "answer": "1"}] * 2, ["line 2", "line 1", "`x`"]),
        ([], ["no problem"]),
    ],
)
def test_a_benchmark_that_is_not_usable_is_told_by_its_line(tmp_path, records, words):
    message = problem(lambda: read_benchmark(make_benchmark(tmp_path / "b.jsonl", records), 0))
    assert all(word in message for word in words), message


def test_a_benchmark_that_is_missing_or_not_text_is_told(tmp_path):
    benchmark = Benchmark(name="b", path=str(tmp_path / "none.jsonl"), span=SPAN)
    assert "does not exist" in problem(lambda: read_benchmark(benchmark, 0))
    (tmp_path / "none.jsonl").write_bytes(b'{"problem": "a", "answer": "\xff\xfe"}\n')
    assert "line 1" in problem(lambda: read_benchmark(benchmark, 0))
    (tmp_path / "folder").mkdir()
    assert "cannot be read" in problem(lambda: read_benchmark(replace(benchmark, path=str(tmp_path / "folder")), 0))


def test_before_and_after_are_the_students_own_answers(student, other, tmp_path):
    """The expected text comes from transformers alone; the answer of one problem is made to be what it says."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    said = {}
    for name, folder in (("before", student), ("after", other)):
        model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        for text in ("1+1?", "Add 40 and 2, please."):
            ids = tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            made = model.generate(**ids, max_new_tokens=12, do_sample=False)[0, ids["input_ids"].shape[1] :]
            said[name, text] = tokenizer.decode(made, skip_special_tokens=True)
    records = [{"id": text, "problem": text, "answer": "1234567"} for text in ("1+1?", "Add 40 and 2, please.")]
    found = evaluate(
        make_stage(student, make_benchmark(tmp_path / "b.jsonl", records)), None, after(other), make_context(tmp_path)
    )
    texts = {(row["arm"], row["id"]): row["text"] for row in found.items.iter_rows(named=True)}
    assert texts == said
    for arm in ("before", "after"):
        accuracy = found.to_dict()["benchmarks"]["sums"][arm]
        assert (accuracy["accuracy"], accuracy["n"], accuracy["unknown"]) == (0.0, 2, 0)
        assert accuracy["interval"][0] == 0.0
        assert accuracy["cut"] == sum(not row["finished"] for row in found.items.filter(arm=arm).iter_rows(named=True))


def test_correct_unknown_and_cut_answers_are_counted_apart(student, tmp_path):
    """Stored answers stand in for a model that can count: they are what a run before this one would have left."""
    from mixc.runtime.responses import RESPONSES, Question, keys

    records = [{"problem": "a", "answer": "42"}, {"problem": "b", "answer": "42"}, {"problem": "c", "answer": "\\boxed{}"}]
    benchmark, context = make_benchmark(tmp_path / "b.jsonl", records), make_context(tmp_path)
    evaluate(make_stage(student, benchmark), None, (), context)
    (shelf,) = [f.parent for f in (tmp_path / "store" / "scores").glob("*/identity.json") if "responses" in f.read_text()]
    for shard in shelf.glob("*.parquet"):
        shard.unlink()
    made = pl.DataFrame(
        {
            "key": keys(asking(make_stage(student), benchmark, 3), [Question(text) for text in "abc"])["key"],
            "text": ["It is \\boxed{42}.", "It is \\boxed{41}", "It is \\boxed{42}."],
            "tokens": [5, 12, 5], "finished": [True, False, True], "engine": ["transformers"] * 3,
        },
        schema={"key": pl.String(), **RESPONSES},
    )  # fmt: skip
    context.store.shelf(shelf.name, json.loads((shelf / "identity.json").read_text())).append(made)
    found = evaluate(make_stage(student, benchmark), None, (), make_context(tmp_path))
    accuracy = found.benchmarks["sums"]["before"]
    assert (accuracy.whole.n, accuracy.whole.correct, accuracy.unknown, accuracy.cut) == (3, 1, 1, 1)
    assert found.items["correct"].to_list() == [True, False, None]
    assert found.items["why"].drop_nulls().len() == 1


def test_a_rerun_asks_no_model_and_a_larger_limit_only_what_is_new(student, tmp_path, monkeypatch):
    from mixc.runtime.engines.transformers import TransformersEngine

    asked: list[int] = []
    generate = TransformersEngine.generate

    def counting(self, prompts, *rest):
        asked.append(len(prompts))
        return generate(self, prompts, *rest)

    monkeypatch.setattr(TransformersEngine, "generate", counting)
    records = [{"problem": f"What is {n}?", "answer": "1"} for n in range(9)]
    benchmark, rows = make_benchmark(tmp_path / "b.jsonl", records, limit=4), make_heldout(3)
    first = evaluate(make_stage(student, benchmark), rows, (), make_context(tmp_path))
    assert asked == [4]
    again = evaluate(make_stage(student, benchmark), rows, (), make_context(tmp_path))
    assert asked == [4]
    assert again.to_dict() == first.to_dict()
    assert again.items.equals(first.items)
    evaluate(make_stage(student, replace(benchmark, limit=9)), rows, (), make_context(tmp_path))
    assert asked == [4, 5]
    evaluate(make_stage(student, benchmark, max_tokens=3), rows, (), make_context(tmp_path))
    assert asked == [4, 5, 4]


def test_heldout_nll_is_the_mean_over_rows_of_the_mean_over_response_tokens(student, other, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = make_heldout(4)
    expected = {}
    for arm, folder in (("before", student), ("after", other)):
        model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
        found = []
        for row in rows.iter_rows(named=True):
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": row["prompt"]}], add_generation_prompt=True, tokenize=False
            )
            head = tokenizer(text, add_special_tokens=False)["input_ids"]
            rest = tokenizer(row["response"], add_special_tokens=False)["input_ids"]
            tokens = torch.tensor([*head, *rest])
            with torch.no_grad():
                logprobs = torch.log_softmax(model(tokens[None]).logits[0].float(), -1)
            found.append(-float(logprobs[len(head) - 1 : -1].gather(1, tokens[len(head) :, None]).mean()))
        expected[arm] = sum(found) / len(found)
    result = evaluate(make_stage(student), rows.sample(fraction=1.0, shuffle=True, seed=1), after(other), make_context(tmp_path))
    heldout = result.to_dict()["heldout"]
    assert (heldout["rows"], heldout["unmeasured"]) == (4, [])
    assert heldout["before"] == pytest.approx(expected["before"], abs=1e-4)
    assert heldout["after"] == pytest.approx(expected["after"], abs=1e-4)
    assert abs(expected["before"] - expected["after"]) > 1e-2
    assert result.items["nll"].null_count() == 0 and result.items.height == 8


def test_heldout_rows_that_do_not_fit_are_counted_and_named_and_leave_the_mean(student, tmp_path):
    rows = make_heldout(3)
    long = rows.with_columns(response=pl.Series([rows["response"][0], "so " * 4000, rows["response"][2]]))
    events: list = []
    found = evaluate(make_stage(student), long, (), make_context(tmp_path, events)).to_dict()["heldout"]
    short = evaluate(make_stage(student), rows[[0, 2]], (), make_context(tmp_path)).to_dict()["heldout"]
    assert found["unmeasured"] == [rows["row_id"][1]]
    assert (found["rows"], found["before"]) == (2, short["before"])
    assert any("1 of 3 held-out rows" in event.message for event in events if isinstance(event, Notice))


def test_a_trained_model_is_measured_with_the_template_it_was_trained_with(student, tmp_path):
    """`after` is a folder; the student's own `template` clause must not be looked up beside it."""
    trained = make_tiny_student(tmp_path / "trained", seed=2)
    template = (trained / "chat_template.jinja").read_text()
    (tmp_path / "chat.jinja").write_text(template.replace("<|im_start|>assistant", "<|im_start|>answer"))
    stage = make_stage(student, make_benchmark(tmp_path / "b.jsonl", [{"problem": "1+1?", "answer": "2"}]))
    assert stage.model is not None
    stage = replace(stage, model=replace(stage.model, template=str(tmp_path / "chat.jinja"), folder=str(tmp_path)))
    found = evaluate(stage, None, after(trained), make_context(tmp_path))
    plain = make_stage(trained, *stage.benchmarks)
    own = evaluate(plain, None, (), make_context(tmp_path / "elsewhere"))
    assert found.items.filter(arm="after")["text"].to_list() == own.items["text"].to_list()

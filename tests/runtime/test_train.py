"""Training, on tiny random students that really train."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Amount, Model, Train
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Notice, Progress
from mixc.runtime.examples import tokenise
from mixc.runtime.store import Store
from mixc.runtime.train import train
from mixc.tests.compiling import RUN, drawn
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

ROOT = Path(__file__).parents[2]
GGUF = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
SPAN = Span("a.mix", 10, 20)


def make_rows(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row_id": [f"{number:032x}" for number in range(count)],
            "prompt": [f"How many clips are {number} and {number * 7 % 5}?" for number in range(count)],
            "response": ["First we add. " * (number % 4) + f"The answer is {number}." for number in range(count)],
            "skills": [["Algebra->Sums"] if number % 3 else ["Counting", "Algebra->Sums"] for number in range(count)],
            "teacher": ["strong" if number % 2 else "weak" for number in range(count)],
            "weight": [1.0] * count,
        }
    )


def make_stage(model: Path, dtype: str = "fp32", **changes: object) -> Train:
    student = Model(student="tiny", model=str(model), dtype=dtype, span=SPAN)
    stage = Train(
        id="train:tiny", inputs=("select",), model=student, steps=3, batch=6, learning_rate=1e-3, seed=5, span=SPAN
    )
    return replace(stage, **changes)


def make_context(folder: Path, events: list | None = None) -> Context:
    watch = events.append if events is not None else lambda event: None
    return Context(store=Store(folder / "store"), students=Students(folder / "store"), watch=watch)


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def weights(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def distance(one: Path, other: Path) -> float:
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    return max(float((a[name].float() - b[name].float()).abs().max()) for name in a)


def fault(call) -> tuple[str, str]:
    with pytest.raises(Fault) as caught:
        call()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.primary is not None and diagnostic.primary.span == SPAN
    assert diagnostic.help
    return diagnostic.code, diagnostic.message


def shown(call) -> str:
    """The message of a fault as a user sees it."""
    with pytest.raises(Fault) as caught:
        call()
    return drawn(caught.value.diagnostics, ())


def test_a_trained_model_is_a_folder_that_transformers_loads_and_its_weights_have_moved(student, tmp_path, capfd):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    events: list = []
    trained = train(make_stage(student), make_rows(12), make_context(tmp_path, events))
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert not trained.reused
    model = AutoModelForCausalLM.from_pretrained(trained.path)
    tokenizer = AutoTokenizer.from_pretrained(trained.path)
    assert model.config.use_cache
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "1+1?"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    assert model.generate(**ids, max_new_tokens=4, do_sample=False).shape[1] > ids["input_ids"].shape[1]
    assert distance(student, trained.path) > 1e-4
    assert [line["step"] for line in trained.metrics] == [1, 2, 3]
    assert {"loss", "learning_rate", "epoch", "tokens"} <= set(trained.metrics[0])
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(s.stage, s.done, s.total, s.unit) for s in steps] == [("train:tiny", n, 3, "steps") for n in (1, 2, 3)]
    assert not list((tmp_path / "store" / "checkpoints").iterdir())


def test_the_same_selection_is_never_trained_twice_whatever_the_order_of_its_rows(student, tmp_path):
    stage, rows = make_stage(student), make_rows(8)
    first = train(stage, rows, make_context(tmp_path))
    again = train(stage, rows.sample(fraction=1.0, shuffle=True, seed=3), make_context(tmp_path))
    assert again.reused
    assert (again.path, again.metrics, again.report) == (first.path, first.metrics, first.report)
    changes = [
        (replace(stage, span=Span("b.mix", 1, 2)), rows, True),
        (replace(stage, learning_rate=2e-3), rows, False),
        (replace(stage, format="skill_aware"), rows, False),
        (stage, rows.with_columns(pl.col("response") + " Yes."), False),
    ]
    for changed, selected, reused in changes:
        assert train(changed, selected, make_context(tmp_path)).reused is reused


def test_the_loss_is_the_mean_over_the_answers_tokens_of_the_whole_batch(student, tmp_path):
    """Two passes of three examples of unequal length must weigh tokens, not passes, and no token of the prompt."""
    import torch
    from transformers import AutoModelForCausalLM

    rows, stage, context = make_rows(6), make_stage(student, steps=2, batch=6), make_context(tmp_path)
    trained = train(stage, rows, context)
    examples, _ = tokenise(stage, rows, context.students.tokenizer(stage.model), 512)
    model = AutoModelForCausalLM.from_pretrained(student).eval()
    total = count = 0.0
    for example in examples:
        tokens = torch.tensor(example.tokens)
        with torch.no_grad():
            logits = model(tokens[None]).logits[0]
        found = torch.log_softmax(logits.float(), -1)[:-1].gather(1, tokens[1:, None])[example.start - 1 :]
        total -= float(found.sum())
        count += len(found)
    assert trained.metrics[0]["loss"] == pytest.approx(total / count, abs=1e-4)


def test_only_the_assistants_turn_carries_loss_and_all_of_it(student, tmp_path):
    stage, context = make_stage(student, format="skill_aware"), make_context(tmp_path)
    tokenizer = context.students.tokenizer(stage.model)
    rows = make_rows(4)
    examples, report = tokenise(stage, rows, tokenizer, 512)
    for example, row in zip(examples, rows.sort("row_id").iter_rows(named=True), strict=True):
        labels = example.labels
        assert len(labels) == len(example.tokens)
        assert set(labels[: example.start]) == {-100}
        assert -100 not in labels[example.start :]
        text = "Skills:\n" + "".join(f"{chain}\n" for chain in sorted(row["skills"])) + row["response"]
        assert tokenizer.hf.decode(labels[example.start :]) == f"{text}<|im_end|>\n"
        assert example.tokens[: example.start] == tokenizer.prompt(row["prompt"])
    assert report.tokens == sum(len(e.tokens) - e.start for e in examples)


def test_an_answer_that_begins_with_a_newline_is_trained_after_the_very_prompt_that_inference_sees(student, tmp_path):
    stage, context = make_stage(student), make_context(tmp_path)
    tokenizer = context.students.tokenizer(stage.model)
    rows = make_rows(2).with_columns(response=pl.lit("\n\n\nFirst we add."))
    examples, _ = tokenise(stage, rows, tokenizer, 512)
    for example, prompt in zip(examples, rows.sort("row_id")["prompt"], strict=True):
        assert example.tokens[: example.start] == tokenizer.prompt(prompt)
        assert tokenizer.hf.decode(example.tokens[example.start :]) == "\n\n\nFirst we add.<|im_end|>\n"


def test_what_truncation_takes_is_counted_by_row_and_by_token(student, tmp_path):
    stage, context = make_stage(student), make_context(tmp_path)
    tokenizer = context.students.tokenizer(stage.model)
    rows = make_rows(4).with_columns(
        prompt=pl.Series(["a?", "a?", "a?", "why " * 90]), response=pl.Series(["b", "b " * 99, "b", "b"])
    )
    whole, all_of_it = tokenise(stage, rows, tokenizer, 4096)
    limit = 60
    cut, report = tokenise(stage, rows, tokenizer, limit)
    ids = sorted(rows["row_id"])
    assert (report.truncated, report.dropped) == ((ids[1],), (ids[3],))
    assert (report.rows, report.examples) == (4, 3)
    assert cut[1].tokens == whole[1].tokens[:limit]
    assert report.tokens + report.lost_tokens == all_of_it.tokens
    assert sum(report.by_teacher.values()) == report.tokens
    assert report.by_skill["Algebra"] == report.by_skill["Algebra->Sums"] == report.tokens
    assert report.by_skill["Counting"] == len(cut[0].tokens) - cut[0].start


def test_truncation_and_rows_without_skills_are_told(student, tmp_path):
    events: list = []
    rows = make_rows(6).with_columns(
        response=pl.Series(["b " * 99, *["b"] * 5]), skills=pl.Series([["A"], *[[]] * 5], dtype=pl.List(pl.String))
    )
    train(make_stage(student, max_length=60, format="skill_aware", steps=1), rows, make_context(tmp_path, events))
    told = " / ".join(event.message for event in events if isinstance(event, Notice))
    assert "1 of 6 responses are cut at 60 tokens" in told
    assert "5 of 6 rows have no skills" in told


def test_nothing_left_to_train_on_is_an_error_at_the_clause(student, tmp_path, golden):
    golden(RUN / "MIX0510.txt", shown(lambda: train(make_stage(student, max_length=5), make_rows(3), make_context(tmp_path))))
    code, message = fault(lambda: train(make_stage(student, max_length=5), make_rows(3), make_context(tmp_path)))
    assert (code, "5 tokens" in message) == ("MIX0510", True)
    assert fault(lambda: train(make_stage(student), make_rows(3).clear(), make_context(tmp_path)))[0] == "MIX0510"


def test_a_template_that_rewrites_an_answered_prompt_is_refused(student, tmp_path, golden):
    template = "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    (tmp_path / "chat.jinja").write_text(template)
    stage = make_stage(student)
    stage = replace(stage, model=replace(stage.model, template=str(tmp_path / "chat.jinja"), folder=str(tmp_path), model=str(student)))
    assert fault(lambda: train(stage, make_rows(3), make_context(tmp_path)))[0] == "MIX0507"
    golden(RUN / "MIX0507.txt", shown(lambda: train(stage, make_rows(3), make_context(tmp_path))))


def test_a_loss_that_is_no_number_stops_at_its_step_and_leaves_no_model(tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    broken = make_tiny_student(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], float("nan"))
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    code, message = fault(lambda: train(make_stage(broken), make_rows(6), make_context(tmp_path)))
    assert (code, message) == ("MIX0510", "training failed at step 1: the loss is nan")
    said = shown(lambda: train(make_stage(broken), make_rows(6), make_context(tmp_path)))
    assert "the arithmetic fp32" in said and "or `dtype fp32`" not in said, "no advice that is followed already"
    assert not list((tmp_path / "store").glob("artifacts/models/*"))


def test_bf16_trains_float32_weights_and_saves_the_students_type(student, tmp_path):
    import torch

    small = train(make_stage(student, "bf16", learning_rate=1e-6), make_rows(6), make_context(tmp_path))
    assert {tensor.dtype for tensor in weights(small.path).values()} == {torch.bfloat16}
    full = train(make_stage(student, "fp32", learning_rate=1e-6), make_rows(6), make_context(tmp_path))
    assert {tensor.dtype for tensor in weights(full.path).values()} == {torch.float32}
    assert small.metrics[0]["loss"] == pytest.approx(full.metrics[0]["loss"], rel=0.02)
    assert json.loads((small.path / "config.json").read_text())["dtype"] == "bfloat16"


FULL = """
import resource, signal, sys
root, student, folder = sys.argv[1:]
sys.path.insert(0, root + "/tests")
import conftest
from pathlib import Path
from mixc.tests.runtime import test_train as here
import torch, transformers, trl

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
stage, context = here.make_stage(Path(student)), here.make_context(Path(folder))
print(here.fault(lambda: here.train(stage, here.make_rows(6), context))[0])
"""


@pytest.mark.slow
def test_a_disk_that_is_full_is_told_as_such(student, tmp_path):
    command = [sys.executable, "-c", FULL, str(ROOT), str(student), str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.stdout == "MIX0508\n", found.stderr[-2000:]


@pytest.mark.student
@pytest.mark.slow
@pytest.mark.skipif(not GGUF.exists(), reason="models/ holds no SmolLM2-135M (make student)")
def test_a_gguf_student_is_trained_saved_and_loaded(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    stage = make_stage(GGUF, "bf16", steps=2, batch=4, learning_rate=1e-5)
    trained = train(stage, make_rows(8), make_context(tmp_path))
    assert [m["step"] for m in trained.metrics] == [1, 2]
    assert 0 < trained.metrics[0]["loss"] < 10
    model = AutoModelForCausalLM.from_pretrained(trained.path)
    assert model.num_parameters() == 134_515_008
    assert AutoTokenizer.from_pretrained(trained.path).chat_template


def test_schedule_warm_up_and_gradient_checkpointing_are_those_of_the_stage(student, tmp_path, capfd):
    changes: dict = {"schedule": "linear", "warmup": Amount(value=1, unit="steps"), "gradient_checkpointing": True}
    plain = train(make_stage(student, schedule="constant", warmup=Amount(value=0, unit="%")), make_rows(12), make_context(tmp_path))
    found = train(make_stage(student, **changes), make_rows(12), make_context(tmp_path))
    assert capfd.readouterr() == ("", "")
    assert [line["learning_rate"] for line in plain.metrics] == pytest.approx([1e-3] * 3)
    assert [line["learning_rate"] for line in found.metrics] == pytest.approx([0, 1e-3, 5e-4])
    assert not found.reused and distance(plain.path, found.path) > 1e-5

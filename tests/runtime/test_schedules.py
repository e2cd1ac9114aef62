"""What a `train` block says of time and arithmetic, held against formulas."""

import math
from pathlib import Path

import pytest
from mixc.compiler.plan.stages import Amount
from mixc.tests.runtime.test_train import distance, make_context, make_rows, make_stage, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

RATE, STEPS = 2e-3, 10


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def rate(schedule: str, step: int, warmup: int, steps: int) -> float:
    """Of the `step`-th update, from 1: it is the one after `step - 1` of them."""
    done = step - 1
    if done < warmup:
        return RATE * done / warmup
    after = (done - warmup) / max(1, steps - warmup)
    return RATE * {"constant": 1.0, "linear": 1 - after, "cosine": (1 + math.cos(math.pi * after)) / 2}[schedule]


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize(("warmup", "steps_of_it"), [(Amount(value=30, unit="%"), 3), (Amount(value=0, unit="%"), 0), (Amount(value=4, unit="steps"), 4)])
def test_the_learning_rate_follows_its_formula(schedule: str, warmup: Amount, steps_of_it: int, student: Path, tmp_path: Path) -> None:
    stage = make_stage(student, steps=STEPS, batch=2, learning_rate=RATE, schedule=schedule, warmup=warmup)
    found = [line["learning_rate"] for line in train(stage, make_rows(4), make_context(tmp_path)).metrics]
    assert found == pytest.approx([rate(schedule, step, steps_of_it, STEPS) for step in range(1, STEPS + 1)], rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("epochs", "rows", "batch", "steps"), [(1.0, 13, 6, 3), (2.0, 13, 6, 6), (0.5, 12, 3, 2), (1.5, 4, 8, 2)])
def test_epochs_are_so_many_steps_and_each_reads_every_example_once(epochs: float, rows: int, batch: int, steps: int, student: Path, tmp_path: Path) -> None:
    for more in ({}, {"packing": True}):
        trained = train(make_stage(student, steps=None, epochs=epochs, batch=batch, **more), make_rows(rows), make_context(tmp_path))
        assert [line["step"] for line in trained.metrics] == list(range(1, steps + 1))
        if epochs == 1.0:
            whole = train(make_stage(student, steps=1, batch=rows, **more), make_rows(rows), make_context(tmp_path))
            assert trained.metrics[-1]["tokens"] == whole.metrics[0]["tokens"]


def test_gradient_checkpointing_changes_no_loss_and_no_weight(student: Path, tmp_path: Path) -> None:
    plain = train(make_stage(student), make_rows(12), make_context(tmp_path))
    less = train(make_stage(student, gradient_checkpointing=True), make_rows(12), make_context(tmp_path))
    assert not less.reused
    assert [line["loss"] for line in plain.metrics] == pytest.approx([line["loss"] for line in less.metrics], rel=1e-6)
    assert distance(plain.path, less.path) <= 1e-6


def test_gradient_checkpointing_is_really_done(student: Path, tmp_path: Path, monkeypatch) -> None:
    import torch.utils.checkpoint as torch_checkpoint

    passes: list[int] = []
    real = torch_checkpoint.checkpoint
    monkeypatch.setattr("transformers.modeling_utils.checkpoint", lambda *args, **kwargs: (passes.append(1), real(*args, **kwargs))[1])
    train(make_stage(student, steps=1), make_rows(6), make_context(tmp_path / "plain"))
    assert not passes
    train(make_stage(student, steps=1, gradient_checkpointing=True), make_rows(6), make_context(tmp_path))
    assert len(passes) >= 2  # a layer and a pass each


def test_accumulated_passes_make_the_step_of_one(student: Path, tmp_path: Path) -> None:
    """A batch of 7 is passes of one example each, a batch of 8 passes of 4: the same loss over the same examples."""
    rows = make_rows(7)
    one = train(make_stage(student, steps=1, batch=7), rows, make_context(tmp_path)).metrics[0]
    other = train(make_stage(student, steps=1, batch=8), rows, make_context(tmp_path)).metrics[0]
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)
    assert one["grad_norm"] == pytest.approx(other["grad_norm"], rel=1e-5)

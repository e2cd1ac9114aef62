"""Weights of rows in training, against a slow reference that knows no trainer."""

from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.examples import tokenise
from mixc.tests.runtime.test_train import distance, fault, make_context, make_rows, make_stage, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

WEIGHTS = [1.0, 0.25, 3.0, 0.0, 1.5, 2.0]


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def weighed(values: list[float | None]) -> pl.DataFrame:
    return make_rows(len(values)).with_columns(weight=pl.Series(values, dtype=pl.Float64))


def reference(student: Path, folder: Path, weights: list[float]) -> tuple[float, float]:
    """Loss and norm of the gradient of one step over all rows: sum over tokens of w l, over their number times the mean w of a token."""
    import torch
    from transformers import AutoModelForCausalLM

    stage = make_stage(student)
    examples, _ = tokenise(stage, weighed(weights), make_context(folder).students.tokenizer(stage.model), 512)
    model = AutoModelForCausalLM.from_pretrained(student).double()
    total, count, heavy = 0.0, 0, 0.0
    for example, weight in zip(examples, weights, strict=True):
        tokens = torch.tensor(example.tokens)
        logits = model(tokens[None]).logits[0]
        for place in range(example.start, len(tokens)):
            total = total - weight * torch.log_softmax(logits[place - 1], -1)[tokens[place]]
            count, heavy = count + 1, heavy + weight
    loss = total / heavy  # over all rows, the mean weight times the tokens is the sum of the weights
    loss.backward()
    return float(loss.detach()), float(torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm())


@pytest.mark.parametrize("more", [{}, {"packing": True}, {"gradient_checkpointing": True}])
def test_each_tokens_loss_is_multiplied_by_its_rows_weight(student: Path, tmp_path: Path, more: dict) -> None:
    trained = train(make_stage(student, steps=1, **more), weighed(WEIGHTS), make_context(tmp_path))
    loss, norm = reference(student, tmp_path, WEIGHTS)
    assert trained.metrics[0]["loss"] == pytest.approx(loss, rel=1e-5)
    assert trained.metrics[0]["grad_norm"] == pytest.approx(norm, rel=1e-4)
    plain = train(make_stage(student, steps=1, **more), make_rows(6), make_context(tmp_path))
    assert plain.metrics[0]["loss"] != pytest.approx(loss, rel=1e-3)


def test_equal_weights_are_no_weights_to_the_bit_and_only_their_ratios_count(student: Path, tmp_path: Path) -> None:
    stage, context = make_stage(student), make_context(tmp_path)
    plain = train(stage, make_rows(6), context)
    assert train(stage, weighed([7.0] * 6), context).reused
    assert train(stage, make_rows(6).drop("weight"), context).reused
    one = train(stage, weighed(WEIGHTS), context)
    assert not one.reused and distance(plain.path, one.path) > 1e-5
    assert train(stage, weighed([4.0 * w for w in WEIGHTS]), context).reused
    assert train(stage, weighed([0.3 * w for w in WEIGHTS]), context).metrics == one.metrics


def test_a_weight_counts_in_a_batch_of_one_example_too(student: Path, tmp_path: Path) -> None:
    """The factor is over the weights of the whole training, not of the batch."""
    rows = weighed([1.0, 3.0])
    stage = make_stage(student, steps=2, batch=1, learning_rate=1e-12)
    plain = train(stage, make_rows(2), make_context(tmp_path)).metrics
    heavy = train(stage, rows, make_context(tmp_path)).metrics
    ratios = sorted(one["loss"] / other["loss"] for one, other in zip(heavy, plain, strict=True))
    assert ratios[1] / ratios[0] == pytest.approx(3.0, rel=1e-4)


def test_weights_that_are_none_are_told_and_never_ignored(student: Path, tmp_path: Path) -> None:
    stage = make_stage(student)
    for values, said in (([1.0, None], "no weight"), ([1.0, -2.0], "the weight -2"), ([1.0, float("nan")], "the weight nan"), ([float("inf"), 1.0], "inf")):
        code, message = fault(lambda values=values: train(stage, weighed(values), make_context(tmp_path)))
        assert code == "MIX0502" and said in message
    code, message = fault(lambda: train(stage, weighed([0.0, 0.0]), make_context(tmp_path)))
    assert (code, "weight of every row is 0" in message) == ("MIX0510", True)

"""Packing in training: whole examples side by side, none of which sees another, and the same steps as without it."""

import itertools
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.runtime.examples import tokenise
from mixc.runtime.training.batch import Collator
from mixc.runtime.training.packs import packs
from mixc.runtime.training.probe import keeps_apart
from mixc.tests.compiling import RUN
from mixc.tests.runtime.test_train import fault, make_context, make_rows, make_stage, shown, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

ARCHITECTURES = ("llama", "qwen3", "mistral", "gemma2", "gpt2", "phi3")


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 60))
def test_every_example_is_in_one_pack_whole_and_none_is_too_long(lengths: list[int], capacity: int) -> None:
    found = packs(lengths, capacity)
    assert sorted(i for pack in found for i in pack) == list(range(len(lengths)))
    for pack in found:
        assert sum(lengths[i] for i in pack) <= capacity or len(pack) == 1
    for one, other in itertools.pairwise(found):  # what began a pack fitted into none before it
        assert sum(lengths[i] for i in one) + max(lengths[i] for i in other) > capacity


def rows_for(student: Path, folder: Path) -> list[dict]:
    """Six examples of unlike lengths, with weights."""
    stage = make_stage(student)
    examples, _ = tokenise(stage, make_rows(6), make_context(folder).students.tokenizer(stage.model), 512)
    return [{"input_ids": list(e.tokens), "labels": e.labels, "weight": w} for e, w in zip(examples, (1.0, 2.0, 0.5, 1.0, 0.0, 3.0), strict=True)]


def loss_of(model, batch: dict) -> object:
    """The weighted sum over the labels, written out; `batch` is one of the collator's."""
    import torch

    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids") if name in batch}
    found = torch.log_softmax(model(**inputs, use_cache=False).logits[:, :-1].float(), -1)
    labels = batch["labels"][:, 1:]
    said = found.gather(2, labels.clamp(min=0)[..., None])[..., 0] * (labels != -100)
    return -(said * batch["weights"][:, 1:] if "weights" in batch else said).sum()


def gradients(model, batches: list[dict]) -> tuple[float, dict]:
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = loss_of(model, batch)
        loss.backward()
        total += float(loss.detach())
    return total, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_loss_and_gradients_of_packs_are_those_of_each_example_alone(arch: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    student = make_tiny_student(tmp_path / "student", arch=arch)
    model = AutoModelForCausalLM.from_pretrained(student).eval()
    rows = rows_for(student, tmp_path)
    capacity = 160
    made = Collator(0, capacity)(rows)["packs"]
    assert 1 < len(made) < len(rows)
    assert all(pack["input_ids"].shape[1] <= capacity for pack in made)
    packed = sorted(tuple(ids) for pack in made for ids in unpacked(pack))
    assert packed == sorted(tuple(row["input_ids"]) for row in rows)  # none is cut
    alone, expected = gradients(model, [Collator(0)([row]) for row in rows])
    together, found = gradients(model, made)
    assert together == pytest.approx(alone, rel=1e-5)
    scale = max(float(g.abs().max()) for g in expected.values())
    for name, gradient in expected.items():
        assert float((found[name] - gradient).abs().max()) <= 2e-5 * scale, name
    mixed = [{name: value for name, value in pack.items() if name != "position_ids"} for pack in made]
    assert gradients(model, mixed)[0] != pytest.approx(alone, rel=1e-4)  # so that attention across examples would be seen


def unpacked(pack: dict) -> list[list[int]]:
    ids, places = pack["input_ids"][0].tolist(), pack["position_ids"][0].tolist()
    starts = [*(i for i, place in enumerate(places) if place == 0), len(ids)]
    return [ids[a:b] for a, b in itertools.pairwise(starts)]


def test_a_packed_training_takes_the_steps_of_the_padded_one(tmp_path: Path) -> None:
    """Two epochs of 13 examples in batches of 6: the same examples a step, the last steps short; float32, losses and gradients to 1e-5."""
    student = make_tiny_student(tmp_path / "student")
    stage, rows = make_stage(student, steps=None, epochs=2.0, learning_rate=1e-4), make_rows(13)
    padded = train(stage, rows, make_context(tmp_path))
    packed = train(replace(stage, packing=True, max_length=200), rows, make_context(tmp_path))
    assert len(packed.metrics) == 6 and not packed.reused
    for one, other in zip(padded.metrics, packed.metrics, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert one["grad_norm"] == pytest.approx(other["grad_norm"], rel=1e-4)
        assert (one["step"], one["learning_rate"], one["tokens"]) == (other["step"], other["learning_rate"], other["tokens"])


@pytest.mark.parametrize("arch", ["mamba", "bloom"])
def test_a_model_that_reads_a_pack_as_one_text_is_refused(arch: str, tmp_path: Path, golden) -> None:
    student = make_tiny_student(tmp_path / "student", arch=arch)
    stage = make_stage(student, packing=True)
    code, message = fault(lambda: train(stage, make_rows(6), make_context(tmp_path)))
    assert (code, "packing" in message) == ("MIX0523", True)
    golden(RUN / "MIX0523.txt", shown(lambda: train(stage, make_rows(6), make_context(tmp_path))))
    assert train(replace(stage, packing=False, steps=1), make_rows(6), make_context(tmp_path)).metrics


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("arch", "apart"), [*((arch, True) for arch in (*ARCHITECTURES, "qwen2_moe")), ("mamba", False), ("bloom", False)])
def test_which_models_keep_a_pack_apart_in_any_type(arch: str, apart: bool, dtype: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(make_tiny_student(tmp_path / "student", arch=arch), dtype=getattr(torch, dtype))
    assert keeps_apart(model, [row["input_ids"] for row in rows_for(tmp_path / "student", tmp_path)]) is apart


def test_examples_longer_than_the_maximum_are_an_error_with_packing_too(tmp_path: Path) -> None:
    student = make_tiny_student(tmp_path / "student")
    stage = make_stage(student, packing=True, max_length=5)
    assert fault(lambda: train(stage, make_rows(3), make_context(tmp_path)))[0] == "MIX0510"
    long = make_rows(6).with_columns(response=pl.Series(["b " * 99, *["b"] * 5]))
    cut = train(make_stage(student, packing=True, max_length=60, steps=1), long, make_context(tmp_path))
    assert cut.report.truncated == (min(long["row_id"]),)

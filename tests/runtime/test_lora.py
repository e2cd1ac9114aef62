"""Low-rank adapters, on tiny random students."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.clauses import Lora
from mixc.compiler.plan.stages import Model
from mixc.runtime.engines.base import Window
from mixc.tests.runtime.test_train import SPAN, distance, fault, make_context, make_rows, make_stage, train, weights
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("peft")

LORA = Lora(rank=4, alpha=8, dropout=0.0)


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def lora_stage(student: Path, dtype: str = "fp32", **changes: object):
    return make_stage(student, dtype, **{"method": "lora", "lora": LORA, "learning_rate": 1e-2, **changes})


def test_the_model_is_the_student_with_the_adapter_in_its_weights(student: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    trained = train(lora_stage(student), make_rows(12), make_context(tmp_path))
    merged = AutoModelForCausalLM.from_pretrained(trained.path)
    beside = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(student), trained.path / "adapter")
    ids = torch.tensor([[3, 50, 7, 120, 33]])
    with torch.no_grad():
        before = AutoModelForCausalLM.from_pretrained(student)(ids).logits
        assert float((merged(ids).logits - beside(ids).logits).abs().max()) <= 1e-4 * float(before.abs().max())
        assert float((merged(ids).logits - before).abs().max()) > 1e-3 * float(before.abs().max())
    moved = {name for name, tensor in weights(trained.path).items() if not torch.equal(tensor, weights(student)[name])}
    assert moved and all(name.endswith("_proj.weight") for name in moved)
    linear = {name for name in weights(student) if name.endswith("_proj.weight")}
    assert moved == linear  # every linear layer but the head


def test_the_adapter_is_float32_beside_weights_in_the_students_type_and_names_the_spec_s_student(student: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    trained = train(lora_stage(student, "bf16"), make_rows(12), make_context(tmp_path))
    adapter = load_file(trained.path / "adapter" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in adapter.values()} == {torch.float32}
    assert {tensor.dtype for tensor in weights(trained.path).values()} == {torch.bfloat16}
    config = json.loads((trained.path / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (4, 8, 0.0)
    assert config["base_model_name_or_path"] == str(student)  # as the spec's `model` is written
    assert config["target_modules"] == sorted(config["target_modules"])
    assert sorted(path.name for path in (trained.path / "adapter").iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]


def test_our_engine_reads_the_model_for_an_evaluation(student: Path, tmp_path: Path) -> None:
    context = make_context(tmp_path)
    trained = train(lora_stage(student), make_rows(12), context)
    after = context.students.engine(Model(student="tiny", model=str(trained.path), dtype="fp32", span=SPAN))
    before = context.students.engine(Model(student="tiny", model=str(student), dtype="fp32", span=SPAN))
    window = Window(prompt=(3, 50, 7), tokens=(120, 33), start=0)
    one, other = (dict(engine.read([window]))[0].logprob for engine in (after, before))
    assert len(one) == 2 and abs(float(one[0]) - float(other[0])) > 1e-4


def test_what_the_weights_depend_on_is_in_the_fingerprint(student: Path, tmp_path: Path) -> None:
    stage, rows, context = lora_stage(student, steps=1), make_rows(6), make_context(tmp_path)
    first = train(stage, rows, context)
    assert train(stage, rows, context).reused
    for lora in (replace(LORA, rank=2), replace(LORA, alpha=4), replace(LORA, dropout=0.5)):
        other = train(replace(stage, lora=lora), rows, context)
        assert not other.reused and distance(first.path, other.path) > 0
    assert not train(replace(stage, method="full", lora=None), rows, context).reused
    again = train(stage, rows, make_context(tmp_path / "again"))
    assert distance(first.path, again.path) == 0  # the adapter's beginning is drawn with the seed


@pytest.mark.parametrize("more", [{"packing": True}, {"gradient_checkpointing": True}, {"batch": 3}])
def test_lora_goes_with_packing_and_checkpointing(student: Path, tmp_path: Path, more: dict) -> None:
    rows = make_rows(6)
    plain = train(lora_stage(student, batch=more.get("batch", 6)), rows, make_context(tmp_path))
    found = train(lora_stage(student, **more), rows, make_context(tmp_path))
    for one, other in zip(plain.metrics, found.metrics, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=2e-4)


def test_a_loss_that_is_no_number_stops_with_lora_and_packing_too(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = make_tiny_student(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], float("nan"))
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    for more in ({}, {"packing": True}):
        code, message = fault(lambda more=more: train(lora_stage(broken, **more), make_rows(6), make_context(tmp_path)))
        assert (code, message) == ("MIX0510", "training failed at step 1: the loss is nan")


def test_too_little_memory_is_told_with_a_way_out(student: Path, tmp_path: Path, monkeypatch) -> None:
    import mixc.runtime.training.fit as fitting

    def full(*_: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(fitting, "load_for_training", full)
    code, message = fault(lambda: train(lora_stage(student, packing=True), make_rows(6), make_context(tmp_path)))
    assert (code, "does not fit in memory" in message) == ("MIX0510", True)


@pytest.mark.student
@pytest.mark.slow
def test_the_real_student_is_adapted_in_bfloat16_with_its_examples_packed(tmp_path: Path) -> None:
    from mixc.tests.runtime.test_train import GGUF

    stage = lora_stage(GGUF, "bf16", steps=1, batch=4, packing=True)
    trained = train(stage, make_rows(4), make_context(tmp_path))
    plain = train(make_stage(GGUF, "bf16", steps=1, batch=4), make_rows(4), make_context(tmp_path))
    assert trained.metrics[0]["loss"] == pytest.approx(plain.metrics[0]["loss"], rel=0.01)
    assert (trained.path / "adapter" / "adapter_model.safetensors").stat().st_size < 10_000_000

"""Weights in shards over two processes (FSDP2), on this machine's processor: accelerate keeps that for GPUs and is talked into it here."""

from pathlib import Path

import pytest
from mixc.compiler.clauses import Lora
from mixc.compiler.plan.stages import Amount
from mixc.runtime.events import Notice, Passed
from mixc.tests.runtime.test_processes import stopped, two
from mixc.tests.runtime.test_train import ROOT, distance, make_context, make_rows, make_stage, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

TALKED_INTO = """
import os
if os.environ.get("ACCELERATE_USE_FSDP") and os.environ.get("RANK"):
    import accelerate.state as state, torch

    def prepare(self, cpu=False, sagemaker_dp=False, backend=None):
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("gloo")
        return "gloo", state.DistributedType.MULTI_GPU

    def device(self):
        self.device = torch.device("cpu")

    state.PartialState._prepare_backend, state.PartialState.set_device = prepare, device
"""
LORA = {"method": "lora", "lora": Lora(rank=4, alpha=8, dropout=0.0), "packing": True}


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "more"), [(3, {}), (6, {}), (5, LORA)], ids=["full", "full, second epoch", "lora and packing, second epoch"])
def test_shards_make_the_model_of_one_process_and_go_on_after_a_stop(stop: int, more: dict, tmp_path: Path, monkeypatch) -> None:
    """Two epochs of four steps; float32, weights to 1e-6."""
    student = make_tiny_student(tmp_path / "student")
    (tmp_path / "sitecustomize.py").write_text(TALKED_INTO)
    stage = make_stage(student, steps=None, epochs=2.0, learning_rate=1e-4, save=Amount(value=1, unit="steps"), **more)
    one = train(stage, make_rows(13), make_context(tmp_path / "one"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("MIXC_ACCELERATE", str(ROOT / "specs" / "accelerate" / "fsdp2.yaml"))

    stopped(stage, make_rows(13), tmp_path / "two", stop)
    assert list((tmp_path / "two" / "store" / "checkpoints").glob("*/checkpoint-*/*/*.distcp")), "weights in shards"
    events: list = []
    both = train(stage, make_rows(13), two(tmp_path / "two", events))
    assert any("training goes on after step" in event.message for event in events if isinstance(event, Notice))
    assert [event.device for event in events if isinstance(event, Passed)] == ["2 x cpu"]
    assert [m["loss"] for m in both.metrics] == pytest.approx([m["loss"] for m in one.metrics], abs=1e-5)
    assert distance(one.path, both.path) <= 1e-6 and distance(student, both.path) > 1e-4
    for a, b in zip(one.metrics, both.metrics, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)

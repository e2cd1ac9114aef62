"""A training by several processes, really started, on this machine's processor: the same model as by one."""

import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.clauses import Lora
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Amount, Train
from mixc.runtime.context import Context
from mixc.runtime.engines.choice import Choice
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Notice, Passed, Progress
from mixc.runtime.store import Store
from mixc.runtime.training.processes import config_file, count_of, refuse_launcher
from mixc.tests.runtime.test_train import ROOT, distance, fault, make_context, make_rows, make_stage, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

CONFIGS = sorted((ROOT / "specs" / "accelerate").glob("*.yaml"))
CASES: dict[str, dict] = {
    "plain": {"batch": 6},
    "all": {"batch": 5, "packing": True, "max_length": 150, "method": "lora", "lora": Lora(rank=4, alpha=8, dropout=0.0), "gradient_checkpointing": True},
}


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def two(folder: Path, events: list | None = None) -> Context:
    watch = events.append if events is not None else lambda event: None
    return Context(store=Store(folder / "store"), students=Students(folder / "store", choice=Choice(devices=2)), watch=watch)


class _Stop(Exception):
    pass


def stopped(stage: Train, rows: pl.DataFrame, folder: Path, at: int) -> None:
    """Train by two processes, and end them at the step `at`."""

    class Stopping(list):
        def append(self, event: object) -> None:
            if isinstance(event, Progress) and event.done == at:
                raise _Stop

    with pytest.raises(_Stop):
        train(stage, rows, two(folder, Stopping()))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_that_are_stopped_go_on_in_the_same_order(case: str, student: Path, tmp_path: Path) -> None:
    """Two epochs of three steps, stopped in the second, which is ordered otherwise than the first."""
    stage = make_stage(student, steps=None, epochs=2.0, learning_rate=1e-4, save=Amount(value=1, unit="steps"), **CASES[case])
    whole = train(stage, make_rows(13), two(tmp_path / "whole"))
    stopped(stage, make_rows(13), tmp_path / "stopped", 5)
    events: list = []
    both = train(stage, make_rows(13), two(tmp_path / "stopped", events))
    assert any("training goes on after step" in event.message for event in events if isinstance(event, Notice))
    assert distance(whole.path, both.path) <= 1e-6 < 2e-4 < distance(student, both.path)
    for a, b in zip(whole.metrics, both.metrics, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_make_the_model_of_one(case: str, student: Path, tmp_path: Path, capfd) -> None:
    """Two epochs of 13 examples, so that the last step of each has fewer than two processes can share evenly. float32: losses to 1e-5, weights to 1e-6."""
    rows = make_rows(13)
    if case == "all":
        rows = rows.with_columns(weight=pl.Series([1.0, 0.5, 3.0, 1.0, 2.0, 0.0, 1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 0.1]))
    stage = make_stage(student, steps=None, epochs=2.0, learning_rate=1e-4, **CASES[case])
    one = train(stage, rows, make_context(tmp_path / "one"))
    events: list = []
    both = train(stage, rows, two(tmp_path / "two", events))
    assert capfd.readouterr() == ("", "")
    assert both.path.parent.name == one.path.parent.name  # how many trained is in no fingerprint
    for a, b in zip(one.metrics, both.metrics, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-4)
        assert (a["step"], a["tokens"], a["learning_rate"]) == (b["step"], b["tokens"], b["learning_rate"])
    assert distance(one.path, both.path) <= 1e-6 and distance(student, both.path) > 2e-4
    steps = [event for event in events if isinstance(event, Progress)]
    assert [s.done for s in steps] == list(range(1, len(one.metrics) + 1))
    assert [event.device for event in events if isinstance(event, Passed)] == ["2 x cpu"]
    assert (both.path / "adapter").is_dir() == (case == "all")
    assert not list((tmp_path / "two" / "store" / "checkpoints").iterdir())


@pytest.mark.slow
def test_what_fails_in_a_process_is_told_as_if_it_had_failed_here(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = make_tiny_student(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], float("nan"))
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    assert fault(lambda: train(make_stage(broken), make_rows(6), two(tmp_path))) == ("MIX0510", "training failed at step 1: the loss is nan")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_each_configuration_that_is_shipped_is_one_of_accelerate(path: Path, tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    found = load_config_from_file(str(path))
    assert isinstance(found, ClusterConfig)
    assert (found.num_processes, found.num_machines, found.mixed_precision) == (8, 1, "no")
    arguments = launch_command_parser().parse_args(["--config_file", str(path), "--num_processes", "2", "--no_python", "true"])
    asked, _, _ = _validate_launch_command(arguments)
    assert asked.num_processes == 2 and asked.multi_gpu == (path.stem == "ddp") and asked.use_fsdp == (path.stem == "fsdp2")
    assert config_file({"MIXC_ACCELERATE": str(path)}) == path
    if path.stem == "fsdp2":
        assert found.fsdp_config["fsdp_version"] == 2


def test_there_are_configurations() -> None:
    assert [path.stem for path in CONFIGS] == ["ddp", "fsdp2"]


def test_how_many_processes(monkeypatch) -> None:
    assert count_of(Choice(), 8, None) == 1
    assert count_of(Choice(devices=3), 8, None) == 3
    assert count_of(Choice(devices=3), 2, None) == 2  # a process without an example would only wait
    assert count_of(Choice(), 8, CONFIGS[0]) == 8
    assert count_of(Choice(devices=2), 8, CONFIGS[0]) == 2
    monkeypatch.setattr("mixc.runtime.training.processes.cuda_devices", lambda: ["0", "1", "2", "3"])
    assert count_of(Choice(), 8, None) == 4
    with pytest.raises(Fault) as caught:
        count_of(Choice(devices=9), 16, None)
    assert caught.value.diagnostics[0].code == "MIX0522"


def test_a_configuration_that_is_none_and_a_launcher_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("nonsense: true\n")
    (tmp_path / "b.yaml").write_text(CONFIGS[0].read_text().replace("num_machines: 1", "num_machines: 2"))
    for name in ("a.yaml", "b.yaml", "missing.yaml"):
        with pytest.raises(Fault) as caught:
            config_file({"MIXC_ACCELERATE": str(tmp_path / name)})
        assert caught.value.diagnostics[0].code == "MIX0523" and name in caught.value.diagnostics[0].message
    with pytest.raises(Fault) as caught:
        refuse_launcher({"WORLD_SIZE": "2", "RANK": "0"})
    assert caught.value.diagnostics[0].code == "MIX0523"
    refuse_launcher({})
    refuse_launcher({"WORLD_SIZE": "1"})


def read(path: Path) -> bytes:
    try:
        return path.read_bytes() if str(os.getpid()).encode() in path.read_bytes() else b""
    except OSError:
        return b""


@pytest.mark.slow
def test_a_training_of_two_processes_goes_on_after_a_kill(student: Path, tmp_path: Path) -> None:
    stage, rows = make_stage(student, steps=6, batch=4), make_rows(8)

    class Stop(Exception):
        pass

    class Stopping(list):
        def append(self, event: object) -> None:
            if isinstance(event, Progress) and event.done == 4:
                raise Stop

    whole = train(stage, rows, two(tmp_path / "whole"))
    with pytest.raises(Stop):
        train(stage, rows, two(tmp_path / "killed", Stopping()))
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"training.worker" in read(path)], "no process is left behind"
    events: list = []
    resumed = train(replace(stage), rows, two(tmp_path / "killed", events))
    told = [event.message for event in events if isinstance(event, Notice)]
    assert len(told) == 1 and told[0].startswith("training goes on after step ")
    assert distance(whole.path, resumed.path) <= 1e-6
    assert [m["step"] for m in resumed.metrics] == list(range(1, 7))

"""A training that is killed and started again, and the checkpoints that it goes on from."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.clauses import Lora
from mixc.compiler.plan.stages import Amount, Train
from mixc.runtime.events import Notice
from mixc.runtime.training.checkpoints import newest_whole, seal
from mixc.runtime.training.layout import steps_between, steps_of
from mixc.tests.runtime.test_train import ROOT, distance, make_context, make_rows, make_stage, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")

KILLED = """
import os, signal, sys
root, student, folder, kind, last = sys.argv[1:]
sys.path.insert(0, root + "/tests")
import conftest
from pathlib import Path
from mixc.tests.runtime import test_resume as here
from mixc.runtime.events import Progress

class Kill(list):
    def append(self, event):
        if isinstance(event, Progress) and event.done == int(last):
            os.kill(os.getpid(), signal.SIGKILL)

here.train(here.stage_of(kind, Path(student)), here.rows_of(kind), here.make_context(Path(folder), Kill()))
"""
LORA = {"method": "lora", "lora": Lora(rank=4, alpha=8, dropout=0.2), "learning_rate": 1e-2}
KINDS: dict[str, dict] = {
    "plain": {},
    "packing": {"packing": True, "gradient_checkpointing": True, "save": Amount(value=1, unit="steps")},
    "lora": {**LORA, "save": Amount(value=0.7, unit="epochs")},
    "all": {**LORA, "packing": True, "max_length": 150, "save": Amount(value=2, unit="steps")},
}


def stage_of(kind: str, student: Path) -> Train:
    return make_stage(student, steps=11, **KINDS[kind])


def rows_of(kind: str) -> pl.DataFrame:
    rows = make_rows(16)
    return rows.with_columns(weight=pl.Series([1.0, 0.5, 2.0, 4.0] * 4)) if kind in ("packing", "all") else rows


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def run_killed(student: Path, folder: Path, kind: str, step: int) -> int:
    import torch

    command = [sys.executable, "-c", KILLED, str(ROOT), str(student), str(folder), kind, str(step)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.run(command, env={**os.environ, **threads}, capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["packing", "lora", "all"])
def test_killed_at_any_step_and_started_again_it_ends_with_the_same_weights_to_the_bit(kind: str, student: Path, tmp_path: Path) -> None:
    """Optimiser, schedule, order of the examples, random numbers (the dropout of `lora`): all of it goes on; one processor, so no bit may differ."""
    step = random.randint(4, 10)
    whole = train(stage_of(kind, student), rows_of(kind), make_context(tmp_path / "whole"))
    folder = tmp_path / "killed"
    assert run_killed(student, folder, kind, step) == -signal.SIGKILL
    (checkpoints,) = (folder / "store" / "checkpoints").iterdir()
    between = {"packing": 1, "lora": 2, "all": 2}[kind]
    kept = (step - 1) // between * between  # the step is told before its checkpoint is written
    assert [path.name for path in checkpoints.glob("checkpoint-*")] == [f"checkpoint-{kept}"], step
    half = checkpoints / "checkpoint-11"  # what a kill in the middle of saving leaves
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    (half / "trainer_state.json").write_text('{"global_step": 11}')
    events: list = []
    resumed = train(stage_of(kind, student), rows_of(kind), make_context(folder, events))
    assert [e.message for e in events if isinstance(e, Notice)] == [f"training goes on after step {kept} of 11"]
    assert distance(whole.path, resumed.path) == 0, f"killed at step {step}"
    assert whole.metrics == resumed.metrics, f"killed at step {step}"
    assert not list((folder / "store" / "checkpoints").iterdir())


@pytest.mark.slow
def test_a_training_may_be_killed_more_than_once(student: Path, tmp_path: Path) -> None:
    whole = train(stage_of("plain", student), rows_of("plain"), make_context(tmp_path / "whole"))
    folder = tmp_path / "killed"
    assert run_killed(student, folder, "plain", 5) == -signal.SIGKILL
    assert run_killed(student, folder, "plain", 5) == -signal.SIGKILL  # the 5th step of the second try is the 8th of all
    events: list = []
    resumed = train(stage_of("plain", student), rows_of("plain"), make_context(folder, events))
    assert [e.message for e in events if isinstance(e, Notice)] == ["training goes on after step 6 of 11"]
    assert distance(whole.path, resumed.path) == 0 and whole.metrics == resumed.metrics


def checkpoint(folder: Path, step: int, layout: str = "1") -> Path:
    made = folder / f"checkpoint-{step}"
    (made / "sub").mkdir(parents=True)
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "sub" / "state.json").write_text("{}")
    seal(made, layout)
    return made


def test_only_a_sealed_checkpoint_whose_files_are_whole_is_taken(tmp_path: Path) -> None:
    first, second, third, fourth, fifth = (checkpoint(tmp_path, step) for step in (2, 10, 11, 12, 13))
    (third / "model.safetensors").write_bytes(b"weig")  # a disk that lost the end
    (fourth / "sub" / "state.json").unlink()
    (fifth / "whole.json").unlink()
    other = checkpoint(tmp_path, 14, "2")  # written by two processes
    assert newest_whole(tmp_path, "1") == second
    assert first.exists() and not any(path.exists() for path in (third, fourth, fifth, other))
    (second / "whole.json").write_text('["no seal"]')
    assert newest_whole(tmp_path, "1") == first
    assert newest_whole(tmp_path / "none", "1") is None


def test_steps_and_epochs_between_checkpoints() -> None:
    assert [steps_of(None, 40, 8, 100), steps_of(1.0, None, 8, 100), steps_of(2.5, None, 8, 100)] == [40, 13, 33]
    assert [steps_between(save, 40, 8, 100) for save in (None, (3, "steps"), (1, "epochs"), (0.5, "epochs"), (0.01, "epochs"))] == [8, 3, 13, 6, 1]


def test_save_and_report_are_in_no_fingerprint(student: Path, tmp_path: Path) -> None:
    first = train(make_stage(student, steps=2), make_rows(6), make_context(tmp_path))
    again = train(make_stage(student, steps=2, save=Amount(value=1, unit="steps")), make_rows(6), make_context(tmp_path))
    assert again.reused and again.path == first.path
    assert json.loads((first.path.parent / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 2

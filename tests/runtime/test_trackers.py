"""Trackers by name: really run where they are installed, told of where they are not, their files in the store."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from mixc.compiler.source import Span
from mixc.runtime.training.trackers import require_trackers
from mixc.tests.cli.program import mixc
from mixc.tests.project import STUDENT, make_project
from mixc.tests.runtime.test_train import make_context, make_rows, make_stage, shown, train
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("trl")
REPORT = Span("a.mix", 30, 40)


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("student"))


def test_a_tracker_that_is_not_installed_is_an_error_at_its_clause_before_anything_is_loaded(tmp_path: Path, monkeypatch, golden) -> None:
    from mixc.compiler.diagnostics import Fault

    monkeypatch.setattr("mixc.runtime.training.trackers.find_spec", lambda name: None)
    stage = make_stage(tmp_path / "no model is here", report=("wandb", "trackio"), report_span=REPORT)
    with pytest.raises(Fault) as caught:
        require_trackers(stage)
    assert [(d.code, d.primary.span if d.primary else None) for d in caught.value.diagnostics] == [("MIX0509", REPORT)] * 2
    assert "`report wandb` needs the package `wandb`" in shown(lambda: require_trackers(stage))
    require_trackers(make_stage(tmp_path))


@pytest.mark.skipif(find_spec("wandb") is not None, reason="wandb is installed")
def test_a_build_says_so_before_it_looks_for_its_student(tmp_path: Path) -> None:
    make_project(tmp_path)
    text = STUDENT.replace('model "tiny"', 'model "nobody/no-such-model"').replace("train tiny {\n", "train tiny {\n  report wandb\n")
    (tmp_path / "whole.mix").write_text(text)
    line = text[: text.index("report wandb")].count("\n") + 1
    done = mixc("build", "whole.mix", cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 4 and "MIX0509" in done.stderr and f"whole.mix:{line}:" in done.stderr, done.stderr
    assert "pip install wandb" in done.stderr and not (tmp_path / "build").exists()


def test_tensorboard_has_every_loss_and_lies_in_the_store(student: Path, tmp_path: Path, monkeypatch, capfd) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.chdir(tmp_path)
    stage = make_stage(student, report=("tensorboard",), report_span=REPORT)
    trained = train(stage, make_rows(12), make_context(tmp_path))
    (written,) = tmp_path.rglob("events.out.tfevents.*")
    assert written.parent == tmp_path / "store" / "logs" / "tensorboard" / f"tiny-{trained.path.parent.name[:8]}"
    assert capfd.readouterr() == ("", "")
    read = accumulator.EventAccumulator(str(written.parent))
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("train/loss")] == [(m["step"], pytest.approx(m["loss"])) for m in trained.metrics]
    assert [e.value for e in read.Scalars("train/learning_rate")] == pytest.approx([m["learning_rate"] for m in trained.metrics])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]  # nothing in the working directory
    assert not [name for name in os.environ if name.startswith(("TENSORBOARD_", "WANDB_", "TRACKIO_"))]
    plain = train(make_stage(student), make_rows(12), make_context(tmp_path))
    assert plain.reused  # who is told changes no weight


@pytest.mark.skipif(find_spec("trackio") is None, reason="no trackio")
def test_trackio_writes_into_the_store_too(student: Path, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    train(make_stage(student, report=("trackio",), report_span=REPORT), make_rows(6), make_context(tmp_path))
    assert capfd.readouterr().out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]
    assert list((tmp_path / "store" / "logs" / "trackio").iterdir())

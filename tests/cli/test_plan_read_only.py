"""`mixc plan` where the store may only be read: it says what it would say anyway, and keeps nothing."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.tests.project import STUDENT, make_project
from mixc.tests.runtime.tiny import make_tiny_student

Planned = Callable[[], dict]


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Planned:
    """What `mixc plan` tells as JSON in a project with a tiny student, without a word on stderr."""
    make_project(tmp_path)
    make_tiny_student(tmp_path / "tiny")
    (tmp_path / "whole.mix").write_text(STUDENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)

    def run() -> dict:
        capfd.readouterr()
        code = main(["-q", "plan", "whole.mix", "--format", "json"])
        shown = capfd.readouterr()
        assert (code, shown.err) == (0, "")
        return json.loads(shown.out)

    return run


def block(store: Path) -> None:
    """Put a file where each folder of the store would be made, and a folder where a file would: nothing can be written, not even by root."""
    for name in ("locks", "scores", "artifacts", "checkpoints"):
        if name == "locks" or not (store / name).exists():
            shutil.rmtree(store / name, ignore_errors=True)
            (store / name).parent.mkdir(exist_ok=True)
            (store / name).write_text("")
    for name in ("counts.jsonl", "digests.json"):
        if not (store / name).exists():
            (store / name).mkdir()


def listed(store: Path) -> set[Path]:
    return set(store.rglob("*"))


def test_nothing_is_kept_and_nothing_is_said(planned: Planned) -> None:
    block(Path(".mixc"))
    before = listed(Path(".mixc"))
    sealed = planned()
    assert listed(Path(".mixc")) == before
    shutil.rmtree(".mixc")
    assert planned() == sealed and {path.name for path in listed(Path(".mixc"))} >= {"scores", "locks"}


def test_what_is_in_the_store_is_read_and_a_build_that_must_write_says_what_it_cannot(planned: Planned, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", "build", "whole.mix", "--until", "select"]) == 0
    capfd.readouterr()
    expected = planned()
    assert expected["feasible"] is True
    block(Path(".mixc"))
    before = listed(Path(".mixc"))
    assert planned() == expected and listed(Path(".mixc")) == before
    assert main(["-q", "build", "whole.mix", "--until", "select"]) != 0
    assert "MIX0512" in capfd.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission_to_write_it_is_the_same(planned: Planned) -> None:
    free = planned()
    shutil.rmtree(".mixc")
    Path(".mixc").mkdir(mode=0o500)
    try:
        assert planned() == free and not listed(Path(".mixc"))
    finally:
        Path(".mixc").chmod(0o700)

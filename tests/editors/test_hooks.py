"""The hooks of pre-commit and the GitHub Action, run as those would run them."""

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mixc.tests.editors.meaning import ROOT
from mixc.tests.project import make_project

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SOUND = """\
mix "sound" { seed 3 }

corpus rows {
  scan     "data/*.jsonl"
  prompt   question
  response answer
  teacher  model
}

select {
  quota  teacher "rambler" <= 30%
  budget 12 examples
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a sound spec in it, and `mixc` on the path."""
    make_project(tmp_path)
    for path in tmp_path.glob("*.mix"):
        path.unlink()
    (tmp_path / "sound.mix").write_text(SOUND)
    program = tmp_path / "bin" / "mixc"
    program.parent.mkdir()
    start = f"import runpy, sys; runpy.run_path({str(ROOT / 'tests' / 'conftest.py')!r}); sys.argv[0] = 'mixc'; runpy.run_module('mixc.cli.main', run_name='__main__')"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(start)} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("init", "-q", ".")
    commit()
    return tmp_path


def git(*words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    git("add", "-A")
    git("commit", "-qm", "more")
    return git("rev-parse", "HEAD")


def act(**variables: str) -> subprocess.CompletedProcess[str]:
    """The step of the action that does the work."""
    step = ACTION["runs"]["steps"][-1]
    assert set(step["env"]) >= variables.keys() - {"GITHUB_STEP_SUMMARY"}
    environment = {**os.environ, "GITHUB_ACTION_PATH": str(ROOT), "MIXC_SPECS": "", "MIXC_FORMAT": "true", "MIXC_BASE": "", **variables}
    return subprocess.run(["bash", "-c", step["run"]], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("hook", HOOKS, ids=[h["id"] for h in HOOKS])
def test_a_hook_passes_a_sound_spec_and_stops_a_broken_one(hook: dict, project: Path) -> None:
    words = shlex.split(hook["entry"])
    assert subprocess.run([*words, "sound.mix"], capture_output=True).returncode == 0
    (project / "broken.mix").write_text(SOUND.replace("budget", "budjet"))
    assert subprocess.run([*words, "sound.mix", "broken.mix"], capture_output=True).returncode == 1


def test_the_action_passes_and_says_what_a_change_means(project: Path) -> None:
    base = git("rev-parse", "HEAD")
    (project / "sound.mix").write_text(SOUND.replace("<= 30%", "<= 20%"))
    commit()
    summary = project / "summary.md"
    run = act(MIXC_BASE=base, GITHUB_STEP_SUMMARY=str(summary))
    assert run.returncode == 0, run.stdout + run.stderr
    told = summary.read_text(encoding="utf-8")
    assert "re-select" in told and '`quota teacher "rambler" <= 20%`' in told


def test_the_action_marks_what_is_wrong_at_its_line(project: Path) -> None:
    (project / "sound.mix").write_text(SOUND.replace("budget 12", "budget 1,200"))
    commit()
    run = act()
    assert run.returncode == 1
    assert "::error file=sound.mix,line=12,col=10" in run.stdout


def test_the_action_fails_on_an_unformatted_spec_unless_told_otherwise(project: Path) -> None:
    (project / "folder").mkdir()
    (project / "folder" / "untidy.mix").write_text(SOUND.replace("quota  ", "quota ").replace("data/", "../data/"))
    commit()
    assert act().returncode == 2
    assert act(MIXC_FORMAT="false").returncode == 0
    assert act(MIXC_SPECS="sound.mix").returncode == 0
    assert act(MIXC_SPECS="folder").returncode == 2


def test_a_repository_without_specs_passes(project: Path) -> None:
    git("rm", "-qf", "sound.mix")
    assert act().returncode == 0

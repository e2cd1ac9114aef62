"""Promises in trained tokens, from the command line: `plan` knows before `build`, and `build` before it trains."""

import json
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.tests.project import SCORED, make_project
from mixc.tests.runtime.tiny import make_tiny_student

SPEC = (
    SCORED.partition("score correct")[0].replace('mix "scored" { seed 3 }', 'mix "kept" { seed 3 }\n\nstudent tiny {\n  model "tiny"\n  dtype fp32\n}')
    + """\
score length = tokens(student: tiny)

decontaminate none because "this is about lengths"

select {
  keep     best 1 per prompt by length
  quota    teacher "rambler" >= 80% of tokens
  budget   8 examples
  maximize length
}

train tiny {
  format     skill_aware
  steps      1
  batch      4 examples
  max_length LIMIT tokens
}
"""
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(tmp_path)
    make_tiny_student(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], limit: int, *words: str) -> tuple[int, str, str]:
    Path("kept.mix").write_text(SPEC.replace("LIMIT", str(limit)), encoding="utf-8")
    code = main(["-q", *words, "kept.mix"])
    shown = capfd.readouterr()
    return code, shown.out, shown.err


def test_a_row_left_out_is_known_in_plan_and_stops_a_build_before_it_trains(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, 44, "build", "--until", "select")[0] == 0
    code, out, err = run(capfd, 44, "plan")
    assert code == 4 and "tokenising breaks a promise" in out and "error[MIX0513]: `budget 8 examples`" in err, out + err
    assert "are left out: their prompts alone fill it" in err
    code, out, err = run(capfd, 44, "build")
    assert code == 4 and "error[MIX0513]: `budget 8 examples`" in err
    assert not list(folder.glob(".mixc/artifacts/*")) and not list(folder.glob(".mixc/checkpoints/*")), "nothing was trained"
    assert (folder / "build" / "kept" / "selected.parquet").is_file(), "the selection is finished and stays"


def test_a_plan_of_a_student_without_a_template_says_so_and_counts_nothing_behind_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_tiny_student(folder / "tiny", chat_template=False)
    for left in (folder / "tiny").glob("chat_template*"):
        left.unlink()
    code, out, err = run(capfd, 300, "plan")
    assert code == 4 and "error[MIX0507]: student `tiny` lacks a chat template" in err, out + err
    assert "no model has anything to do" not in out and "the error MIX0507" in out, out


def test_what_is_cut_is_shown_where_no_promise_is_broken(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, 130, "build", "--until", "select")[0] == 0
    code, out, _ = run(capfd, 130, "plan", "--format", "json")
    found = json.loads(out)["tokenised"]
    assert code == 0 and found["truncated"] and [p["kept"] for p in found["promises"]] == [True, True]
    code, out, _ = run(capfd, 130, "plan")
    section = out.partition("trains on")[2].partition("feasible")[0]
    assert code == 0 and f"{len(found['truncated'])} of 8 responses are cut at 130 tokens" in section and f"{found['tokens']:,} tokens that carry loss" in section


def test_a_plan_of_a_training_whose_tokens_a_column_counts_knows_it_too(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.tests.test_trained_tokens.SPEC", SPEC.replace("tokens(student: tiny)", "column(count, unit: tokens)"))
    code, out, err = run(capfd, 44, "plan")
    assert code == 4 and "error[MIX0513]: `budget 8 examples`" in err, out + err


@pytest.mark.slow
def test_a_build_shows_promised_and_trained_tokens_side_by_side(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("trl")
    code, out, err = run(capfd, 130, "build")
    assert code == 0, err
    training = json.loads((folder / "build" / "kept" / "manifest.json").read_text())["training"]
    assert sum(p["trained"] for p in training["teachers"]) == training["tokens"] and sum(p["rows"] for p in training["teachers"]) == 8
    assert sum(p["cut"] for p in training["teachers"]) == len(training["truncated"]) > 0
    shown = [line.split() for line in out.partition("trained on")[2].splitlines() if line.strip()]
    assert shown[0] == ["teacher", "examples", "tokens", "selected", "trained", "on", "share", "cut", "left", "out"]
    (rambler,) = [p for p in training["teachers"] if p["name"] == "rambler"]
    share = f"{rambler['trained'] / training['tokens']:.0%}"
    assert ["rambler", "8", str(rambler["selected"]), str(rambler["trained"]), share, str(rambler["cut"])] in shown
    card = (folder / "build" / "kept" / "model" / "README.md").read_text()
    assert f"| rambler | not stated | 8 | {rambler['trained']:,} |" in card and str(folder) not in card
    assert (folder / "build" / "kept" / "model" / "loss.svg").read_text().startswith("<svg")
    assert not list(folder.glob(".mixc/artifacts/models/*/model/README.md")), "the store's copy is that of every recipe"
    assert any(line[0] == "skill" for line in shown) and any(line[0] == "addition" for line in shown)

"""What a plan says that a model costs, against what the model was then given to read; with a tiny student."""

import json
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.compiler.plan.schema import violations
from mixc.tests.project import STUDENT, make_project, rows, write_rows
from mixc.tests.runtime.tiny import make_tiny_student

SPEC = STUDENT.partition("train tiny")[0].replace("verify_math(reference)", "column(good)")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose only missing scores are likelihoods, with one response that the model cannot read whole."""
    make_project(tmp_path)
    made = rows(12)
    made[0]["answer"] = "word " * 300 + str(made[0]["answer"])
    write_rows(tmp_path / "data" / "rows.jsonl", made)
    make_tiny_student(tmp_path / "tiny", context=256)
    (tmp_path / "whole.mix").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    return tmp_path


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["-q", "plan", "whole.mix", "--format", "json", *words]) == 0
    data = json.loads(capsys.readouterr().out)
    assert violations(data, report=True) == []
    return data


def test_the_tokens_that_a_plan_promises_are_those_that_the_model_reads(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = planned(capsys, "--rate", "100")
    (cost,) = [c for c in before["costs"] if c["stage"] == "score:naturalness"]
    assert cost["by"] == "tokenizer" and cost["tokens"]["exact"] and cost["rows"]["exact"]
    assert cost["seconds"]["value"] == pytest.approx(cost["tokens"]["value"] / 100) and cost["measured"] is None
    (later,) = [c for c in before["costs"] if c["stage"] == "score:fluency"]
    assert not later["tokens"]["exact"] and later["rows"]["value"] == 8

    assert main(["-q", "build", "whole.mix"]) == 0
    capsys.readouterr()
    stages = {s["stage"]: s for s in json.loads((project / "build" / "whole" / "manifest.json").read_text())["stages"]}
    assert stages["score:naturalness"]["tokens"] == cost["tokens"]["value"]
    assert 0 < stages["score:naturalness"]["reading"] <= stages["score:naturalness"]["seconds"]
    assert stages["score:length"]["tokens"] == 0

    after = planned(capsys)
    assert after["feasible"] is True and after["cached"]["up_to_date"] is True
    assert all(c["rows"]["value"] == 0 and c["tokens"]["value"] == 0 for c in after["costs"])

    make_tiny_student(project / "tiny", context=256, seed=1)
    changed = planned(capsys)
    assert changed["costs"][0]["tokens"] == cost["tokens"] and changed["cached"]["up_to_date"] is False
    assert {s["why"] for s in changed["cached"]["stages"].values()} >= {"the files of student `tiny` have changed"}


def test_a_run_leaves_its_rate_to_the_next_plan(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(capsys)["costs"][0]["rate"] is None
    assert main(["-q", "build", "whole.mix", "--until", "select"]) == 0
    capsys.readouterr()
    (project / "whole.mix").write_text(SPEC.replace("window: 2 steps", "window: 1 steps"))
    cost = planned(capsys)["costs"][0]
    lines = [json.loads(line) for line in (project / ".mixc" / "rates.jsonl").read_text().splitlines()]
    assert cost["rate"] == pytest.approx(lines[-1]["tokens"] / lines[-1]["seconds"])
    assert cost["measured"] == "measured in 1 run on cpu"
    assert main(["-q", "plan", "whole.mix"]) == 0
    assert "tokens/s, measured in 1 run on cpu" in " ".join(capsys.readouterr().out.split())


def test_a_student_that_is_yet_to_be_fetched_is_guessed_at_by_characters(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exact = planned(capsys)["costs"][0]["tokens"]["value"]
    (project / "whole.mix").write_text(SPEC.replace('model "tiny"', 'model "nobody/has-this-model"'))
    data = planned(capsys)
    cost = data["costs"][0]
    assert cost["by"] == "characters" and not cost["tokens"]["exact"] and cost["rate"] is None
    assert 0.3 * exact < cost["tokens"]["value"] < 3 * exact
    assert not data["known"]["scan:rows"]["tokens"]["exact"]
    assert main(["-q", "plan", "whole.mix"]) == 0
    assert "guessed from characters" in " ".join(capsys.readouterr().out.split())


def test_a_model_that_the_store_has_costs_nothing_to_train(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("trl")
    whole = STUDENT.replace("verify_math(reference)", "column(good)")
    (project / "whole.mix").write_text(whole)
    assert main(["-q", "build", "whole.mix"]) == 0
    capsys.readouterr()
    for old, new, due in (("fluency ", "ease    ", 0), ("steps         2", "steps         3", 8)):
        (project / "whole.mix").write_text(whole.replace(old, new))
        (cost,) = [c for c in planned(capsys)["costs"] if c["what"] == "train"]
        assert cost["due"] and cost["rows"] == {"value": due, "exact": True} and bool(cost["tokens"]["value"]) is bool(due)
        _, shown = main(["-q", "plan", "whole.mix"]), capsys.readouterr().out
        assert ("in the store" in shown) is (due == 0) and ("train: 8 to train on" in shown) is bool(due)

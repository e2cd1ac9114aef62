"""The confounding audit from the command line: the manifest and the plan have the same numbers, and a strong relation is told once, unless it is allowed."""

import json
from pathlib import Path

import pytest
from mixc.compiler.plan.schema import violations
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import STUDENT, make_project, rows, write_rows
from mixc.tests.runtime.tiny import make_tiny_student

SPEC = STUDENT[: STUDENT.index("train tiny")].replace("quota    teacher brief <= 60%\n  ", "").replace("  where    naturalness >= p10 within teacher\n", "")
"""Selected by naturalness; nothing is trained, and no teacher is bounded."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a project of 24 prompts with a tiny student; gives the exit code, stdout and stderr."""
    make_project(tmp_path, prompts=24)
    make_tiny_student(tmp_path / "tiny")
    (tmp_path / "whole.mix").write_text(SPEC)
    return runner(tmp_path, monkeypatch, capsys)


def lengthened() -> None:
    """Each teacher says one word over and over, one of them 3 times and the others 40 times: which teacher it was is nearly all that a score can tell."""
    made = [r | {"answer": f"{'clips ' * (3 if r['model'] == 'terse' else 40)}\\boxed{{{r['gold']}}}"} for r in rows(24)]
    write_rows(Path("data/rows.jsonl"), made)


def audit(run: Run) -> tuple[list[dict], list[dict], str]:
    """The audit and the diagnostics of `mixc plan`, and what it says on stderr."""
    code, shown, _ = run("plan", "whole.mix", "--format", "json")
    data = json.loads(shown)
    assert code == 0 and violations(data) == violations(data, report=True) == []
    return data["audit"], [d for d in data["diagnostics"] if d["code"] == "MIX0614"], run("plan", "whole.mix")[2]


def test_the_plan_has_the_numbers_of_the_build_once_they_are_cached(run: Run) -> None:
    assert audit(run)[0] == []
    assert "\naudit" not in run("plan", "whole.mix")[1]
    assert run("build", "whole.mix", "-q")[0] == 0
    built = json.loads(Path("build/whole/manifest.json").read_text())
    assert [(a["score"], a["one_step"]) for a in built["audit"]] == [("naturalness", False), ("fluency", True)]
    naturalness, fluency = built["audit"]
    assert naturalness["rows"] == built["counts"]["scores"]["naturalness"]["computed"] and fluency["rows"] == built["counts"]["selected"]
    assert naturalness["teacher"]["teachers"] == 2 and 0 < naturalness["teacher"]["explains"] < 1
    assert audit(run)[0] == built["audit"]
    shown = run("plan", "whole.mix")[1]
    assert "\naudit       naturalness, " in shown and "(a response is one step)" in shown


def test_a_build_that_stops_at_the_scores_has_the_audit_of_its_scores(run: Run) -> None:
    assert run("build", "whole.mix", "-q", "--until", "score")[0] == 0
    built = json.loads(Path("build/whole/manifest.json").read_text())
    assert [a["score"] for a in built["audit"]] == ["naturalness"]


def test_a_strong_relation_is_told_by_build_and_plan_and_silenced_by_a_comment(run: Run) -> None:
    lengthened()
    code, summary, said = run("build", "whole.mix")
    assert code == 0 and said.count("warning[MIX0614]: `naturalness` goes with ") == 1
    line = next(number for number, text in enumerate(SPEC.splitlines(), 1) if text.startswith("score naturalness"))
    assert f"whole.mix:{line}:1" in said
    (told,) = [text for text in summary.splitlines() if text.startswith("MIX0614")]
    assert told.startswith("MIX0614: `naturalness` goes with ")
    found, diagnostics, said = audit(run)
    assert found[0]["teacher"]["within_prompts"] >= 0.5 and said.count("warning[MIX0614]") == 1
    assert [(d["severity"], d["start"]["line"]) for d in diagnostics] == [("warning", line)]
    assert run("build", "whole.mix", "-q")[2] == ""

    allowed = '# mixc: allow MIX0614 because "the teachers differ in length, which is what is studied"\nscore naturalness'
    Path("whole.mix").write_text(SPEC.replace("score naturalness", allowed))
    code, summary, said = run("build", "whole.mix")
    assert code == 0 and "MIX0614" not in summary + said and "MIX0610" not in said
    silent, diagnostics, said = audit(run)
    assert (silent, diagnostics) == (found, []) and "MIX0614" not in said
    assert "MIX0614" not in run("check", "whole.mix")[2]


def test_a_comment_at_another_score_silences_nothing(run: Run) -> None:
    lengthened()
    Path("whole.mix").write_text(SPEC.replace("score fluency", '# mixc: allow MIX0614 because "not this one"\nscore fluency'))
    assert run("build", "whole.mix")[2].count("warning[MIX0614]") == 1


def test_each_variant_is_told_of(run: Run) -> None:
    lengthened()
    Path("whole.mix").write_text("param size = 8\nsweep size in [6, 8]\n" + SPEC.replace("budget   8 examples", "budget   $size examples"))
    code, shown, said = run("build", "whole.mix", "--format", "json")
    assert code == 0 and "MIX0614" not in said
    assert [[d["code"] for d in v["diagnostics"]] for v in json.loads(shown)["variants"]] == [["MIX0614"], ["MIX0614"]]
    Path("whole.mix").write_text(Path("whole.mix").read_text().replace("[6, 8]", "[5, 7]"))
    assert run("build", "whole.mix", "--out", "other")[2].count("warning[MIX0614]") == 2

"""What `mixc diff` claims is what a build then does: two specs are compared, both are built, and the values that were really computed are counted."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.project import SCORED, STUDENT, make_project

Run = Callable[..., tuple[int, dict]]

GRADED = SCORED.replace("score correct = column(good)", "score correct = verify_math(reference)").replace(
    'teacher   model\n', 'teacher   model\n  where     split == "train"\n'
)
CHANGES = {
    "quota": ('"addition" >= 20%', '"addition" >= 30%', "re-select", "cached"),
    "budget": ("budget   12 examples", "budget   9 examples", "re-select", "cached"),
    "seed": ("seed 3", "seed 4", "re-select", "cached"),
    "keep": ("best 2", "best 3", "re-select", "cached"),
    "tighter": ("length <= 400 tokens", "length <= 20 tokens", "re-select", "cached"),
    "narrowed": ('split == "train"', 'split == "train" and topic != "addition"', "re-select", "cached"),
    "renamed": ("correct", "right", "cosmetic", "cached"),
    "widened": ('split == "train"', 'split in ["train", "test"]', "re-score", "new rows"),
}


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The program in a project's folder: the words after it to exit code and JSON."""
    monkeypatch.chdir(make_project(tmp_path))
    monkeypatch.delenv("MIXC_HOME", raising=False)

    def run(*words: str) -> tuple[int, dict]:
        code = main([*words, "--format", "json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def built(mixc: Run, spec: str) -> dict:
    code, data = mixc("build", spec)
    assert code == 0, data
    return data


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_said_to_stay_cached_is_not_computed_again(tmp_path: Path, mixc: Run, change: str) -> None:
    old, new, work, state = CHANGES[change]
    after = GRADED.replace(old, new)
    if change == "narrowed":
        after = after.replace('  quota    skill "addition" >= 20%\n', "")
    (tmp_path / "a.mix").write_text(GRADED)
    (tmp_path / "b.mix").write_text(after)
    first = built(mixc, "a.mix")
    scored = first["counts"]["scores"]["correct"]
    assert scored["computed"] > 0 and scored["reused"] == 0
    code, found = mixc("diff", "a.mix", "b.mix")
    assert code == (0 if work == "cosmetic" else 2)
    assert found["class"] == work
    name = "right" if change == "renamed" else "correct"
    assert [score["state"] for score in found["scores"] if score["name"] == name] == [state]
    done = built(mixc, "b.mix")["counts"]["scores"][name]
    if state == "cached":
        assert done["computed"] == 0
    else:
        assert done["computed"] == 6 and done["reused"] == scored["computed"]
    if work == "cosmetic":
        rows = [pl.read_parquet(tmp_path / "build" / each / "selected.parquet").rename({name: "correct"}, strict=False) for each in "ab"]
        assert rows[0].equals(rows[1])


def test_a_build_tells_how_many_values_it_has(tmp_path: Path, mixc: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mix").write_text(GRADED)
    (tmp_path / "b.mix").write_text(GRADED.replace("12 examples", "9 examples"))
    built(mixc, "a.mix")
    assert main(["diff", "build/a", "b.mix"]) == 2
    assert "stays cached  score correct (30 values)\n" in capsys.readouterr().out


def test_build_folders_and_plans_are_compared_as_their_specs(tmp_path: Path, mixc: Run) -> None:
    (tmp_path / "a.mix").write_text(SCORED)
    (tmp_path / "b.mix").write_text(SCORED.replace("12 examples", "9 examples"))
    for spec in ("a.mix", "b.mix"):
        built(mixc, spec)
    (tmp_path / "plan.json").write_text(json.dumps(mixc("plan", "b.mix")[1]))
    changes = []
    for before, after in (("a.mix", "b.mix"), ("build/a", "build/b"), ("build/a/plan.json", "b.mix"), ("a.mix", "plan.json")):
        code, found = mixc("diff", before, after)
        assert code == 2
        (change,) = found["changes"]
        changes.append((change["class"], change["before"]["text"], change["after"]["text"]))
    assert set(changes) == {("re-select", "budget 12 examples", "budget 9 examples")}


def test_a_score_of_the_selected_rows_that_a_clause_now_reads_is_computed_for_the_others(tmp_path: Path, mixc: Run) -> None:
    (tmp_path / "a.mix").write_text(GRADED.replace("  where    correct\n", ""))
    (tmp_path / "b.mix").write_text(GRADED)
    assert built(mixc, "a.mix")["counts"]["scores"]["correct"] == {"computed": 12, "reused": 0}
    _, found = mixc("diff", "a.mix", "b.mix")
    (change,) = found["changes"]
    assert (change["class"], change["note"]) == ("re-score", "`correct` for every candidate")
    assert {"name": "correct", "state": "new rows", "rows": "candidates"} in found["scores"]
    assert built(mixc, "b.mix")["counts"]["scores"]["correct"] == {"computed": 18, "reused": 12}
    code, found = mixc("diff", "b.mix", "a.mix")
    assert code == 2 and found["class"] == "re-select"
    assert built(mixc, "a.mix")["counts"]["scores"]["correct"] == {"computed": 0, "reused": 12}


WAITING = {
    "profile": ("attempts    2 per", "attempts    3 per", "profile", {"correct", "length", "naturalness"}),
    "score": ("perplexity(student: tiny)", "entropy(student: tiny)", "score:fluency", {"correct", "length", "naturalness"}),
    "training": ("rank: 16", "rank: 8", "train", {"correct", "length", "naturalness", "fluency"}),
}


@pytest.mark.parametrize("change", WAITING)
def test_a_clause_that_is_not_run_yet_is_told_once_and_touches_no_more_than_it_says(tmp_path: Path, mixc: Run, change: str) -> None:
    spec = STUDENT.replace("global_logprob", "perplexity").replace("train tiny {", "train tiny {\n  method lora(rank: 16, alpha: 32, dropout: 0.05)")
    spec += "\nprofile tiny {\n  attempts    2 per prompt\n  temperature 0.6\n  grade       verify_math(reference)\n}\n"
    spec = spec.replace("  quota    teacher", "  quota    skill weakness(max_weight: 20)\n  quota    teacher")
    old, new, runs, cached = WAITING[change]
    (tmp_path / "tiny").mkdir()
    (tmp_path / "a.mix").write_text(spec)
    (tmp_path / "b.mix").write_text(spec.replace(old, new))
    assert old in spec
    code, found = mixc("diff", "a.mix", "b.mix")
    assert code == 2 and len(found["changes"]) == 1
    assert found["run"][0].startswith(runs)
    assert {s["name"] for s in found["scores"] if s["state"] == "cached"} == cached

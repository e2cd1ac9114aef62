"""Profiles from the command line: measured by a grader of an installed package, aimed by, kept, read again by another spec."""

import json
import shutil
import sys
from importlib import invalidate_caches
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.scorers import registry
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")
GRADER = '''
"""A grader of another package: a response is right if it has a letter."""

import polars as pl

SIGNATURE = {"says": "whether a letter is there", "parameters": [{"name": "letter", "kind": "text", "default": "e"}], "type": "bool", "cost": "cheap", "version": 1}


class Has:
    name, reports = "has", False

    def identity(self, stage, context):
        return {"scorer": "has", "version": stage.version, "arguments": dict(stage.arguments), "package": stage.package}

    def schema(self, stage):
        return {"has": pl.Boolean(), "why": pl.String()}

    def compute(self, stage, rows, context):
        has = pl.col("response").str.contains(dict(stage.arguments)["letter"], literal=True)
        yield rows.select("key", has.alias("has"), pl.lit(None, pl.String).alias("why"))

    def value(self, stage, stored):
        return stored.select("key", pl.col("has").alias("value"), "why")
'''
ENTRIES = "[mixc.signatures]\nhas = hasletter:SIGNATURE\n\n[mixc.scorers]\nhas = hasletter:Has\n"
STUDENTS = "".join(f'student {name} {{\n  model "{name}"\n  dtype fp32\n}}\n' for name in ("tiny", "other"))
PROFILE = """\
profile tiny {
  attempts    2 per prompt
  sample      6 prompts per skill
  temperature 0.9
  max_tokens  12 tokens
  grade       has(letter: "c")
}
"""
SELECT = "select {\n  where    correct\n  quota    skill weakness(max_weight: 5)\n  budget   12 examples\n  maximize -length\n}\n"
TRAIN = "train tiny { steps 1 }\n"
HEAD = SCORED[: SCORED.index("select {")]


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("students")
    for seed, name in enumerate(("tiny", "other")):
        make_tiny_student(folder / name, seed=seed)
    return folder


@pytest.fixture
def run(students: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    site = tmp_path / "site"
    (site / "has_letter-1.0.dist-info").mkdir(parents=True)
    (site / "has_letter-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: has-letter\nVersion: 1.0\n")
    (site / "has_letter-1.0.dist-info" / "entry_points.txt").write_text(ENTRIES)
    (site / "hasletter.py").write_text(GRADER)
    monkeypatch.syspath_prepend(str(site))
    invalidate_caches()
    registry._installed.cache_clear()
    folder = make_project(tmp_path / "project")
    write_rows(folder / "data" / "rows.jsonl", rows(60))
    shutil.copytree(students, folder, dirs_exist_ok=True)
    (folder / "spec.mix").write_text(HEAD + STUDENTS.partition("student other")[0] + PROFILE + SELECT)
    return runner(folder, monkeypatch, capsys)


def built(run: Run, *words: str) -> tuple[Path, dict]:
    code, _, said = run("build", *words)
    assert code == 0, said
    folder = Path(words[-1] if "--out" in words else f"build/{Path(words[0]).stem}")
    return folder, json.loads((folder / "manifest.json").read_text())


def test_the_selection_aims_by_what_was_measured_and_another_spec_by_its_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(run("skills", "spec.mix", "--format", "json")[1])["profile"] is None
    code, before, _ = run("plan", "spec.mix")
    assert code == 0 and "known only after the profile of `tiny` is measured" in before and "36 to answer" in before
    folder, manifest = built(run, "spec.mix")
    profile = json.loads((folder / "profile.json").read_text())
    assert {skill: counts["attempts"] for skill, counts in profile["skills"].items()} == dict.fromkeys(("addition", "multiplication", "subtraction"), 12)
    assert 0 < sum(counts["correct"] for counts in profile["skills"].values()) < 36
    kept = manifest["profiles"]["tiny"]
    assert (kept["prompts"], kept["responses"], kept["grader"], kept["prompts_per_skill"]) == (18, 36, "has", 6)
    assert manifest["models"]["tiny"]["weights"] == kept["weights"] == profile["measured"]["weights"]
    aimed = {leaf["leaf"]: leaf["target"] for leaf in manifest["selection"]["soft"]["leaves"]}
    assert sum(aimed.values()) == 12 and max(aimed.values()) > min(aimed.values())
    weakest = min(profile["skills"], key=lambda skill: profile["skills"][skill]["correct"])
    assert aimed[weakest] == max(aimed.values())

    code, after, _ = run("plan", "spec.mix")
    assert code == 0 and "known only" not in after and "up to date" in after and f"{weakest} {aimed[weakest]}" in after

    code, shown, _ = run("skills", "spec.mix", "--format", "json")
    skills = json.loads(shown)
    assert code == 0 and skills["profile"] == "tiny"
    assert {node["name"]: {name: node["student"][name] for name in ("attempts", "correct")} for node in skills["tree"]} == profile["skills"]

    shutil.copy(folder / "profile.json", "kept.json")
    Path("again.mix").write_text(Path("spec.mix").read_text().replace(PROFILE, 'profile tiny from "kept.json"\n'))
    other, read = built(run, "again.mix")
    assert pl.read_parquet(other / "selected.parquet").equals(pl.read_parquet(folder / "selected.parquet"))
    assert read["profiles"]["tiny"]["digest"] == kept["digest"]

    monkeypatch.setattr("mixc.runtime.engines.students.load", lambda *rest: pytest.fail("its weights were read"))
    same, _ = built(run, "spec.mix", "--out", "same")
    for name in ("profile.json", "selected.parquet", "train.jsonl", "ledger.parquet"):
        assert (same / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_run_that_ends_before_it_measures_nothing_and_one_that_ends_with_it_has_its_file(run: Run) -> None:
    folder, manifest = built(run, "spec.mix", "--until", "score", "--out", "scored")
    assert not (folder / "profile.json").exists() and "profile:tiny" not in manifest["finished"]
    folder, manifest = built(run, "spec.mix", "--until", "profile", "--out", "profiled")
    assert sorted(file.name for file in folder.iterdir()) == ["manifest.json", "mix.lock", "plan.json", "profile.json", "sources.json"]
    assert manifest["finished"][-1] == "profile:tiny"


def test_students_have_a_file_each_and_let_go_of_their_weights(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from mixc.runtime.engines.students import Students

    gone: list[str] = []
    release = Students.release
    monkeypatch.setattr(Students, "release", lambda self, model: (gone.append(model.student), release(self, model)))
    quota = SELECT.replace("  where    correct\n", "")
    text = HEAD + STUDENTS + PROFILE + PROFILE.replace("tiny", "other") + quota + TRAIN
    Path("two.mix").write_text(text)
    folder, manifest = built(run, "two.mix", "--until", "select")
    both = [json.loads((folder / name).read_text()) for name in ("profile.json", "profile-other.json")]
    assert [one["student"] for one in both] == ["tiny", "other"] and sorted(manifest["profiles"]) == ["other", "tiny"]
    assert gone == ["tiny", "other"]
    built(run, "two.mix", "--until", "select")


def test_a_test_of_the_recipe_measures_on_its_fixture(run: Run) -> None:
    write_rows(Path("few.jsonl"), rows(9))
    text = Path("spec.mix").read_text().replace("budget   12", "budget   6")
    Path("spec.mix").write_text(text + 'test "it aims" {\n  given "few.jsonl"\n  expect selected == 6 examples\n}\n')
    code, out, said = run("test", "spec.mix")
    assert code == 0, out + said


def test_a_student_that_is_asked_next_stays_loaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from mixc.runtime.engines.students import Students

    monkeypatch.setattr(Students, "release", lambda self, model: pytest.fail("it was let go of"))
    text = Path("spec.mix").read_text().replace("maximize -length", "maximize fluency").replace(PROFILE, PROFILE + "score fluency = global_logprob(student: tiny)\n")
    Path("next.mix").write_text(text)
    write_rows(Path("data/rows.jsonl"), rows(12))
    _, manifest = built(run, "next.mix", "--until", "select")
    assert manifest["finished"].index("profile:tiny") < manifest["finished"].index("score:fluency") < manifest["finished"].index("select")


def test_a_selection_that_cannot_be_is_told_before_anybody_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixc.runtime.engines.students.load", lambda *rest: pytest.fail("its weights were read"))
    Path("spec.mix").write_text(Path("spec.mix").read_text().replace("budget   12 examples", "budget   5000 examples"))
    code, _, said = run("build", "spec.mix")
    assert code == 3 and "MIX0401" in said


def test_a_grader_of_a_package_that_fails_is_told_as_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hasletter", raising=False)
    module = Path("../site/hasletter.py")
    module.write_text(GRADER.replace('        has = pl.col("response")', '        raise RuntimeError("kaboom")\n        has = pl.col("response")'))
    code, _, said = run("build", "spec.mix", "--until", "profile")
    assert code == 4 and "error[MIX0515]" in said and "`has` of an installed package raised RuntimeError: kaboom" in said
    assert "in `hasletter.py`, line" in said and "has-letter" in said and "a bug in mixc" not in said

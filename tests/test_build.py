"""Builds without a model, from the command line: what is written, that it is the same bytes every time, and that it needs no torch."""

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.tests.cli.program import CONFTEST, arguments, environment, mixc
from mixc.tests.cli.running import runner
from mixc.tests.project import SCORED, make_project, rows, write_rows

FILES = [
    *("README.md", "croissant.json", "examples.parquet", "ledger.parquet", "manifest.json", "mix.lock", "openlineage.jsonl", "plan.json", "report.html"),
    *("selected.parquet", "sources.json", "teachers.json", "train.jsonl"),
]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_free_build_writes_the_contracted_files(tmp_path: Path) -> None:
    make_project(tmp_path)
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "build" / "scored"
    assert sorted(p.name for p in out.iterdir()) == FILES
    selected, ledger = pl.read_parquet(out / "selected.parquet"), pl.read_parquet(out / "ledger.parquet")
    assert selected.columns == ["row_id", "prompt_id", "prompt", "response", "reference", "teacher", "skills", "tokens", "weight", "correct", "length"]
    trace = ["step", "3: -length", "3: place", "3: rival", "3: margin", "objective", "advantage", "tie"]
    assert ledger.columns == ["row_id", "prompt_id", "teacher", "skills", "tokens", "correct", "length", "status", "reason", *trace]
    assert selected.height == 12 and selected["row_id"].is_sorted() and ledger.height == 36
    assert ledger.filter(status="selected")["row_id"].to_list() == selected["row_id"].to_list()
    assert ledger.filter(status="dropped")["reason"].null_count() == 0
    assert selected["correct"].all() and selected["weight"].unique().to_list() == [1.0]
    assert selected.filter(pl.col("teacher") == "rambler").height <= 3
    assert selected.filter(pl.col("skills").list.contains("addition")).height >= 3
    assert selected.group_by("prompt_id").len()["len"].max() <= 2  # type: ignore[operator]
    lines = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    assert [line["row_id"] for line in lines] == selected["row_id"].to_list()
    assert lines[0]["messages"][1] == {"role": "assistant", "content": selected["response"][0]}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["selected"] == 12 and manifest["selection"]["gap"] == 0
    assert {c["clause"] for c in manifest["selection"]["clauses"]} == {
        'quota skill "addition" >= 20%', 'quota teacher "rambler" <= 30%', "budget 12 examples",
    }  # fmt: skip


@pytest.mark.parametrize("threads", ["1", "2"])
def test_selected_bytes_depend_on_nothing_but_content_and_seed(tmp_path: Path, threads: str) -> None:
    made = rows(40)
    digests = set()
    for number in range(3):
        project = make_project(tmp_path / str(number))
        shuffled = random.Random(number).sample(made, len(made))
        if number == 2:
            (project / "data" / "rows.jsonl").unlink()
            write_rows(project / "data" / "b.jsonl", shuffled[:31])
            write_rows(project / "data" / "a.jsonl", shuffled[31:])
        else:
            write_rows(project / "data" / "rows.jsonl", shuffled if number else made)
        done = mixc("build", "scored.mix", cwd=project, POLARS_MAX_THREADS=threads)
        assert done.returncode == 0, done.stderr
        digests.add(tuple(digest(project / "build" / "scored" / name) for name in ("selected.parquet", "ledger.parquet", "train.jsonl")))
    assert len(digests) == 1
    reference = make_project(tmp_path / "again")
    write_rows(reference / "data" / "rows.jsonl", made)
    mixc("build", "scored.mix", cwd=reference, POLARS_MAX_THREADS="3")
    assert digests == {tuple(digest(reference / "build" / "scored" / name) for name in ("selected.parquet", "ledger.parquet", "train.jsonl"))}


NO_TORCH = f"""
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "trl", "vllm"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
runpy.run_path({str(CONFTEST)!r})
runpy.run_module("mixc.cli.main", run_name="__main__")
"""


def without_torch(*words: str, cwd: Path):
    import subprocess

    return subprocess.run(arguments(*words, code=NO_TORCH), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def test_a_model_free_build_runs_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    make_project(tmp_path)
    for verb in ("check", "plan", "build"):
        done = without_torch(verb, "scored.mix", cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_until_select_leaves_out_what_comes_later(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert mixc("build", "scored.mix", "--out", "here", "--until", "select", cwd=tmp_path).returncode == 0
    assert sorted(p.name for p in (tmp_path / "here").iterdir()) == [f for f in FILES if f != "train.jsonl"]
    assert mixc("build", "scored.mix", "--out", "there", "--until", "scan", cwd=tmp_path).returncode == 0
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["manifest.json", "mix.lock", "plan.json", "sources.json"]


def test_one_is_told_as_one(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "scored.mix").write_text(SCORED.replace("keep     best 2 per prompt by -length", "keep     at most 1 per prompt").replace("12 examples", "6 examples"))
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("keep at most 1 per prompt")]
    assert " 1 example " in f"{line} " and "1 examples" not in line


def test_set_changes_a_param_from_outside(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "scored.mix").write_text("param n = 12\n" + SCORED.replace("budget   12 examples", "budget   $n examples"))
    done = mixc("build", "scored.mix", "--set", "n=7", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["selected"] == 7


def test_a_failed_build_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    make_project(tmp_path)
    assert mixc("build", "scored.mix", cwd=tmp_path).returncode == 0
    out = tmp_path / "build" / "scored"
    before = {p.name: digest(p) for p in out.iterdir()}
    (tmp_path / "scored.mix").write_text(SCORED.replace("budget   12 examples", "budget   1200 examples"))
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "MIX0401" in done.stderr and "budget 1200 examples" in done.stderr
    assert {p.name: digest(p) for p in out.iterdir()} == before
    assert [p.name for p in out.parent.iterdir()] == ["scored"]


def test_a_build_never_takes_the_place_of_files_it_did_not_write(tmp_path: Path) -> None:
    make_project(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    (tmp_path / "students" / "model").mkdir(parents=True)
    for out in ("mine", ".", "data/rows.jsonl", "students"):
        done = mixc("build", "scored.mix", "--out", out, cwd=tmp_path)
        assert done.returncode == 4 and "MIX0512" in done.stderr, done.stderr
    assert (mine / "thesis.txt").read_text() == "years of work" and (tmp_path / "scored.mix").exists()


def test_a_build_through_a_link_lands_where_it_points(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "big" / "disk").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "big" / "disk")
    for _ in range(2):
        done = mixc("build", "scored.mix", "--out", "link", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "link").is_symlink() and (tmp_path / "big" / "disk" / "selected.parquet").exists()


def test_a_cap_on_a_group_without_rows_is_told(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "scored.mix").write_text(SCORED.replace('teacher "rambler" <= 30%', 'teacher "ramblre" <= 30%'))
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0 and "no row belongs to" in done.stderr, done.stderr


def test_plan_stops_counting_at_a_clause_that_is_not_run_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    make_project(tmp_path)
    monkeypatch.setitem(SCORERS, "pass_rate", replace(SCORERS["pass_rate"], ready=False))
    spec = SCORED.replace("score length", "score other   = pass_rate()\nscore length").replace("where    correct\n", "where    correct and other >= 0.5\n")
    (tmp_path / "scored.mix").write_text(spec)
    code, shown, errors = runner(tmp_path, monkeypatch, capsys)("plan", "scored.mix")
    assert code == 0, errors
    lines = {line.split("=")[0].strip(" |`-"): line for line in shown.splitlines()}
    assert "read from the rows" in lines["score correct"] and "      not done yet: `pass_rate`" in shown
    assert "not known: `pass_rate` is not run yet" in shown

"""`mixc log`: the history of a folder of builds, what it says of each, of what is broken, and where there is none."""

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project
from mixc.tests.runtime.arms_of import write_arms

HERE = Path(__file__).parent / "log"
SPECS = {"first": SCORED, "capped": SCORED.replace('"addition" >= 20%', '"addition" >= 50%'), "other": SCORED.replace('mix "scored"', 'mix "another"')}
NOON = 1_790_000_000  # 2026-09-21 14:13:20 UTC


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Builds an hour apart: `first`, `other`, `capped`, `early` (which stopped before its selection), `again` (as `capped`), and what is left of three more."""
    make_project(tmp_path)
    run = runner(tmp_path, monkeypatch, capsys)
    for name, text in SPECS.items():
        Path(f"{name}.mix").write_text(text)
        assert main(["build", f"{name}.mix", "-q"]) == 0
    assert main(["build", "first.mix", "--until", "filter", "--out", "build/early", "-q"]) == 0
    shutil.copytree("build/capped", "build/again")
    shutil.copytree("build/first", "build/sweep/n=1")
    for name in ("half", "damaged", "empty"):
        Path("build", name).mkdir()
    shutil.copy("build/first/plan.json", "build/half")
    Path("build/damaged/manifest.json").write_text('{"name": ')
    for hours, name in enumerate(("first", "other", "capped", "early", "again", "sweep/n=1", "half", "damaged")):
        for path in (Path("build", name), Path("build", name, "manifest.json")):
            if path.exists():
                os.utime(path, (NOON + 3600 * hours, NOON + 3600 * hours))
    capsys.readouterr()
    return run


def test_the_history_is_the_golden(run: Run, golden) -> None:
    Path("build/capped/metrics.jsonl").write_text(json.dumps({"step": 1, "loss": 2.0}) + "\n")
    write_arms(Path("build/capped"), 0.5)
    evaluation = json.loads(Path("build/capped/eval.json").read_text())
    figures = {arm: {"accuracy": accuracy, "interval": [0.1, 0.9], "n": 60, "unknown": 0} for arm, accuracy in (("before", 0.1), ("after", 0.5), ("recipe-1", 0.4), ("recipe-2", 0.6), ("random-0", 0.9))}
    Path("build/capped/eval.json").write_text(json.dumps(evaluation | {"benchmarks": {"small": figures}}))
    code, shown, said = run("log")
    assert (code, said) == (0, "")
    golden(HERE / "history.txt", shown)


def test_what_it_says_is_what_the_builds_hold(run: Run) -> None:
    code, shown, _ = run("log", "build", "--format", "json")
    found = {each["name"]: each for each in json.loads(shown)["builds"]}
    assert code == 0 and [*found] == ["first", "other", "capped", "early", "again", "sweep/n=1", "half", "damaged"], "the oldest first, and no folder without a build"
    for name in ("first", "other", "capped", "again", "sweep/n=1"):
        rows, manifest = pl.read_parquet(f"build/{name}/selected.parquet"), json.loads(Path(f"build/{name}/manifest.json").read_text())
        each = found[name]
        assert (each["selected"], each["tokens"], each["plan"], each["objective"]) == (rows.height, rows["tokens"].sum(), manifest["plan"], manifest["selection"]["objective"])
    old, new = (set(pl.read_parquet(f"build/{name}/selected.parquet")["row_id"]) for name in ("first", "capped"))
    assert found["capped"]["since"] == {"build": "first", "class": "re-select", "changes": 1, "added": len(new - old), "removed": len(old - new)} and new != old
    assert found["first"]["since"] is found["other"]["since"] is None, "the first of their names"
    assert found["early"]["stopped"] == "filter:1" and found["early"]["since"]["build"] == "capped" and found["early"]["since"]["added"] is None
    assert found["again"]["since"] == {"build": "capped", "class": None, "changes": 0, "added": 0, "removed": 0}, "not against one that stopped early"
    assert found["sweep/n=1"]["since"] == {"build": "again", "class": "re-select", "changes": 1, "added": len(old - new), "removed": len(new - old)}
    assert "no `manifest.json`" in found["half"]["broken"] and "`manifest.json`" in found["damaged"]["broken"]


def test_one_build_is_a_history_of_one_and_nothing_is_none(run: Run) -> None:
    code, shown, _ = run("log", "build/first", "--format", "json")
    assert code == 0 and [each["name"] for each in json.loads(shown)["builds"]] == ["first"]
    for name in ("data", "nowhere"):
        code, _, said = run("log", name)
        assert code == 1 and "MIX0524" in said and "Traceback" not in said

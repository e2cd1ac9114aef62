"""Builds of specs with variants, from the command line: a folder each, nothing dear twice, and one that fails alone."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.tests.cli.program import mixc
from mixc.tests.project import SCORED, make_project, rows, write_rows

SWEPT = SCORED.replace("12 examples", "$size examples").replace("maximize random", "maximize -length") + "\nparam size = 12\nsweep size in [6, 12]\n"
GRADED = SWEPT.replace("column(good)", "verify_math(reference)")
ABLATED = SCORED + "\nablate where correct\nablate quota skill \"addition\"\n"


def project(folder: Path, text: str, prompts: int = 12) -> Path:
    make_project(folder, prompts)
    (folder / "study.mix").write_text(text)
    return folder


def index(folder: Path) -> dict[str, dict]:
    listed = json.loads((folder / "build" / "study" / "variants.json").read_text())["variants"]
    return {entry["name"]: entry for entry in listed}


def built(folder: Path) -> dict[str, int]:
    """When each variant's manifest was written."""
    return {p.parent.name: p.stat().st_mtime_ns for p in (folder / "build" / "study").glob("*/manifest.json")}


def test_a_sweep_over_the_selection_scores_every_row_once(tmp_path: Path) -> None:
    project(tmp_path, GRADED)
    done = mixc("build", "study.mix", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["variants"]
    assert (first["name"], second["name"]) == ("size=6", "size=12")
    assert first["scores"]["correct"] == {"computed": 36, "reused": 0}
    assert second["scores"]["correct"] == {"computed": 0, "reused": 36}
    for each, size in ((first, 6), (second, 12)):
        chosen = pl.read_parquet(tmp_path / each["out"] / "selected.parquet")
        assert chosen.height == each["selected"] == size and chosen["correct"].all()
        assert each["objective"] == -chosen["length"].sum()


def test_ablations_stand_beside_the_full_recipe(tmp_path: Path) -> None:
    project(tmp_path, ABLATED)
    done = mixc("build", "study.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "build" / "study"
    assert sorted(p.name for p in out.iterdir()) == ["full", "variants.json", "without-1", "without-2"]
    mixc("build", "scored.mix", cwd=tmp_path)
    for name in ("selected.parquet", "ledger.parquet", "train.jsonl"):
        assert (out / "full" / name).read_bytes() == (tmp_path / "build" / "scored" / name).read_bytes()
    wrong = pl.read_parquet(out / "without-1" / "ledger.parquet").filter(pl.col("reason").str.starts_with("where correct"))
    assert wrong.is_empty()
    assert "the full recipe" in done.stdout and "without where correct" in done.stdout
    (words,) = (line.partition("`mixc ")[2].rstrip("`") for line in done.stderr.splitlines() if line.startswith("side by side"))
    beside = mixc(*words.split(), cwd=tmp_path)
    assert (beside.returncode, beside.stdout.splitlines()[0]) == (0, "3 builds, beside full")


def test_what_is_built_is_kept_until_a_file_or_the_recipe_changes(tmp_path: Path) -> None:
    project(tmp_path, SWEPT)
    assert mixc("build", "study.mix", cwd=tmp_path).returncode == 0
    before = built(tmp_path)
    again = mixc("build", "study.mix", "--format", "json", cwd=tmp_path)
    assert [v["status"] for v in json.loads(again.stdout)["variants"]] == ["kept", "kept"] and built(tmp_path) == before
    assert [v["selected"] for v in json.loads(again.stdout)["variants"]] == [6, 12]
    (tmp_path / "study.mix").write_text(SWEPT.replace("[6, 12]", "[6, 9]"))
    changed = json.loads(mixc("build", "study.mix", "--format", "json", cwd=tmp_path).stdout)["variants"]
    assert [(v["name"], v["status"]) for v in changed] == [("size=6", "kept"), ("size=9", "built")]
    write_rows(tmp_path / "data" / "rows.jsonl", rows(11))
    renewed = json.loads(mixc("build", "study.mix", "--format", "json", cwd=tmp_path).stdout)["variants"]
    assert [v["status"] for v in renewed] == ["built", "built"]
    (tmp_path / "build" / "study" / "size=6" / "manifest.json").unlink()
    (tmp_path / "build" / "study" / "size=6" / "mine.txt").write_text("")
    foreign = mixc("build", "study.mix", cwd=tmp_path)
    assert foreign.returncode == 4 and "MIX0512" in foreign.stderr and index(tmp_path)["size=9"]["status"] == "built"


def test_an_infeasible_variant_stops_no_other_and_the_exit_code_tells(tmp_path: Path) -> None:
    project(tmp_path, SWEPT.replace("[6, 12]", "[6000, 6]"))
    done = mixc("build", "study.mix", cwd=tmp_path)
    assert done.returncode == 3
    assert "MIX0401" in done.stderr and "Traceback" not in done.stderr
    assert [e["status"] for e in index(tmp_path).values()] == ["infeasible", "built"]
    assert index(tmp_path)["size=6000"]["errors"][0].startswith("MIX0401: ")
    assert not (tmp_path / "build" / "study" / "size=6000").exists()
    listed = json.loads(mixc("build", "study.mix", "--format", "json", cwd=tmp_path).stdout)["variants"]
    assert [(v["exit_code"], v["status"]) for v in listed] == [(3, "infeasible"), (0, "kept")]
    assert listed[0]["diagnostics"][0]["code"] == "MIX0401"


def test_the_exit_code_is_the_worst(tmp_path: Path) -> None:
    text = SWEPT.replace("[6, 12]", "[6000, 6]").replace("<= 400 tokens", "<= $cap tokens") + "\nparam cap = 400\nsweep cap in [400, 0]\n"
    project(tmp_path, text.replace('quota    skill "addition" >= 20%\n', "").replace("budget   $size", "budget   up to $size"))
    done = mixc("build", "study.mix", cwd=tmp_path)
    assert done.returncode == 4 and "MIX0503" in done.stderr
    assert [e["status"] for e in index(tmp_path).values()] == ["built", "failed", "built", "failed"]


def test_until_stops_every_variant_and_is_part_of_what_is_kept(tmp_path: Path) -> None:
    project(tmp_path, SWEPT)
    assert mixc("build", "study.mix", "--until", "select", cwd=tmp_path).returncode == 0
    assert not list((tmp_path / "build" / "study").glob("*/train.jsonl"))
    whole = mixc("build", "study.mix", "--format", "json", cwd=tmp_path)
    assert [v["status"] for v in json.loads(whole.stdout)["variants"]] == ["built", "built"]
    assert len(list((tmp_path / "build" / "study").glob("*/train.jsonl"))) == 2


def test_a_plain_build_is_not_buried_under_variants_nor_the_other_way_round(tmp_path: Path) -> None:
    project(tmp_path, SWEPT)
    mixc("build", "scored.mix", "--out", "here", cwd=tmp_path)
    before = sorted((tmp_path / "here").iterdir())
    refused = mixc("build", "study.mix", "--out", "here", cwd=tmp_path)
    assert refused.returncode == 4 and "MIX0512" in refused.stderr and sorted((tmp_path / "here").iterdir()) == before
    mixc("build", "study.mix", cwd=tmp_path)
    refused = mixc("build", "scored.mix", "--out", "build/study", cwd=tmp_path)
    assert refused.returncode == 4 and "`size=12`" in refused.stderr


@pytest.mark.parametrize("content", ["", "{", '{"variants": [{}]}', '{"variants": [{"name": "size=6", "status": "built"}]}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, content: str) -> None:
    project(tmp_path, SWEPT)
    assert mixc("build", "study.mix", cwd=tmp_path).returncode == 0
    (tmp_path / "build" / "study" / "variants.json").write_text(content)
    done = mixc("build", "study.mix", "--format", "json", cwd=tmp_path)
    assert [v["status"] for v in json.loads(done.stdout)["variants"]] == ["built", "built"], done.stderr


def test_a_clause_that_is_not_run_yet_stops_all_before_the_first(tmp_path: Path) -> None:
    project(tmp_path, ABLATED + 'student one { model "tiny" }\nstudent two { model "tiny" }\ntrain one { epochs 1 }\ntrain two { epochs 2 }\n')
    done = mixc("build", "study.mix", cwd=tmp_path)
    assert done.returncode == 1 and "MIX0410" in done.stderr and not (tmp_path / "build").exists()


def test_plan_lists_the_variants(tmp_path: Path) -> None:
    project(tmp_path, ABLATED)
    text = mixc("plan", "study.mix", cwd=tmp_path)
    assert text.returncode == 0 and "without-1" in text.stdout and "the plan above" in text.stdout
    data = json.loads(mixc("plan", "study.mix", "--format", "json", cwd=tmp_path).stdout)
    assert [v["name"] for v in data["variants"]] == ["full", "without-1", "without-2"]
    assert data["variants"][2]["differs"] == ["select"]

"""Soft quotas from the command line: what a build, a plan and a manifest say of them, and that a build of them needs no model."""

import json
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from mixc.tests.cli.program import mixc
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.test_quickstart_corpus import written

ROOT = Path(__file__).parents[1]
STUDENT = 'student tiny {\n  model    "hub/tiny"\n  revision "0123456789abcdef0123456789abcdef01234567"\n}\n'
COUNTS = {"addition": (40, 36), "subtraction": (40, 20), "multiplication": (40, 0)}
PAPER = "where    correct\n  quota    skill weakness(paper)\n  budget   12 examples"


def profiled(folder: Path, clauses: str, counts: dict[str, tuple[int, int]] = COUNTS, prompts: int = 60) -> None:
    """The small project, its select `clauses` alone, and a profile beside it."""
    make_project(folder)
    write_rows(folder / "data" / "rows.jsonl", rows(prompts))
    text = SCORED[: SCORED.index("select {")] + STUDENT + f'profile tiny from "profile.json"\nselect {{\n  {clauses}\n}}\n'
    (folder / "scored.mix").write_text(text)
    (folder / "profile.json").write_text(json.dumps({"skills": {k: {"attempts": a, "correct": c} for k, (a, c) in counts.items()}}))


def built(folder: Path, name: str = "scored") -> tuple[pl.DataFrame, dict]:
    done = mixc("build", f"{name}.mix", cwd=folder)
    assert done.returncode == 0, done.stderr
    out = folder / "build" / name
    return pl.read_parquet(out / "selected.parquet"), json.loads((out / "manifest.json").read_text())


def skills(selected: pl.DataFrame) -> Counter[str]:
    return Counter(selected["skills"].explode().to_list())


def test_weakness_aims_at_what_the_student_gets_wrong(tmp_path: Path) -> None:
    profiled(tmp_path, 'where    correct\n  quota    skill weakness(prior: none)\n  quota    skill "addition" >= 2 examples\n  budget   24 examples\n  maximize -length')
    selected, manifest = built(tmp_path)
    # Twenty of 22 to multiplication (weight 20), two to subtraction (weight 2); addition has its floor.
    assert skills(selected) == {"addition": 2, "subtraction": 2, "multiplication": 20}
    soft = manifest["selection"]["soft"]
    assert soft["shortfall"] == 0 and soft["unit"] == "examples" and soft["price"] > 0
    assert [(leaf["leaf"], leaf["target"], leaf["amount"]) for leaf in soft["leaves"]] == [("multiplication", 20, 20), ("subtraction", 2, 2)]
    own = json.loads((tmp_path / "build" / "scored" / "profile.json").read_text())
    assert own == {"skills": {k: {"attempts": a, "correct": c} for k, (a, c) in sorted(COUNTS.items())}}
    assert "profile:tiny" in manifest["finished"]


def test_what_cannot_be_had_is_told_and_the_rest_is_the_best(tmp_path: Path) -> None:
    profiled(tmp_path, "where    correct\n  keep     best 1 per prompt by -length\n  quota    skill weakness(prior: none)\n  budget   30 examples\n  maximize -length")
    plan = mixc("plan", "scored.mix", cwd=tmp_path)
    done = mixc("build", "scored.mix", cwd=tmp_path)
    soft = json.loads((tmp_path / "build" / "scored" / "manifest.json").read_text())["selection"]["soft"]
    lacking = {leaf["leaf"]: leaf["shortfall"] for leaf in soft["leaves"] if leaf["shortfall"]}
    assert list(lacking) == ["multiplication"] and soft["shortfall"] == lacking["multiplication"] > 0
    few = next(leaf for leaf in soft["leaves"] if leaf["leaf"] == "multiplication")
    assert few["amount"] == few["available"] < few["target"]
    assert f"{soft['shortfall']} of 30 examples are missed" in plan.stdout and f"multiplication {few['amount']} of {few['target']}" in plan.stdout
    assert "quota skill weakness(prior: none)" in done.stderr + done.stdout and f"{few['target']}" in done.stderr + done.stdout
    dropped = pl.read_parquet(tmp_path / "build" / "scored" / "ledger.parquet").filter(pl.col("reason").str.contains("among the best"))
    assert dropped["reason"].str.contains("quota skill weakness", literal=True).all()


def test_equal_targets(tmp_path: Path) -> None:
    profiled(tmp_path, "where    correct\n  quota    skill uniform\n  budget   12 examples\n  maximize -length")
    assert set(skills(built(tmp_path)[0]).values()) == {4}


def test_prices_heed_soft_targets_where_they_are_asked_for(tmp_path: Path) -> None:
    clauses = "where    correct\n  keep     best 1 per prompt by -length\n  quota    skill weakness(prior: none)\n  budget   30 examples\n  maximize -length"
    one, two = tmp_path / "exact", tmp_path / "prices"
    for folder, more in ((one, "\n  solver   exact"), (two, "\n  solver   prices")):
        profiled(folder, clauses + more)
    exact, prices = built(one)[1]["selection"], built(two)[1]["selection"]
    assert (exact["method"], prices["method"]) == ("milp", "prices")
    assert prices["soft"]["shortfall"] == prices["soft"]["least"] == exact["soft"]["shortfall"] > 0
    assert prices["objective"] <= exact["objective"] + 1e-9 <= prices["bound"] + 2e-9
    plan = mixc("plan", "scored.mix", cwd=two)
    assert "solved by prices" in plan.stdout and f"{prices['soft']['shortfall']} of 30 examples are missed" in plan.stdout
    told = mixc("why", "build/scored", pl.read_parquet(two / "build" / "scored" / "selected.parquet")["row_id"][0], cwd=two)
    assert told.returncode == 0 and "quota skill weakness(prior: none)" in told.stdout, told.stdout


def test_targets_in_tokens_where_tokens_alone_are_the_budget(tmp_path: Path) -> None:
    profiled(tmp_path, "where    correct\n  quota    skill uniform\n  budget   300 tokens\n  maximize -length", prompts=15)
    selected, manifest = built(tmp_path)
    soft = manifest["selection"]["soft"]
    assert soft["unit"] == "tokens" and [leaf["target"] for leaf in soft["leaves"]] == [100, 100, 100]
    for leaf in soft["leaves"]:
        assert leaf["amount"] == selected.filter(pl.col("skills").list.contains(leaf["leaf"]))["tokens"].sum()
    assert soft["shortfall"] == sum(leaf["shortfall"] for leaf in soft["leaves"]) <= 10


def test_the_published_sampler_says_what_one_leaf_takes_and_is_the_same_whatever_the_order_of_rows(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        profiled(folder, PAPER)
    lines = (two / "data" / "rows.jsonl").read_text().splitlines()
    (two / "data" / "rows.jsonl").unlink()
    for name, part in (("z", lines[:70]), ("a", lines[:69:-1])):
        (two / "data" / f"{name}.jsonl").write_text("\n".join(part) + "\n")
    done = mixc("build", "scored.mix", cwd=one)
    assert done.returncode == 0 and "draws 100% of its rows from `multiplication` until they run out" in done.stderr, done.stderr
    first, _ = built(one)
    second, manifest = built(two)
    assert first.equals(second) and first.height == 12 and manifest["selection"]["method"] == "paper"
    assert skills(first)["multiplication"] == 12
    ledger = pl.read_parquet(one / "build" / "scored" / "ledger.parquet")
    assert ledger.filter(reason="select: not drawn by `quota skill weakness(paper)`").height > 0


def test_a_pool_below_the_budget_is_infeasible(tmp_path: Path) -> None:
    profiled(tmp_path, PAPER, counts={"multiplication": (40, 0)}, prompts=9)
    for command in ("plan", "build"):
        done = mixc(command, "scored.mix", cwd=tmp_path)
        assert done.returncode == 3 and "MIX0401" in done.stderr and "the nearest change: `budget " in done.stderr, done.stderr


def test_a_test_of_a_recipe_with_a_profile(tmp_path: Path) -> None:
    profiled(tmp_path, "where    correct\n  quota    skill uniform\n  budget   12 examples\n  maximize -length")
    with (tmp_path / "scored.mix").open("a") as file:
        file.write('\ntest "equal" {\n  given  "data/rows.jsonl"\n  expect skill "addition" == 4 examples\n}\n')
    done = mixc("test", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`specs/weakness.mix` over the corpus of the quickstart; the length of an answer stands in the corpus, so that no tokenizer is needed."""
    folder = tmp_path_factory.mktemp("weakness")
    shutil.copytree(ROOT / "specs" / "weakness", folder / "weakness")
    corpus = written(folder / "data" / "quickstart") / "responses.jsonl"
    sized = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
    corpus.write_text("".join(json.dumps({**row, "size": len(row["solution"].split())}) + "\n" for row in sized), encoding="utf-8")
    text = (ROOT / "specs" / "weakness.mix").read_text().replace("../models/SmolLM2-135M-Instruct.Q4_1.gguf", "hub/small").replace("../data", "data")
    (folder / "weakness.mix").write_text(text.replace("score correct", "score length = column(size, unit: tokens)\nscore correct"))
    return folder


def test_the_shipped_spec_builds_without_a_model(shipped: Path) -> None:
    selected, manifest = built(shipped, "weakness")
    soft = {leaf["leaf"]: leaf for leaf in manifest["selection"]["soft"]["leaves"]}
    assert "one step->addition" not in soft, "a quota names it"
    assert sum(leaf["target"] for leaf in soft.values()) == 60 - 4
    assert max(soft, key=lambda name: soft[name]["target"]) == "applied->two-step"
    assert soft["applied->time"]["target"] < soft["applied->percent"]["target"], "four attempts are too few: it is taken as its parent is"
    assert selected.height == 60 and manifest["versions"]

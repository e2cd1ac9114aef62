"""Arms from the command line, with a tiny random student: seeds and baselines selected, trained, measured, kept; killed and resumed; and what cannot be."""

import json
import math
import os
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.runtime.built import built as read_build
from mixc.runtime.why import why
from mixc.tests.cli.program import arguments, environment, mixc
from mixc.tests.project import STUDENT, make_project
from mixc.tests.runtime.tiny import make_tiny_student
from mixc.tests.test_build import digest

pytestmark = pytest.mark.slow
ARMS = ["before", "after", "recipe-1", "random-0", "random-1", "fluency-0", "fluency-1"]
SPEC = (
    STUDENT.replace("p10 within teacher", "p50 within teacher")
    .replace("  max_tokens 8 tokens\n", "  max_tokens 8 tokens\n  baseline random\n  baseline fluency\n  seeds [0, 1]\n  temperature 0.8\n")
    .replace('benchmark small "bench.jsonl" limit 3 prompts', 'benchmark small "bench.jsonl" (level: hardness) samples 2 limit 3 prompts')
)


def project(folder: Path) -> Path:
    """A project with a benchmark that carries skills and levels, and the student `tiny`."""
    make_project(folder, prompts=24)
    bench = [json.loads(line) for line in (folder / "bench.jsonl").read_text().splitlines()]
    marked = [record | {"skill": ["addition"] if n % 2 else "boxes", "hardness": n} for n, record in enumerate(bench)]
    (folder / "bench.jsonl").write_text("".join(json.dumps(record) + "\n" for record in marked))
    make_tiny_student(folder / "tiny", context=1024)
    (folder / "whole.mix").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose arms were built once."""
    folder = project(tmp_path_factory.mktemp("arms"))
    done = mixc("build", "whole.mix", cwd=folder, COLUMNS="100")
    assert done.returncode == 0, done.stderr
    (folder / "said").write_text(done.stdout)
    return folder


def models(folder: Path) -> dict[str, int]:
    """The trainings in the store, and when each was written."""
    found = (folder / ".mixc" / "artifacts" / "models").glob("*/model/model.safetensors")
    return {path.parent.parent.name: path.stat().st_mtime_ns for path in found}


def trained(out: Path) -> int:
    return json.loads((out / "manifest.json").read_text())["training"]["tokens"]


def evaluation(folder: Path) -> dict:
    return json.loads((folder / "build" / "whole" / "eval.json").read_text())


def test_every_arm_has_its_folder_and_its_results(built: Path) -> None:
    out, found = built / "build" / "whole", evaluation(built)
    assert [arm["arm"] for arm in found["arms"]] == ARMS
    assert {arm.get("trained_tokens") for arm in found["arms"] if arm["recipe"] == "recipe"} == {trained(out)}
    random = found["arms"][4]["trained_tokens"]
    assert random > 0 and f"carry loss in an epoch | {random:,} |" in (out / "arms" / "random-1" / "model" / "README.md").read_text()
    assert found["arms"][0] == {"arm": "before", "recipe": None, "seed": None}
    assert found["arms"][1] == {"arm": "after", "recipe": "recipe", "seed": 0, "folder": "model", "examples": 8, "trained_tokens": trained(out)}
    assert found["arms"][4] == {"arm": "random-1", "recipe": "random", "seed": 1, "folder": "arms/random-1", "examples": 8, "trained_tokens": random}
    assert sorted(p.name for p in (out / "arms").iterdir()) == sorted(ARMS[2:])
    for arm in found["arms"][1:]:
        model = out / (arm["folder"] if arm["arm"] == "after" else f"{arm['folder']}/model")
        assert (model / "model.safetensors").is_file()
        metrics = [json.loads(line) for line in (model.parent / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in metrics] == [1, 2]
    assert {p.name for p in (out / "arms" / "random-0").iterdir()} == {"selected.parquet", "train.jsonl", "model", "metrics.jsonl"}
    assert {p.name for p in (out / "arms" / "recipe-1").iterdir()} == {"model", "metrics.jsonl"}
    assert "the baseline `random` of the recipe" in (out / "arms" / "random-0" / "model" / "README.md").read_text()
    assert "that the recipe `" in (out / "arms" / "recipe-1" / "model" / "README.md").read_text()
    weights = [digest(out / "model" / "model.safetensors"), *(digest(out / "arms" / arm / "model" / "model.safetensors") for arm in ARMS[2:])]
    assert len(set(weights)) == len(weights), "another seed or another selection is another model"


def test_why_names_the_baselines_that_selected_a_row(built: Path) -> None:
    out = built / "build" / "whole"
    by = {arm: set(pl.read_parquet(out / "arms" / arm / "selected.parquet")["row_id"]) for arm in ARMS[3:]}
    told: dict[tuple[bool, bool], str] = {}
    for prompt in pl.read_parquet(out / "ledger.parquet")["prompt_id"].unique().sort().head(8):
        for account in why(read_build(out), prompt):
            assert account.arms == tuple(arm for arm, ids in by.items() if account.row_id in ids)
            told[account.selected, bool(account.arms)] = account.row_id
    assert {(True, True), (False, True), (False, False)} <= told.keys(), "a build in which a line could be wrong"
    for (selected, some), row in told.items():
        said = mixc("why", "build/whole", row, cwd=built).stdout
        arms = ", ".join(arm for arm, ids in by.items() if row in ids)
        assert (f"\n  {'also ' if selected else ''}in the selection of {arms}\n" in said) if some else "in the selection of" not in said


def test_what_eval_json_says_is_what_the_answers_say(built: Path) -> None:
    found, answers = evaluation(built), pl.read_parquet(built / "build" / "whole" / "answers.parquet")
    assert answers.columns == [
        "arm", "recipe", "seed", "benchmark", "id", "sample", "answer", "text", "tokens", "finished", "correct", "why", "skills", "level", "nll",
    ]  # fmt: skip
    held = answers.filter(benchmark="heldout")
    assert held.height == 12 * len(ARMS) and found["heldout"]["rows"] == 12
    for arm in ARMS:
        mine = answers.filter(benchmark="small", arm=arm)
        assert mine.height == 6 and mine.group_by("id").len()["len"].to_list() == [2, 2, 2]
        told = found["benchmarks"]["small"][arm]
        assert told["samples"] == 2 and told["n"] == 3 and set(told["pass_at_k"]) == {"1", "2"}
        assert told["accuracy"] == pytest.approx(mine["correct"].fill_null(False).mean())
        assert set(told["by_skill"]) == {skill for skills in mine["skills"] for skill in skills}
        assert set(told["by_level"]) == set(mine["level"]) and sum(each["n"] for each in told["by_level"].values()) == 3
        assert found["heldout"][arm] == pytest.approx(math.fsum(held.filter(arm=arm)["nll"]) / 12)
    assert answers.filter(benchmark="small", arm="after")["text"].to_list() != answers.filter(benchmark="small", arm="recipe-1")["text"].to_list()
    means = {(each["recipe"], each["benchmark"]): each for each in found["recipes"]}
    assert set(means) == {(recipe, name) for recipe in ("before", "recipe", "random", "fluency") for name in ("small", "heldout")}
    assert means["recipe", "heldout"]["nll"] == pytest.approx((found["heldout"]["after"] + found["heldout"]["recipe-1"]) / 2)
    assert {(each["recipe"], each["against"]) for each in found["paired"]} == {("recipe", other) for other in ("before", "random", "fluency")}


def test_baselines_choose_among_the_recipes_candidates_with_its_budget(built: Path) -> None:
    out = built / "build" / "whole"
    ledger = pl.read_parquet(out / "ledger.parquet")
    recipe, *others = (pl.read_parquet(path) for path in (out / "selected.parquet", *(out / "arms" / arm / "selected.parquet" for arm in ARMS[3:])))
    assert all(rows.columns == recipe.columns and rows.height == recipe.height == 8 and rows["row_id"].is_sorted() for rows in others)
    candidates = ledger.filter(pl.col("correct") & (pl.col("length") <= 400))
    assert candidates["fluency"].null_count() == 0
    first, second, *scored = others
    assert scored[0].equals(scored[1]), "a score chooses the same whatever the seed"
    best = candidates.sort("fluency", descending=True).unique("prompt_id", keep="first", maintain_order=True).head(8)
    assert scored[0]["row_id"].to_list() == sorted(best["row_id"])
    by_likelihood = set(ledger.filter(pl.col("reason").str.starts_with("where naturalness"))["row_id"])
    assert by_likelihood & {id for rows in others for id in rows["row_id"]}, "a filter by a log-probability is the recipe's own"
    assert first["row_id"].to_list() != second["row_id"].to_list()
    for rows in (first, second):
        assert set(rows["row_id"]) <= set(candidates["row_id"]) and rows["prompt_id"].n_unique() == 8
    for arm in ARMS[3:]:
        lines = [json.loads(line)["row_id"] for line in (out / "arms" / arm / "train.jsonl").read_text().splitlines()]
        assert lines == pl.read_parquet(out / "arms" / arm / "selected.parquet")["row_id"].to_list()


def test_the_summary_is_one_table_of_100_columns(built: Path) -> None:
    said = (built / "said").read_text().partition("evaluation")[2]
    assert all(f"\n{arm} " in said for arm in [*ARMS, "recipe, 2 seeds", "random, 2 seeds", "fluency, 2 seeds"])
    assert "small, 3 x 2" in said and "pass@2" in said and "held-out NLL" in said
    assert max(map(len, said.partition("build/whole")[0].splitlines())) <= 100


def test_a_rerun_and_another_seed_ask_only_what_is_new(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """What a spec adds is trained and asked; an arm is the same model and the same answers as in a build of its seed alone."""
    monkeypatch.chdir(built)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    before = evaluation(built)
    trained = models(built)
    assert len(trained) == 6
    assert main(["-q", "plan", "whole.mix", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["cached"]["up_to_date"] is True
    (built / "alone.mix").write_text(SPEC.replace("[0, 1]", "[1]").replace("  baseline fluency\n", ""))
    assert main(["-q", "build", "alone.mix", "--out", str(tmp_path / "alone")]) == 0
    assert models(built) == trained
    alone = json.loads((tmp_path / "alone" / "eval.json").read_text())
    names = [arm["arm"] for arm in alone["arms"]]
    assert names == ["before", "after", "random-1"]
    assert alone["heldout"]["after"] == before["heldout"]["recipe-1"] and alone["heldout"]["random-1"] == before["heldout"]["random-1"]
    lines = [out / "arms" / "random-1" / "train.jsonl" for out in (tmp_path / "alone", built / "build" / "whole")]
    assert digest(lines[0]) == digest(lines[1])
    capsys.readouterr()


def test_a_build_that_is_killed_between_arms_goes_on_with_the_next(built: Path, tmp_path: Path) -> None:
    folder = project(tmp_path)
    run = subprocess.Popen(arguments("build", "whole.mix"), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wanted, deadline = folder / "build" / "whole" / "arms" / "random-0" / "metrics.jsonl", time.monotonic() + 110
    while not wanted.exists() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    assert run.returncode == -9 and not (folder / "build" / "whole" / "eval.json").exists()
    kept = models(folder)
    assert 3 <= len(kept) < 6
    done = mixc("build", "whole.mix", cwd=folder)
    assert done.returncode == 0, done.stderr
    after = models(folder)
    assert len(after) == 6 and {name: after[name] for name in kept} == kept, "what was trained is not trained again"
    assert evaluation(folder) == evaluation(built)




def few(folder: Path, baseline: str, select: str, train: str = "") -> subprocess.CompletedProcess[str]:
    """A build that comes to its selection without a likelihood; with a clause of `train` the rows that are best by `rare` have long prompts."""
    make_project(folder, prompts=12)
    make_tiny_student(folder / "tiny", context=1024)
    lines = [json.loads(line) for line in (folder / "data" / "rows.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines):
        line["rare"] = 2.0 if number < 3 else 1.0 if number < 6 else None
        line["kind"] = "long" if number < 3 else "short"
        line["question"] += " Think of boxes, and of what is in them." * (20 if number < 3 and train else 0)
    (folder / "data" / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    head, rest = STUDENT.split("score naturalness")
    spec = head + "score rare = column(rare)\nscore length = column(count, unit: tokens)\n" + rest[rest.index("\ndecontaminate") :]
    spec = spec[: spec.index("select {")] + f"select {{\n  where length <= 400 tokens\n{select}}}\n" + spec[spec.index("\ntrain tiny") :]
    spec = spec.replace("train tiny {\n", f"train tiny {{\n  {train}\n")
    (folder / "few.mix").write_text(spec.replace("  max_tokens 8 tokens\n", f"  max_tokens 8 tokens\n  baseline {baseline}\n"))
    return mixc("build", "few.mix", cwd=folder)


def test_a_baseline_that_cannot_have_the_budget_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    done = few(tmp_path, "rare", "  budget 8 examples\n  maximize length\n")
    assert done.returncode == 3, done.stderr
    assert "error[MIX0401]" in done.stderr and "the baseline `rare` cannot be selected" in done.stderr and "this baseline" in done.stderr
    assert not models(tmp_path) and not (tmp_path / "build").exists()


def test_a_baseline_whose_rows_do_not_fit_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    select = '  quota column kind "long" <= 0 examples\n  budget 5 examples\n  maximize -length\n'
    done = few(tmp_path, "rare", select, "max_length 300 tokens")
    assert done.returncode == 4 and "error[MIX0513]: the baseline `rare` cannot be trained: `budget 5 examples` holds" in done.stderr, done.stderr
    assert "trained on: 2 examples" in done.stderr and "this baseline" in done.stderr and not models(tmp_path)
    planned = mixc("plan", "few.mix", cwd=tmp_path)
    assert planned.returncode == 4 and "tokenising breaks a promise" in planned.stdout and "the baseline `rare` cannot be trained" in planned.stderr


def test_a_baseline_of_another_size_is_told(tmp_path: Path) -> None:
    done = few(tmp_path, "random", '  quota teacher brief <= 2 examples\n  budget up to 8 examples\n  quota teacher long <= 3 examples\n  maximize length\n')
    assert done.returncode == 0, done.stderr
    assert "warning[MIX0434]" in done.stderr and "the baseline `random` has 8 examples, the recipe 5" in done.stderr
    assert pl.read_parquet(tmp_path / "build" / "few" / "arms" / "random-5" / "selected.parquet").height == 8

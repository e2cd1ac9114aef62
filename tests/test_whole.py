"""The whole path with a tiny random student, from the command line: scored, selected, trained, evaluated; killed, interrupted, resumed, reused."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.tests.cli.program import CONFTEST, START, arguments, environment, mixc
from mixc.tests.project import STUDENT, make_project, rows, write_rows
from mixc.tests.runtime.tiny import make_tiny_student
from mixc.tests.test_build import digest, without_torch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose `whole.mix` was built once."""
    folder = make_project(tmp_path_factory.mktemp("whole"), prompts=24)
    make_tiny_student(folder / "tiny", context=1024)
    done = mixc("build", "whole.mix", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_build_folder_holds_what_is_contracted(built: Path) -> None:
    out = built / "build" / "whole"
    assert {p.name for p in out.iterdir()} == {
        "plan.json", "manifest.json", "ledger.parquet", "selected.parquet", "train.jsonl", "teachers.json", "model", "metrics.jsonl", "eval.json", "answers.parquet",
        "README.md", "croissant.json", "openlineage.jsonl",
        "sources.json", "examples.parquet", "report.html",
        "mix.lock",
    }  # fmt: skip
    found = json.loads((out / "eval.json").read_text())
    assert set(found["benchmarks"]["small"]) == {"before", "after"} and found["benchmarks"]["small"]["before"]["n"] == 3
    assert found["heldout"]["before"] > 0 and found["heldout"]["after"] > 0
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["finished"][-2:] == ["train", "evaluate"]
    assert set(manifest["models"]) == {"tiny"} and manifest["models"]["tiny"]["dtype"] == "fp32"
    ledger = pl.read_parquet(out / "ledger.parquet")
    assert ledger.filter(status="dropped")["reason"].null_count() == 0
    assert "heldout: the prompt is held out" not in ledger["reason"].to_list(), "the corpus's own where left those rows out"


def test_the_trained_model_loads_and_was_trained(built: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    after = AutoModelForCausalLM.from_pretrained(built / "build" / "whole" / "model")
    before = AutoModelForCausalLM.from_pretrained(built / "tiny")
    assert any(not torch.equal(a, b) for a, b in zip(after.parameters(), before.parameters(), strict=True))
    assert AutoTokenizer.from_pretrained(built / "build" / "whole" / "model").chat_template


def test_the_training_lines_load_with_datasets(built: Path, tmp_path: Path) -> None:
    import datasets

    path = built / "build" / "whole" / "train.jsonl"
    rows = datasets.load_dataset("json", data_files=str(path), cache_dir=str(tmp_path), split="train")
    assert len(rows) == 8 and rows[0]["messages"][0]["role"] == "user"
    assert rows[0]["messages"][1]["content"].startswith("Skills:\n")


def test_a_changed_quota_loads_no_model(built: Path) -> None:
    (built / "variant.mix").write_text(STUDENT.replace("teacher brief <= 60%", "teacher brief <= 25%"))
    done = without_torch("build", "variant.mix", "--until", "select", cwd=built)
    assert done.returncode == 0, done.stderr
    chosen = pl.read_parquet(built / "build" / "variant" / "selected.parquet")
    assert chosen.height == 8 and chosen.filter(teacher="brief").height <= 2
    assert "0 scored" not in done.stdout or "from the store" in done.stdout


def test_the_same_build_again_is_the_same_and_computes_nothing(built: Path) -> None:
    out = built / "build" / "whole"
    before = {name: digest(out / name) for name in ("selected.parquet", "ledger.parquet", "train.jsonl", "eval.json", "plan.json")}
    done = mixc("build", "whole.mix", "--format", "json", cwd=built)
    assert done.returncode == 0, done.stderr
    assert {name: digest(out / name) for name in before} == before
    counts = json.loads(done.stdout)["counts"]["scores"]
    assert all(count["computed"] == 0 for count in counts.values())


def test_plan_says_what_is_cached_and_loads_no_model(built: Path) -> None:
    done = without_torch("plan", "whole.mix", cwd=built)
    assert done.returncode == 0, done.stderr
    assert "yes: every score is known, the selection holds" in done.stdout
    assert "build/whole: up to date, nothing to run" in done.stdout and "no model has anything to do" in done.stdout
    assert without_torch("plan", "whole.mix", "--exit-code", cwd=built).returncode == 0
    fresh = without_torch("plan", "whole.mix", "--set", "nothing=1", cwd=built)
    assert fresh.returncode == 1 and "MIX0206" in fresh.stderr


def test_the_tokens_that_plan_promises_of_training_are_those_of_the_training(built: Path) -> None:
    (built / "faster.mix").write_text((built / "whole.mix").read_text().replace("learning_rate 1e-4", "learning_rate 2e-4"))
    done, other = (training_cost(built, spec) for spec in ("whole.mix", "faster.mix"))
    read = json.loads((built / "build" / "whole" / "metrics.jsonl").read_text().splitlines()[-1])["tokens"]
    assert done["tokens"]["value"] == 0 and done["detail"] == "in the store" and not done["due"]
    assert other["tokens"]["value"] == read and other["detail"] == "2 steps" and other["due"]


def training_cost(folder: Path, spec: str) -> dict[str, Any]:
    costs = json.loads(mixc("plan", spec, "--format", "json", cwd=folder).stdout)["costs"]
    (training,) = [cost for cost in costs if cost["what"] == "train"]
    return training


OFTEN = f"import runpy; runpy.run_path({str(CONFTEST)!r}); from mixc.runtime import score; score.SHARD_SECONDS = 0.0; {START}"
"""The program, which writes a shard whenever it has the rows for one, however fast the machine is: there are many to be stopped between."""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(arguments(*words, code=OFTEN), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_shards(folder: Path, count: int) -> None:
    """Until the score store of likelihoods holds `count` shards."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        found = [p for p in folder.glob(".mixc/scores/*/*.parquet") if "window" in (p.parent / "identity.json").read_text()]
        if len(found) >= count:
            return
        time.sleep(0.02)
    raise AssertionError("too few shards were written")


def big_project(folder: Path) -> Path:
    """A project whose scoring takes long enough to be stopped in the middle."""
    make_project(folder)
    made = rows(480)
    for row in made:
        row["answer"] = f"{'We look at the numbers again and again. ' * 12}{row['answer']}"
        row["split"] = "train"
    write_rows(folder / "data" / "rows.jsonl", made)
    make_tiny_student(folder / "tiny", context=2048)
    spec = STUDENT.replace("window: 2 steps", "window: 8 steps").replace("budget   8 examples", "budget   40 examples")
    (folder / "whole.mix").write_text(spec.replace('  heldout   rows where split == "test"\n', ""))
    return folder


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_scoring_goes_on_where_it_was(tmp_path: Path, sign: signal.Signals) -> None:
    folder = big_project(tmp_path)
    run = start(folder, "build", "whole.mix", "--until", "select")
    wait_for_shards(folder, 2)
    os.kill(run.pid, sign)
    _, said = run.communicate(timeout=60)
    assert run.returncode == (130 if sign == signal.SIGINT else -9)
    if sign == signal.SIGINT:
        assert "interrupted" in said and "Traceback" not in said
    assert not (folder / "build" / "whole").exists()
    stored = sum(pl.read_parquet(p).height for p in folder.glob(".mixc/scores/*/*.parquet") if "window" in (p.parent / "identity.json").read_text())
    assert stored > 0
    done = mixc("build", "whole.mix", "--until", "select", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    naturalness = json.loads(done.stdout)["counts"]["scores"]["naturalness"]
    assert naturalness["reused"] == stored and naturalness["computed"] > 0
    assert not [p for p in (folder / "build").iterdir() if p.name != "whole"]


def test_a_response_longer_than_the_context_is_counted_not_cut(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    made = rows(12)
    made[0]["answer"] = "word " * 900 + made[0]["answer"]  # type: ignore[operator]
    write_rows(folder / "data" / "rows.jsonl", made)
    make_tiny_student(folder / "tiny", context=512)
    (folder / "whole.mix").write_text(STUDENT.replace("where    length <= 400 tokens\n", ""))
    done = mixc("build", "whole.mix", "--until", "select", cwd=folder)
    assert done.returncode == 0, done.stderr
    ledger = pl.read_parquet(folder / "build" / "whole" / "ledger.parquet")
    dropped = ledger.filter(pl.col("reason").str.contains("context"))
    assert dropped.height == 1 and dropped["naturalness"].null_count() == 1
    assert "context" in done.stdout


def test_a_students_template_lies_beside_the_spec_wherever_the_spec_is(built: Path) -> None:
    """In a folder of its own and built from above it, by another spec, which extends the first: the path is as seen from who wrote it."""
    under = built / "recipes"
    (under / "chat").mkdir(parents=True)
    (under / "chat" / "plain.jinja").write_text("{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    text = STUDENT.replace('model "tiny"', 'model "../tiny"\n  template "chat/plain.jinja"').replace('"data/', '"../data/').replace('"bench', '"../bench')
    (under / "own.mix").write_text(text.replace('mix "whole"', 'mix "own"'))
    (built / "child.mix").write_text('extends "recipes/own.mix"\n')
    for spec in ("recipes/own.mix", "child.mix"):
        done = mixc("build", spec, "--until", "score", cwd=built)
        assert done.returncode == 0, done.stderr
    manifests = [json.loads((built / "build" / name / "manifest.json").read_text()) for name in ("own", "child")]
    assert manifests[0]["models"] == manifests[1]["models"] != json.loads((built / "build" / "whole" / "manifest.json").read_text())["models"]

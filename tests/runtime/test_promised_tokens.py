"""What a plan promises that likelihoods read, against what a build measures: shared passes, several scores of a model, and a store that has a part."""

import json
import re
import shutil
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.runtime import costs
from mixc.runtime.engines.batches import UNPACKED
from mixc.tests.project import STUDENT, make_project, rows, write_rows
from mixc.tests.runtime.tiny import make_tiny_student

HEAD = STUDENT.partition("train tiny")[0].replace("verify_math(reference)", "column(good)").replace("  where    naturalness >= p10 within teacher\n", "")
LOCAL = "local_logprob(student: tiny, window: 2 steps, split: sentence)"
SPECS = {
    "local": {"naturalness": LOCAL},
    "global": {"naturalness": "global_logprob(student: tiny)"},
    "both": {"naturalness": LOCAL, "fluency": "global_logprob(student: tiny)"},
    "ifd": {"naturalness": "ifd(student: tiny)"},
    "all": {
        "naturalness": LOCAL, "fluency": "global_logprob(student: tiny)", "hard": "ifd(student: tiny)", "odd": "perplexity(student: tiny)",
        "rank_of": "rank_surprisal(student: tiny)", "wide": "local_logprob(student: tiny, window: 50%)", "fair": LOCAL.replace(")", ", debias: length)"),
    },
}  # fmt: skip


def spec(scores: dict[str, str], where: str = "") -> str:
    """The whole spec with these likelihoods, all of them asked of every candidate."""
    kept = re.sub(r"score (naturalness|fluency) .*\n", "", HEAD)
    said = "".join(f"score {name} = {call}\n" for name, call in scores.items())
    asked = "".join(f"  keep     best 9 per prompt by {name}\n" for name in scores)
    kept = kept.replace("score length", f"{said}score length").replace("  keep     best 1 per prompt by naturalness\n", asked)
    return kept.replace("  where    correct\n", f"  where    correct\n{where}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows of a real shape, one response longer than the model reads at once."""
    make_project(tmp_path)
    made = rows(24)
    made[0]["answer"] = "word " * 300 + str(made[0]["answer"])
    write_rows(tmp_path / "data" / "rows.jsonl", made)
    make_tiny_student(tmp_path / "tiny", context=256)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    return tmp_path


def promised(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict]:
    assert main(["-q", "plan", "one.mix", "--format", "json", *words]) == 0
    return {c["stage"]: c for c in json.loads(capsys.readouterr().out)["costs"]}


def measured(project: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, int]:
    assert main(["-q", "build", "one.mix", "--until", "select", *words]) == 0
    capsys.readouterr()
    stages = json.loads((project / "build" / "one" / "manifest.json").read_text())["stages"]
    return {s["stage"]: s["tokens"] for s in stages}


@pytest.mark.parametrize("case", SPECS)
def test_a_plan_promises_what_is_then_read(project: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    (project / "one.mix").write_text(spec(SPECS[case]))
    plan, run = promised(capsys), measured(project, capsys)
    assert {f"score:{name}" for name in SPECS[case]} <= set(plan)
    for stage, cost in plan.items():
        assert cost["tokens"]["value"] == run[stage], stage
        assert cost["tokens"]["exact"] and cost["by"] == "tokenizer"
    if case == "all":
        assert [plan[f"score:{name}"]["tokens"]["value"] for name in ("odd", "rank_of", "fair")] == [0, 0, 0]
        whole = {stage: cost["whole"]["value"] for stage, cost in plan.items()}
        assert whole["score:fluency"] > 0 and sum(whole.values()) == whole["score:fluency"]  # one pass of a response in all
        assert plan["score:naturalness"]["windows"]["value"] > 0


def test_a_plan_for_two_devices_promises_what_both_then_read(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (project / "one.mix").write_text(spec(SPECS["local"]))
    words = ("--devices", "2")
    plan, alone, run = promised(capsys, *words), promised(capsys), measured(project, capsys, *words)
    tokens = plan["score:naturalness"]["tokens"]["value"]
    assert tokens == pytest.approx(run["score:naturalness"], rel=0.05) and tokens >= alone["score:naturalness"]["tokens"]["value"]


@pytest.mark.parametrize("arch", UNPACKED)
def test_a_plan_promises_what_padded_batches_read(project: Path, capsys: pytest.CaptureFixture[str], arch: str) -> None:
    make_tiny_student(project / "tiny", arch=arch, context=256)
    (project / "one.mix").write_text(spec(SPECS["local"]))
    plan, run = promised(capsys), measured(project, capsys)
    assert plan["score:naturalness"]["tokens"]["value"] == pytest.approx(run["score:naturalness"], rel=0.05)


def test_a_plan_for_vllm_counts_a_prompt_with_every_window(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "one.mix").write_text(spec(SPECS["local"] | {"sure": "entropy(student: tiny)"}))
    alone, theirs = promised(capsys), promised(capsys, "--engine", "vllm")
    assert theirs["score:naturalness"]["tokens"]["value"] > 1.2 * alone["score:naturalness"]["tokens"]["value"]
    assert theirs["score:sure"] == alone["score:sure"], "vLLM tells no entropy: transformers reads it"
    monkeypatch.setenv("MIXC_ENGINE", "vllm")
    assert promised(capsys) == theirs


def test_what_is_measured_is_what_was_read_and_not_what_was_promised(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How large padded batches are depends on the device, which only the loaded model tells."""
    monkeypatch.setattr("mixc.runtime.engines.transformers.BUDGET", 8_192)
    shutil.rmtree(project / "tiny")
    make_tiny_student(project / "tiny", arch="bloom")
    (project / "one.mix").write_text(spec(SPECS["local"]))
    plan, run = promised(capsys), measured(project, capsys)
    assert run["score:naturalness"] > plan["score:naturalness"]["tokens"]["value"]


def test_a_store_that_has_a_part_is_looked_at(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "one.mix").write_text(spec(SPECS["both"], where='  where    topic == "addition"\n'))
    first = sum(measured(project, capsys).values())
    (project / "one.mix").write_text(spec(SPECS["all"]))
    plan, run = promised(capsys), measured(project, capsys)
    assert first and {stage: cost["tokens"]["value"] for stage, cost in plan.items()} == {stage: run[stage] for stage in plan}


def test_many_rows_are_sampled_by_whole_prompts(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(project / "data" / "rows.jsonl", rows(120))
    (project / "one.mix").write_text(spec(SPECS["all"]))
    exact = promised(capsys)
    monkeypatch.setattr(costs, "EXACT_ROWS", 150)
    monkeypatch.setattr(costs, "SAMPLE_ROWS", 120)
    sampled = promised(capsys)
    for stage, cost in exact.items():
        assert cost["tokens"]["exact"]
        assert not sampled[stage]["tokens"]["exact"] and "standard_error" in sampled[stage]["tokens"]
        assert sampled[stage]["tokens"]["value"] == pytest.approx(cost["tokens"]["value"], rel=0.05), stage


def test_the_plan_tells_passes_in_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "one.mix").write_text(spec(SPECS["both"] | {"odd": "perplexity(student: tiny)"}))
    plan = promised(capsys)
    assert main(["-q", "plan", "one.mix"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    whole, windows = plan["score:fluency"]["whole"]["value"], plan["score:naturalness"]["windows"]["value"]
    assert f"to score ({whole} full-context passes)" in said and f"to score ({windows} windows)" in said
    assert f"{plan['score:odd']['rows']['value']} from the pass of fluency" in said

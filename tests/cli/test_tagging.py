"""A recipe whose skills a model tells, from the plan to the build: what is asked, shown, counted and kept."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mixc.tests.cli.running import Run, runner
from mixc.tests.compiling import RUN as GOLDENS
from mixc.tests.compiling import told
from mixc.tests.project import SCORED, make_project
from mixc.tests.runtime.served import served
from mixc.tests.runtime.tiny import make_tiny_student

pytest.importorskip("torch")
TREE = {"name": "all", "children": [{"name": "sums", "children": [{"name": "addition"}, {"name": "subtraction"}]}, {"name": "multiplication", "description": "how many times"}]}
TAGGED = SCORED.replace("{ tag by column topic }", '{\n  tree "tree.json"\n  tag by llm(model: "./tiny", max_tokens: 120 tokens)\n}').replace('  quota    skill "addition" >= 20%\n', "")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny: Path) -> Run:
    make_project(tmp_path)
    (tmp_path / "tree.json").write_text(json.dumps(TREE))
    (tmp_path / "tagged.mix").write_text(TAGGED)
    (tmp_path / "tiny").symlink_to(tiny)
    return runner(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_student(tmp_path_factory.mktemp("tagging") / "tiny", context=2_048)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_from_the_plan_to_the_build(run: Run) -> None:
    code, shown, _ = run("plan", "tagged.mix")
    assert code == 0 and "tag: ~24 to answer (12 prompts, 2 skills an answer assumed below), <=~2,880 tokens written by tiny (bf16)" in flat(shown)
    assert "not known before every row is tagged" in flat(shown)

    code, shown, said = run("skills", "tagged.mix", "--format", "json")
    assert code == 0, said
    found = json.loads(shown)
    branches = found["branches"]
    assert (branches["texts"], sum(branches["failed"].values())) == (12, 0) and 12 <= branches["branches"] <= 24
    assert found["all"]["rows"] == 36

    code, shown, _ = run("skills", "tagged.mix")
    assert code == 0 and f"of {branches['branches']:,} questions about 12 texts all have a usable answer" in flat(shown)

    code, shown, _ = run("plan", "tagged.mix")
    assert "to answer" not in shown and f"{branches['branches']} cached" in shown and "yes: every score is known" in shown

    code, _, said = run("build", "tagged.mix", "--out", "out")
    assert code == 0, said
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["counts"]["evidence"]["tag"] == branches
    assert manifest["models"]["./tiny"]["model"] == "./tiny" and manifest["models"]["./tiny"]["weights"]
    assert next(s for s in manifest["stages"] if s["kind"] == "tag")["tokens"] == 0, "nothing is written again"
    ledger = pl.read_parquet("out/ledger.parquet")
    assert set(ledger["skills"].explode().drop_nulls()) <= {"sums", "sums->addition", "sums->subtraction", "multiplication"}
    assert ledger.group_by("prompt_id").agg(pl.col("skills").n_unique())["skills"].to_list() == [1] * 12

    assert run("plan", "tagged.mix", "--out", "out", "--exit-code")[0] == 0
    Path("tree.json").write_text(json.dumps(TREE).replace("how many times", "so many times over"))
    code, shown, _ = run("plan", "tagged.mix", "--out", "out", "--exit-code")
    assert code == 2 and "to answer (12 prompts" in flat(shown)


def test_a_question_without_room_is_told_at_the_model(run: Run, golden) -> None:
    Path("tagged.mix").write_text(TAGGED.replace("120 tokens", "2k tokens").replace("  budget ", '  quota    skill "sums" <= 90%\n  budget '))
    code, out, said = run("build", "tagged.mix", "--until", "tag")
    assert code == 4 and "error[MIX0533]" in said, said
    golden(GOLDENS / "MIX0533.txt", told(out + said))


def test_a_server_that_tells_skills_is_in_the_manifest_and_a_plan_asks_a_profile_by_the_same_leaves(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch that ends at an inner node makes no leaf of it: else the plan would ask for more than the build."""
    pytest.importorskip("httpx2")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def answer(body: dict[str, Any]) -> str:
        below = "addition" in body["response_format"]["json_schema"]["schema"]["properties"]["skills"]["items"]["enum"]
        last = body["messages"][-1]["content"].partition("Problem:")[2]
        return json.dumps({"skills": (["addition"] if hash_of(last) % 2 else []) if below else ["sums"]})

    profile = "profile s {\n  attempts 1 per prompt\n  sample 3 prompts per skill\n  max_tokens 4 tokens\n  grade verify_math(reference)\n}\n"
    student = 'student s {\n  model "./tiny"\n  dtype fp32\n}\n'
    with served(answer) as server:
        spec = TAGGED.replace('model: "./tiny"', f'model: "judge", endpoint: "{server.url}"')
        Path("tagged.mix").write_text(spec.replace("select {", student + profile + "select {\n  quota skill weakness(max_weight: 5)", 1))
        code, _, said = run("build", "tagged.mix", "--out", "out")
        assert code == 0, said
        assert json.loads(Path("out/manifest.json").read_text())["models"]["tag"] == {"model": "judge", "endpoint": server.url}
        asked = len(server.asked)
        code, shown, _ = run("plan", "tagged.mix", "--out", "out")
        assert len(server.asked) == asked
    assert code == 0 and "1 skill, 0 of 3 attempts correct" in flat(shown) and "yes: every score is known" in flat(shown)


def hash_of(text: str) -> int:
    """A number of a text, the same in every process."""
    return sum(text.encode())

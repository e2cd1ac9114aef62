"""`format skill_aware`: complete chains of a tree before the response, in what is written and in what is trained on; none in the prompt."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.runtime.engines.students import Students
from mixc.runtime.examples import notices, tokenise
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.test_train import make_context, make_stage
from mixc.tests.runtime.tiny import make_tiny_student

TREE = {"name": "root", "children": [{"name": "Sums", "children": [{"name": "addition", "children": [{"name": "carrying"}]}, {"name": "subtraction"}]}, {"name": "Products"}]}
TAGS = ([], ["subtraction", "Products"], ["carrying"], ["carrying", "Sums"], ["nothing that the tree has"], None)
CHAINS = ((), ("Products", "Sums->subtraction"), ("Sums->addition->carrying",), ("Sums", "Sums->addition->carrying"), (), ())
TRAIN = """
student tiny { model "./tiny" }

train tiny {
  steps  1
  format FORMAT
}
"""


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The selected rows and train.jsonl of a spec in this format; the rows are tagged with lists."""
    monkeypatch.chdir(make_project(tmp_path))
    monkeypatch.delenv("MIXC_HOME", raising=False)
    make_tiny_student(tmp_path / "tiny")
    Path("tree.json").write_text(json.dumps(TREE))
    write_rows(Path("data/rows.jsonl"), [row | {"topics": TAGS[i % len(TAGS)]} for i, row in enumerate(rows())])
    text = SCORED.replace("tag by column topic", '\n  tree "tree.json"\n  tag by column topics\n').replace('  quota    skill "addition" >= 20%\n', "")

    def run(format: str) -> tuple[pl.DataFrame, list[dict]]:
        Path("taught.mix").write_text(text + TRAIN.replace("FORMAT", format), encoding="utf-8")
        assert main(["-q", "build", "taught.mix", "--until", "materialise"]) == 0, capfd.readouterr().err
        return pl.read_parquet("build/taught/selected.parquet"), [json.loads(line) for line in Path("build/taught/train.jsonl").read_text().splitlines()]

    return run


def test_the_chains_of_the_tree_stand_complete_before_the_response_one_a_line(built) -> None:
    selected, lines = built("skill_aware")
    seen = set()
    for row, line in zip(selected.iter_rows(named=True), lines, strict=True):
        skills = tuple(row["skills"])
        assert skills in CHAINS
        seen.add(skills)
        block = "".join(f"{text}\n" for text in ("Skills:", *skills)) if skills else ""
        assert line["messages"] == [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": block + row["response"]}]
    assert len(seen) >= 3 and () in seen


def test_plain_has_no_skills_and_the_same_rows(built) -> None:
    selected, lines = built("plain")
    assert [line["messages"][1]["content"] for line in lines] == selected["response"].to_list()
    assert built("skill_aware")[0].equals(selected)


def test_what_is_trained_on_is_the_line_that_was_written_and_rows_without_skills_are_plain_and_counted(built, tmp_path: Path) -> None:
    selected, lines = built("skill_aware")
    context = make_context(tmp_path / "other")
    stage = make_stage(tmp_path / "tiny", format="skill_aware")
    tokenizer = Students(None).tokenizer(stage.model)
    examples, report = tokenise(stage, selected, tokenizer, 4096)
    for example, line in zip(examples, lines, strict=True):
        user, assistant = line["messages"]
        assert tokenizer.hf.decode(example.tokens[example.start :]) == f"{assistant['content']}<|im_end|>\n"
        assert example.tokens[: example.start] == context.students.tokenizer(stage.model).prompt(user["content"]), "what an evaluation asks"
        assert "Skills:" not in tokenizer.hf.decode(example.tokens[: example.start])
    bare = sum(not skills for skills in selected["skills"].to_list())
    assert report.without_skills == bare > 0
    assert f"{bare} of 12 rows have no skills and are trained on as plain responses" in list(notices(report))

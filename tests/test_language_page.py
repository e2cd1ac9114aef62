"""Every block on the language's page compiles, parts of a spec over the page's own frame; a wrong one reports exactly its code."""

import os
import re
from pathlib import Path

import pytest
from mixc.cli.inputs import compile_file
from mixc.compiler.codes.all import CODES
from mixc.compiler.diagnostics import Severity
from mixc.compiler.ide.slots import CALLED
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.compiler.syntax.blocks import HEADS, keywords
from mixc.tests.compiling import drawn

PAGE = (Path(__file__).parents[1] / "grammar" / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```mix *(.*?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FRAME = FENCES[-1][1]
ROW = (
    '{"prompt_id": "p", "question": "q", "solution": "s", "answer": "4", "final answer": "4", "model": "terse", "topic": "algebra", '
    '"level": "hard", "count": 3, "good": true, "split": "train", "license": "MIT"}\n'
)
BASE = """
select {
  where    length <= 400 tokens
  quota    skill "algebra" >= 15%
  budget   50 examples
}

train small {
  epochs     2
  max_length 1k tokens
}
"""


def project(folder: Path) -> Path:
    """The files that the page speaks of."""
    specs = folder / "specs"
    specs.mkdir()
    (folder / "models").mkdir()
    (folder / "models" / "student.gguf").touch()
    (specs / "responses.jsonl").write_text(ROW)
    (specs / "rows.jsonl").write_text(ROW)
    (specs / "benchmark.jsonl").write_text('{"problem": "p", "answer": "1"}\n')
    (specs / "bench").mkdir()
    (specs / "bench" / "one.jsonl").write_text('{"problem": "p", "answer": "1"}\n')
    (specs / "topics.json").write_text('{"name": "mathematics", "children": [{"name": "algebra"}, {"name": "geometry"}]}')
    (specs / "patterns.json").write_text('{"algebra": ["solve"]}')
    (specs / "profile.json").write_text('{"skills": {"algebra": {"attempts": 200, "correct": 61}}}')
    (specs / "frame.mix").write_text(FRAME)
    (specs / "base.mix").write_text(f'extends "frame.mix"\n{BASE}')
    return specs


@pytest.mark.parametrize("number", range(len(FENCES)))
def test_a_block_of_the_page_compiles(number: int, tmp_path: Path, monkeypatch) -> None:
    marks, text = FENCES[number]
    monkeypatch.chdir(project(tmp_path))
    whole = re.match(r"(#.*\n)*\s*(mix|extends) ", text) is not None
    Path("page.mix").write_text(text if whole else f'extends "frame.mix"\n{text}')
    outcome = compile_file("page.mix")
    errors = [d for d in outcome.notes if d.severity is Severity.ERROR]
    said = drawn(outcome.notes, outcome.sources)
    if marks.startswith("wrong"):
        assert {d.code for d in errors} == {marks.split()[1]}, said
    else:
        assert not errors, said
        assert outcome.plan is not None


def test_every_lint_scorer_and_setting_is_on_the_page() -> None:
    lints = dict(re.findall(r"^\| (MIX06\d\d) \| (.*?) (?:\(.*\) )?\|$", PAGE, re.MULTILINE))
    assert lints == {code: entry.title for code, entry in CODES.items() if code.startswith("MIX06")}
    assert not [name for name in SCORERS if f"`{name}(" not in PAGE]
    assert not [word for kind in HEADS for word in keywords(kind) if not re.search(rf"\b{word}\b", PAGE)]


def test_every_block_is_seen() -> None:
    assert PAGE.count("```mix") == len(FENCES) > 20
    assert os.sep not in FRAME.replace("../models/", "")


def test_what_the_page_calls_not_run_yet_is_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project(tmp_path))
    (said,) = re.findall(r"^Checked and planned and not run yet is (.*?): ", PAGE, re.MULTILINE)
    assert not re.search(r"^\|.*(, \* `|` \*[ ,|])", PAGE, re.MULTILINE)
    Path("bare.mix").write_text(re.sub(r"^  license .*\n", "", FRAME, flags=re.MULTILINE) + BASE.partition("train")[0])
    clauses = {
        "train small {\n  epochs 1\n  method lora(rank: 4, alpha: 8)\n  weight length\n  packing true\n  report tensorboard\n  save 10 steps\n}\n": None,
        'student other { model "org/other" }\ntrain small { epochs 1 }\ntrain other { epochs 2 }\n': "a second `train`",
    }
    for clause, missing in clauses.items():
        Path("page.mix").write_text(f'extends "bare.mix"\n{clause}')
        outcome = compile_file("page.mix")
        assert outcome.plan is not None, drawn(outcome.notes, outcome.sources)
        assert [each.what for each in outcome.plan.pending] == [missing] * (missing is not None), clause
        assert missing is None or missing in said


def test_the_arguments_of_a_way_to_tag_are_on_the_page() -> None:
    described = re.findall(r"^`(embedding|llm)` (.*?)\n(?=`|\n)", PAGE, re.MULTILINE | re.DOTALL)
    assert {name for name, _ in described} == {"embedding", "llm"}
    for name, text in described:
        assert not [each for each in CALLED[name] if each != "model" and f"`{each}:" not in text], name

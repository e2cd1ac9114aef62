"""Every spec on the language's page compiles without a complaint; the last ones say what the runtime cannot do yet."""

import re
from pathlib import Path

import pytest
from mixc.tests.compiling import compile_in, drawn

PAGE = Path(__file__).parents[1] / "grammar" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCES = re.findall(r"```mix\n(.*?)```", TEXT, re.DOTALL)
PLANNED = TEXT.partition("## Planned, not run yet")[2]
ROW = '{"question": "q", "solution": "s", "answer": "4", "model": "terse", "topic": "addition", "count": 3, "good": true, "split": "train"}\n'
BASE = 'mix "base" { seed 1 }\n' + FENCES[2].partition("\n")[2]


@pytest.mark.parametrize("number", range(len(FENCES)))
def test_a_spec_of_the_page_compiles(number: int, tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "student.gguf").touch()
    (folder / "responses.jsonl").write_text(ROW)
    (folder / "benchmark.jsonl").write_text('{"problem": "p", "answer": "1"}\n')
    (folder / "base.mix").write_text(BASE.replace("budget   up to 100 examples", "budget   100 examples"))
    (folder / "skills.json").write_text('{"name": "all", "children": [{"name": "addition"}, {"name": "division"}]}')
    (folder / "profile.json").write_text('{"skills": {"addition": {"attempts": 20, "correct": 11}}}')
    (folder / "page.mix").write_text(FENCES[number])
    outcome = compile_in(folder, "page.mix")
    waiting = {"MIX0410"} if FENCES[number] in PLANNED else set()
    assert {d.code for d in outcome.notes} == waiting, drawn(outcome.notes, outcome.sources)

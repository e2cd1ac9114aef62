"""Every spec on the language's page compiles without a complaint."""

import re
from pathlib import Path

import pytest
from mixc.tests.compiling import messages_of

PAGE = Path(__file__).parents[1] / "grammar" / "README.md"
FENCES = re.findall(r"```mix\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
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
    (folder / "page.mix").write_text(FENCES[number])
    assert messages_of(folder, "page.mix") == ""

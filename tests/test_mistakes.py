"""The page of likely mistakes: every spec on it is checked, and the message below it is the one that mixc gives."""

import re
from pathlib import Path

import pytest
from mixc.tests.compiling import messages_of

PAGE = Path(__file__).parents[1] / "docs" / "mistakes.md"
PART = re.compile(r"(^```mix\n(?P<spec>.*?)^```\n)(\n```text\n(?P<said>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
ROW = (
    '{"question": "q", "solution": "s", "answer": "4", "model": "terse", "topic": "algebra", "good": true, "count": 3, "split": "train"}\n'
)


def said_to(spec: str, folder: Path) -> str:
    """What `mixc check` says to a spec."""
    (folder / "student").mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text(ROW)
    (folder / "recipe.mix").write_text(spec)
    return messages_of(folder, "recipe.mix")


def test_the_page_shows_what_mixc_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")

    def renew(part: re.Match[str]) -> str:
        return f"{part.group(1)}\n```text\n{said_to(part['spec'], tmp_path)}```\n"

    renewed = PART.sub(renew, page)
    if request.config.getoption("--update"):
        PAGE.write_text(renewed, encoding="utf-8")
    assert page == renewed or request.config.getoption("--update")


def test_every_mistake_is_found(tmp_path: Path) -> None:
    specs = [part["spec"] for part in PART.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(specs) == 10
    assert all("error[MIX" in said_to(spec, tmp_path) for spec in specs)

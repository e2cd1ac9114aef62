"""Goldens of `mixc diff`: every pair in tests/diff with what each format says of it."""

import io
import json
from pathlib import Path

import pytest
from mixc.cli.commands.diff import compare
from mixc.cli.comparison import Comparison
from mixc.cli.console import THEME
from mixc.cli.draw_diff import draw_diff
from mixc.cli.sides import side
from mixc.cli.write_diff import schema, to_json, to_markdown
from rich.console import Console

CASES = sorted(p.parent.name for p in Path(__file__).parent.glob("diff/*/before.mix"))


def drawn(comparison: Comparison, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, theme=THEME, color_system=None, highlight=False, markup=False, emoji=False)
    for line in draw_diff(comparison, width):
        console.print(line, soft_wrap=True)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", CASES)
def test_diff_reads_as_its_golden(case: str, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parent / "diff" / case
    monkeypatch.chdir(folder)
    found = compare(side("before.mix", ()), side("after.mix", ()))
    golden(folder / "diff.txt", drawn(found, 80))
    golden(folder / "diff.md", to_markdown(found))
    golden(folder / "diff.json", to_json(found) + "\n")
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(to_json(found)))
    for width in (80, 100):
        assert all(len(line) <= width for line in drawn(found, width).splitlines())

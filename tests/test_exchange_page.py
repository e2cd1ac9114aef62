"""docs/exchange.md: its commands run in their order, from an empty folder."""

import re
import shlex
from pathlib import Path

import pytest
from mixc.cli.main import main

PAGE = (Path(__file__).parents[1] / "docs" / "exchange.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    commands = re.findall(r"^\$ mixc (.*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 8
    for command in commands:
        code = main(shlex.split(command))
        assert code == 0, f"mixc {command}: {capsys.readouterr().err}"
    assert {path.name for path in Path("there").iterdir()} == {"recipe.axolotl.yaml", "dataset_info.json", "recipe.llama-factory.yaml", "recipe.trl.jsonl", "recipe.trl.yaml"}

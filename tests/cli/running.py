"""The program in this process, in a project of the test's own: what it answers, and with which exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mixc.cli.main import main

Run = Callable[..., tuple[int, str, str]]


def runner(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in `folder`, 100 columns wide; gives the exit code, stdout and stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MIXC_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def mixc(*words: str) -> tuple[int, str, str]:
        code = main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return mixc

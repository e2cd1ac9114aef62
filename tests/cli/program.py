"""Runs the program as a process of its own, from a checkout that need not be installed."""

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
START = f"import runpy; runpy.run_path({str(CONFTEST)!r}); runpy.run_module('mixc.cli.main', run_name='__main__')"


def arguments(*words: str, code: str = START) -> list[str]:
    return [sys.executable, "-c", code, *words]


def environment(**more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return plain | more


def mixc(*words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The finished process of `python -m mixc.cli.main WORDS`."""
    return subprocess.run(
        arguments(*words), cwd=cwd, env=environment(**env), capture_output=True, text=True, timeout=120, check=False
    )

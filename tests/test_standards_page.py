"""docs/standards.md: its programs run on the build that its commands make."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mixc.tests.cli.program import environment, mixc

PAGE = (Path(__file__).parents[1] / "docs" / "standards.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.mark.standards
def test_the_programs_of_the_page_run_after_its_commands(tmp_path: Path) -> None:
    (commands,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)
    at = tmp_path
    for command in commands.splitlines():
        words = command.removeprefix("$ ").split()
        if words[0] == "cd":
            at = at / words[1]
            continue
        done = mixc(*words[1:], cwd=at)
        assert done.returncode == 0, done.stderr
    assert len(PROGRAMS) == 3
    offline = environment(HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"), PYTHONPATH=os.pathsep.join(each for each in sys.path if each))
    for text in PROGRAMS:
        done = subprocess.run([sys.executable, "-c", text], cwd=at, env=offline, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr

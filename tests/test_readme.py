"""Every command of the README runs, in a fresh copy of the checkout, and every spec shown there is one that is shipped.

A comment before a fence says how its block is run: `<!-- run -->`, with `exit=N` for the code of its last command, and
the markers `slow`, `student`, `shared`. Other lines of a block are output that must appear, in their order.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("MIXC_SHARED", ROOT.parent / "shared" / "data")).resolve()
WEIGHTS = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
README = (ROOT / "README.md").read_text(encoding="utf-8")
COPIED = ("cli", "compiler", "grammar", "runtime", "scripts", "specs", "Makefile", "__init__.py", "py.typed")
COPIED += ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    words: tuple[str, ...]
    commands: tuple[str, ...]
    output: tuple[str, ...]

    @property
    def exit(self) -> int:
        return next((int(word.removeprefix("exit=")) for word in self.words if word.startswith("exit=")), 0)


def blocks() -> list[Block]:
    found = []
    for match in re.finditer(r"(?:<!-- run(?:: ([^>]*?))? -->\n)?```console\n(.*?)```", README, re.S):
        lines = match.group(2).splitlines()
        commands = tuple(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
        output = tuple(line for line in lines if line.strip() and not line.startswith("$ "))
        line = README.count("\n", 0, match.start()) + 1
        found.append(Block(line, tuple((match.group(1) or "").split()), commands, output))
    return found


def cases() -> list[object]:
    known = {"slow", "student", "shared"}
    return [
        pytest.param(block, id=f"line-{block.line}", marks=[getattr(pytest.mark, w) for w in block.words if w in known])
        for block in blocks()
    ]


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout whose environment is this one, and whose student is already there."""
    folder = tmp_path / "mixc"
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    bin_ = folder / ".venv" / "bin"
    bin_.mkdir(parents=True)
    program(bin_ / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from mixc.cli.main import main; sys.exit(main())"
    program(bin_ / "mixc", f'#!/bin/sh\nexec "{sys.executable}" -P -c "{start}" "$@"\n')
    (bin_ / "activate").write_text(f'export PATH="{bin_}:$PATH"\n')
    if WEIGHTS.exists():
        (folder / "models").mkdir()
        (folder / "models" / WEIGHTS.name).symlink_to(WEIGHTS)
    (folder / ".venv" / ".ready").touch()
    return folder


@pytest.mark.parametrize("block", cases())
def test_the_commands_of_the_readme_run(block: Block, checkout: Path) -> None:
    if "student" in block.words and not WEIGHTS.exists():
        pytest.skip("needs the student's weights: make student")
    if "shared" in block.words and not (SHARED / "teachers.parquet").exists():
        pytest.skip("needs the real responses")
    if any("specs/quickstart" in command for command in block.commands):
        subprocess.run(["make", "corpus"], cwd=checkout, check=True, capture_output=True)
    *before, last = block.commands
    script = "\n".join(["set -euo pipefail", *before, "set +e", last])
    path = f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}"
    ours = ("MIXC_HOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"PATH": path, "MIXC_SHARED": str(SHARED), "COLUMNS": "120"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == block.exit, done.stdout
    assert "Traceback" not in done.stdout
    place = 0
    for line in block.output:
        place = done.stdout.find(line, place)
        assert place >= 0, f"README.md shows {line!r}, which is not (any more) in\n{done.stdout}"


def test_every_block_of_commands_says_how_it_is_run() -> None:
    assert README.count("```console") == len(re.findall(r"<!-- run(?:: [^>]*?)? -->\n```console", README)) >= 6
    assert all(block.commands for block in blocks())


def test_every_spec_in_the_readme_is_a_part_of_a_shipped_one() -> None:
    shipped = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").glob("*.mix"))]
    shown = re.findall(r"```mix\n(.*?)```", README, re.S)
    assert len(shown) >= 3
    for part in shown:
        assert any(part in text for text in shipped), part


def test_every_file_that_the_readme_names_is_there() -> None:
    made = {"build/recipe/", ".mixc/", "data/", "bench/", "../shared/data"}
    for name in re.findall(r"`([\w./-]+/[\w./-]*|[A-Z]+(?:\.md)?)`", README):
        if name not in made and not name.startswith("MIX"):
            assert (ROOT / name).exists(), name


def test_every_verb_of_the_program_is_in_the_readme() -> None:
    from mixc.cli.main import VERBS

    assert not [verb for verb in VERBS if f"`mixc {verb}" not in README]
    assert not [verb for verb in re.findall(r"^\| `mixc ([\w-]+)", README, re.M) if verb not in VERBS]

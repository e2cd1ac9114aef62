"""Compiles a spec as the command line does, and draws its diagnostics as a user sees them without colour."""

import io
import os
import re
from pathlib import Path

from mixc.cli.console import THEME
from mixc.cli.inputs import compile_file
from mixc.cli.render import render_text
from mixc.cli.sources import sources_of
from mixc.compiler.diagnostics import Fault
from rich.console import Console

RUN = Path(__file__).parent / "errors" / "run"
"""Goldens of what only a run can show."""


def told(said: str) -> str:
    """The messages in what a command said, without its progress and its summary."""
    lines = said.splitlines(keepends=True)
    begins = [i for i, line in enumerate(lines) if re.match(r"(error|warning)\[|.*MIX\d{4}", line)]
    kept = lines[begins[0] :] if begins else []
    return "".join(line for line in kept if not re.match(r" *(started|finished|running) ", line))


def drawn(diagnostics, sources) -> str:
    """Diagnostics as text, 100 columns wide."""
    console = Console(file=io.StringIO(), width=100, theme=THEME, color_system=None, highlight=False, markup=False, emoji=False)
    render_text(list(diagnostics), {s.path: s for s in sources}, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def compile_in(folder: Path, name: str, overrides=()):
    """The outcome of compiling `name` with `folder` as the working directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return compile_file(name, overrides)
    finally:
        os.chdir(before)


def messages_of(folder: Path, name: str, overrides=()) -> str:
    """What `mixc check` would draw for a spec."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        outcome = compile_file(name, overrides)
        return drawn(outcome.notes, sources_of(outcome.notes, {s.path: s for s in outcome.sources}).values())
    except Fault as fault:
        return drawn(fault.diagnostics, ())
    finally:
        os.chdir(before)

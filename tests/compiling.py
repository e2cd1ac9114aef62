"""Compiles a spec as the command line does, and draws its diagnostics as a user sees them without colour."""

import io
import os
from pathlib import Path

from mixc.cli.console import THEME
from mixc.cli.inputs import compile_file
from mixc.cli.render import render_text
from mixc.compiler.diagnostics import Fault
from rich.console import Console


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
        return drawn(outcome.notes, outcome.sources)
    except Fault as fault:
        return drawn(fault.diagnostics, ())
    finally:
        os.chdir(before)

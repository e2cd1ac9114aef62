"""The one console for results and the one for everything else; colour is decided here, once. It knows nothing drawn."""

import os
import sys
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

PIPED_WIDTH = 100

THEME = Theme(
    {
        "error": "bold red",
        "warning": "bold yellow",
        "success": "green",
        "message": "bold",
        "gutter": "cyan",
        "secondary": "cyan",
        "literal": "cyan",
        "dim": "dim",
        "verb": "bold green",
    },
    inherit=False,
)


class _Console(Console):
    """Lets a closed pipe reach `main`, where the library would leave with a code of its own."""

    def on_broken_pipe(self) -> None:
        raise  # the error that is being handled: the library calls this from its handler


@dataclass(frozen=True, slots=True)
class Terminal:
    """`out` is stdout, for results; `err` is stderr, for all the rest."""

    out: Console
    err: Console
    quiet: bool = False
    verbose: bool = False

    def result(self, text: str) -> None:
        """Write text to stdout as it is: never wrapped, never coloured."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def say(self, text: str, style: str = "") -> None:
        """One line for people, on stderr; silent under `--quiet`."""
        if not self.quiet:
            self.err.print(Text(text, style), soft_wrap=True)


def open_terminal(*, color: bool = True, quiet: bool = False, verbose: bool = False) -> Terminal:
    """Both consoles. `color=False` or `NO_COLOR`: no escape code at all. A pipe is 100 columns wide, or `COLUMNS`."""
    if not color or os.environ.get("NO_COLOR"):
        color = False
    for stream in (sys.stdout, sys.stderr):
        # A path that is not UTF-8, or a console that is not, must not turn a message into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return Terminal(_console(color, stderr=False), _console(color, stderr=True), quiet, verbose)


def _console(color: bool, *, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else PIPED_WIDTH
    return _Console(
        stderr=stderr,
        width=width,
        theme=THEME,
        color_system="auto" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
    )

"""The command line as values: argparse with our words and suggestions. It knows flags, not what the verbs do."""

import argparse
from collections.abc import Iterable, Sequence
from typing import NoReturn

from .. import __version__
from ..compiler.suggest import suggest


class Usage(Exception):
    """The command line is wrong. `usage` is the line that shows the right form, `help` what to type instead."""

    def __init__(self, message: str, usage: str, help: str | None = None) -> None:
        super().__init__(message)
        self.usage = usage
        self.help = help


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `Usage` where argparse would leave the program."""

    def error(self, message: str) -> NoReturn:
        raise Usage(_reworded(message), self.usage_line())

    def usage_line(self) -> str:
        return " ".join(self.format_usage().split())

    def flags(self) -> list[str]:
        """Every flag this parser takes, in its long and short forms."""
        return [flag for action in self._actions for flag in action.option_strings]

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(c) for c in action.choices]
        near = suggest(str(value), choices)
        name = "/".join(action.option_strings) or action.metavar or action.dest
        raise Usage(
            f"`{value}` is not a value of {name}",
            self.usage_line(),
            f"did you mean `{near}`?" if near else f"one of {listed(choices)}",
        )


def listed(words: Iterable[str]) -> str:
    """`a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)


def add_global_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that stand before or after any verb."""
    group = parser.add_argument_group("everywhere")
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no progress and no notices, errors only")
    loudness.add_argument("-v", "--verbose", action="store_true", help="more of what happens")
    group.add_argument("--version", action="version", version=f"mixc {__version__}", help="the version alone")
    group.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR does the same)")


def parse(parser: Parser, words: Sequence[str]) -> argparse.Namespace | None:
    """The arguments, or None once help or the version has been printed; an unknown flag is a `Usage`."""
    try:
        arguments, extra = parser.parse_known_args(words)
    except SystemExit:
        return None
    if extra:
        flag = next((word for word in extra if word.startswith("-")), None)
        if flag is None:
            raise Usage(f"`{extra[0]}` is one argument too many", parser.usage_line())
        name = flag.split("=")[0]
        near = suggest(name, parser.flags())
        raise Usage(f"there is no flag `{name}`", parser.usage_line(), f"did you mean `{near}`?" if near else None)
    return arguments


def _reworded(message: str) -> str:
    """argparse's sentences in the words of this program."""
    if message.startswith("the following arguments are required: "):
        return f"{message.removeprefix('the following arguments are required: ')} is missing"
    return message.removeprefix("argument ")

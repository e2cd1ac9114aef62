"""`mixc log`: the history of a folder of builds, the newest last, each with what changed against the one before."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exit import FINE


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", nargs="?", default="build", help="a folder of builds, at most two deep, or one build (default: build)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """The history goes to stdout. It is read from the folders alone: no corpus, no model."""
    from ...runtime.history import history
    from ..history_text import history_json, history_sheet
    from ..sheet import show_sheets

    root = Path(arguments.folder)
    found = history(root)
    if arguments.format == "json":
        arguments.terminal.result(history_json(root, found))
    else:
        show_sheets(f"builds in {root}, the newest last", (history_sheet(found),), arguments.terminal.out)
    return FINE

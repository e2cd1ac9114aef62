"""`mixc why`: the path of one row, or of every row of a prompt, through a finished build."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exit import FINE


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("build", metavar="BUILD", help="a build folder, or a spec: then build/<name of the spec file>/")
    parser.add_argument("id", metavar="ROW_OR_PROMPT", help="a row id, the beginning of one (at least 6 digits), or a prompt id: then every row of it, the winner first")
    parser.add_argument("--why-not", action="store_true", help="of a dropped row the smallest changes that would let it in, of a selected one what it would take to lose it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """The account goes to stdout. It is read from the folder alone: no corpus, no model."""
    from ...runtime.built import built
    from ...runtime.why import why
    from ..why_text import why_json, why_text

    named = Path(arguments.build)
    folder = Path("build") / named.stem if named.suffix == ".mix" and not named.is_dir() else named
    build = built(folder)
    found = why(build, arguments.id, why_not=arguments.why_not)
    if arguments.format == "json":
        arguments.terminal.result(why_json(build, found))
    else:
        why_text(found, arguments.terminal.out)
    return FINE

"""`mixc export`: what another trainer needs to train on a build with the recipe's hyper-parameters."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..arguments import Usage
from ..exit import FINE

TRAINERS = ("llama-factory", "axolotl", "trl")
USAGE = "usage: mixc export TRAINER BUILD [--out DIR|FILE] [--force]"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("trainer", metavar="TRAINER", choices=TRAINERS, help="llama-factory, axolotl or trl")
    parser.add_argument("build", metavar="BUILD", help="a build folder, or a spec: then build/<name of the spec file>/")
    parser.add_argument("--out", metavar="DIR|FILE", default=".", help="the folder to write into (default: here), or the .yaml file")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json: what was written")


def run(arguments: Namespace) -> int:
    """The files are named on stdout; what they cannot say as the recipe does goes to stderr, and into the files as comments."""
    from ...runtime.export import REGISTER, export

    named, out = Path(arguments.build), Path(arguments.out)
    folder = Path("build") / named.stem if named.suffix == ".mix" and not named.is_dir() else named
    if out.suffix == ".json" and not out.is_dir() and (arguments.trainer != "llama-factory" or out.name != REGISTER):
        raise Usage(f"`{out}` is no name for the file", USAGE, f"name a folder or a .yaml file; the list of datasets of llama-factory is always called `{REGISTER}`")
    if out.is_file() and out.suffix not in (".yaml", ".yml", ".json"):
        raise Usage(f"`{out}` is a file, not a folder", USAGE, "name a folder, or a file that ends in .yaml")
    written = export(arguments.trainer, folder, out, force=arguments.force)
    terminal = arguments.terminal
    if arguments.format == "json":
        data = {
            "trainer": written.trainer, "name": written.name, "examples": written.examples, "folder": str(written.folder),
            "files": [str(path) for path in written.files], "command": written.command, "notes": list(written.notes),
        }  # fmt: skip
        terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
        return FINE
    for path in written.files:
        terminal.result(f"wrote {path}")
    for note in written.notes:
        terminal.say(f"note: {note}")
    terminal.say(f"run in `{written.folder}`: {written.command}")
    return FINE

"""`mixc init`: a starter project that builds without a model."""

from argparse import ArgumentParser, Namespace
from importlib.resources import files
from pathlib import Path

from ... import cli
from ..arguments import Usage, listed
from ..exit import FINE

FILES = {
    "recipe.mix": "recipe.mix",
    "data/responses.jsonl": "responses.jsonl",
    "tests/wrong.jsonl": "wrong.jsonl",
    "README.md": "README.md",
    ".gitignore": "gitignore",
}
USAGE = "usage: mixc init [DIR]"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where to write it (default: here)")


def run(arguments: Namespace) -> int:
    """Write the starter files, or none of them where one is already there."""
    folder = Path(arguments.folder)
    if folder.exists() and not folder.is_dir():
        raise Usage(f"`{folder}` is a file, not a folder", USAGE)
    there = [name for name in FILES if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise Usage(
            f"`{folder}` already has {listed(there)}, and nothing is overwritten",
            USAGE,
            "name a new folder, such as `mixc init demo`",
        )
    starter = files(cli) / "starter"
    for name, kept in FILES.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as out:
            out.write((starter / kept).read_text(encoding="utf-8"))
    terminal = arguments.terminal
    terminal.say(f"wrote {listed(str(folder / name) for name in FILES)}")
    terminal.say("")
    terminal.say("next:")
    steps = [] if folder == Path() else [f"cd {folder}"]
    for step in (*steps, "mixc check recipe.mix", "mixc test recipe.mix", "mixc plan recipe.mix", "mixc build recipe.mix"):
        terminal.say(f"  {step}", "literal")
    return FINE

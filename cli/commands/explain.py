"""`mixc explain`: the long story of one diagnostic code, or the list of all."""

import json
import textwrap
from argparse import ArgumentParser, Namespace
from itertools import groupby

from rich.console import Console
from rich.text import Text

from ...compiler.codes.all import CODES
from ...compiler.codes.entry import Code
from ...compiler.suggest import suggest
from ..arguments import Usage
from ..exit import FINE
from ..render import prose

BANDS = {
    "01": "syntax",
    "02": "names",
    "03": "types and units",
    "04": "plan and feasibility",
    "05": "run",
    "06": "lint",
}
WIDEST = 100


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as MIX0304 or 0304; without one, all are listed")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """Print the story or the list to stdout; an unknown code is a wrong command line."""
    if arguments.code is None:
        shown = CODES
    else:
        code = canonical(arguments.code)
        if code not in CODES:
            near = suggest(code, CODES)
            raise Usage(
                f"there is no code `{arguments.code}`",
                "usage: mixc explain [CODE] [--format text|json]",
                f"did you mean `mixc explain {near}`?" if near else "`mixc explain` lists them all",
            )
        shown = {code: CODES[code]}
    console: Console = arguments.terminal.out
    if arguments.format == "json":
        listed = [_data(code, entry) for code, entry in shown.items()]
        data = {"codes": listed} if arguments.code is None else listed[0]
        arguments.terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
    elif arguments.code is None:
        _list(shown, console)
    else:
        for code, entry in shown.items():
            _story(code, entry, console)
    return FINE


def canonical(code: str) -> str:
    """`0304`, `304` and `mix0304` are all `MIX0304`."""
    digits = code.strip().upper().removeprefix("MIX")
    return f"MIX{digits.zfill(4)}" if digits.isdigit() else code.strip().upper()


def _data(code: str, entry: Code) -> dict[str, str]:
    return {"code": code, "title": entry.title, "story": entry.story, "wrong": entry.wrong, "right": entry.right}


def _list(codes: dict[str, Code], console: Console) -> None:
    for band, entries in groupby(codes.items(), key=lambda item: item[0][3:5]):
        console.print(Text(BANDS.get(band, band), "message"))
        for code, entry in entries:
            console.print(Text.assemble("  ", (code, "literal"), "  ") + prose(entry.title), soft_wrap=True)
        console.print()
    console.print("`mixc explain CODE` tells the story of one", soft_wrap=True)


def _story(code: str, entry: Code, console: Console) -> None:
    console.print(Text.assemble((code, "literal"), ": ") + prose(entry.title, "message"), soft_wrap=True)
    for paragraph in entry.story.strip().split("\n\n"):
        console.print()
        words = " ".join(paragraph.split())
        width = min(console.width, WIDEST)
        for line in textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False):
            console.print(prose(line), soft_wrap=True)
    for word, style, example in (("wrong", "error", entry.wrong), ("right", "success", entry.right)):
        if example.strip():
            console.print()
            console.print(Text(f"{word}:", style))
            console.print(Text(textwrap.indent(textwrap.dedent(example).strip("\n"), "    ")), soft_wrap=True)

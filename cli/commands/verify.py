"""`mixc verify`: a finished build against its lock, its manifest and its ledger, offline."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exit import DIFFERENT, FINE


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("build", metavar="BUILD", help="a build folder, or a spec: then build/<name of the spec file>/")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """What was checked goes to stdout, each difference to stderr. It is read from the folder alone: no corpus, no model, no network."""
    from ...runtime.verify_build import verify_build
    from ..render import render_text
    from ..render_json import diagnostic_data

    named = Path(arguments.build)
    folder = Path("build") / named.stem if named.suffix == ".mix" and not named.is_dir() else named
    found = verify_build(folder)
    if arguments.format == "json":
        told = [diagnostic_data(each, {}) for each in found.differences]
        data = {"build": str(folder), "checked": list(found.checked), "unchecked": list(found.unchecked), "diagnostics": told}
        arguments.terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        verdict = "it is what its lock and its manifest say" if not found.differences else "it is not what its lock and its manifest say"
        lines = [f"{folder}: {verdict}", *(f"  checked      {each}" for each in found.checked), *(f"  not checked  {each}" for each in found.unchecked)]
        arguments.terminal.result("\n".join(lines))
        if found.differences:
            render_text(list(found.differences), {}, arguments.terminal.err)
    return DIFFERENT if found.differences else FINE

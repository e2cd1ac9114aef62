"""`mixc check`: parse, resolve, type-check and lint specs. Loads no model, imports neither torch nor Polars."""

from argparse import ArgumentParser, Namespace

from ...compiler.diagnostics import Diagnostic, Fault
from ..exit import exit_code
from ..inputs import compile_file
from ..render import render_json, render_text, summary
from ..sources import sources_of


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="the `.mix` files to check")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a param (may repeat)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """Diagnostics go to stderr as text or to stdout as JSON; the exit code is that of the worst."""
    found: list[Diagnostic] = []
    silenced: list[Diagnostic] = []
    sources = {}
    for path in arguments.specs:
        try:
            outcome = compile_file(path, arguments.set)
        except Fault as fault:
            found.extend(fault.diagnostics)
            continue
        found.extend(d for d in outcome.notes if d not in found)
        sources.update({s.path: s for s in outcome.sources})
        silenced.extend(d for d in outcome.silenced if d not in silenced)
    sources = sources_of(found, sources)
    if arguments.format == "json":
        arguments.terminal.result(render_json(found, sources))
    elif found:
        render_text(found, sources, arguments.terminal.err)
    if silenced and arguments.terminal.verbose and arguments.format == "text":
        arguments.terminal.say("allowed by a comment:")
        render_text(silenced, sources, arguments.terminal.err)
    if not exit_code(found) and arguments.format == "text":
        checked = f"{len(arguments.specs)} spec{'s' if len(arguments.specs) > 1 else ''} checked"
        allowed = f", {len(silenced):,} allowed by a comment" if silenced else ""
        arguments.terminal.say(f"{checked}: {summary(found) if found else 'no errors'}{allowed}", "success")
    return exit_code(found)

"""`mixc check`: parse, resolve, type-check and lint specs, and mend what can be. Loads no model, imports neither torch nor Polars."""

from argparse import ArgumentParser, Namespace

from ...compiler.diagnostics import Severity
from ..exit import exit_code
from ..formats import FORMATS, show
from ..inputs import Checked, check_files
from ..render import render_text, summary


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="the `.mix` files to check")
    parser.add_argument("--fix", action="store_true", help="write the fixes that are safe into these files, and tell what is left")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a param (may repeat)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="text (default), json, sarif or github")


def run(arguments: Namespace) -> int:
    """Diagnostics go to stderr as text, to stdout in any other format; the exit code is that of the worst that is left."""
    if arguments.fix:
        return _fix(arguments)
    checked = check_files(arguments.specs, arguments.set)
    if arguments.format != "text":
        show(arguments.format, checked.diagnostics, checked.sources, arguments.terminal)
        return exit_code(checked.diagnostics)
    _show(checked, arguments, "")
    if checked.silenced and arguments.terminal.verbose:
        arguments.terminal.say("allowed by a comment:")
        render_text(checked.silenced, checked.sources, arguments.terminal.err)
    if not exit_code(checked.diagnostics):
        counted = f"{len(arguments.specs)} spec{'s' if len(arguments.specs) > 1 else ''} checked"
        allowed = f", {len(checked.silenced):,} allowed by a comment" if checked.silenced else ""
        arguments.terminal.say(f"{counted}: {summary(checked.diagnostics) or 'no errors'}{allowed}", "success")
    return exit_code(checked.diagnostics)


def _fix(arguments: Namespace) -> int:
    from ..fix import fix
    from ..render_json import render_json

    fixed = fix(arguments.specs, arguments.set)
    left = fixed.left
    match arguments.format:
        case "text":
            _tell(fixed.done, arguments)
            count = f"{len(fixed.done):,} fixed, {summary(left.diagnostics) or 'no errors'}{' left' if left.diagnostics else ''}"
            _show(left, arguments, count)
            if not left.diagnostics:
                arguments.terminal.say(count, "success")
            for path in fixed.unnamed:
                arguments.terminal.say(f"not fixed, as it was not named: `mixc check --fix {path}`", "warning")
        case "json":
            arguments.terminal.result(render_json(left.diagnostics, left.sources, fixed.done))
        case other:
            show(other, left.diagnostics, left.sources, arguments.terminal)
    return exit_code(left.diagnostics)


def _tell(done: tuple, arguments: Namespace) -> None:
    """A line for each fix: where it was, and what was wrong."""
    for diagnostic, sources in done:
        span = diagnostic.edits[0].span
        line, column = sources[span.path].position(span.start)
        arguments.terminal.say(f"fixed {span.path}:{line}:{column}: {diagnostic.message} ({diagnostic.help or diagnostic.code})")


def _show(checked: Checked, arguments: Namespace, ending: str) -> None:
    """Draw what was found; under `--quiet` the errors alone."""
    shown = [d for d in checked.diagnostics if not arguments.terminal.quiet or d.severity is Severity.ERROR]
    render_text(shown, checked.sources, arguments.terminal.err, ending)

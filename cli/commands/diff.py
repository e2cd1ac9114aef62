"""`mixc diff`: what parts two specs or plans by meaning, and what that makes run again; of two builds also which rows moved, and why; of two locks what drifted."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from ...compiler.contrast import contrast, spread, wording, written
from ...compiler.diagnostics import Diagnostic, Fault
from ...compiler.plan.diff import diff
from ...compiler.plan.lock import SUFFIX
from ..arguments import Usage
from ..comparison import Comparison
from ..draw_diff import draw_diff
from ..exit import DIFFERENT, FINE
from ..revisions import revision, tracked
from ..sides import Broken, Side, side
from ..write_diff import to_json, to_markdown


def configure(parser: ArgumentParser) -> None:
    what = "a `.mix` file, a `plan.json`, a build folder, a lock, or `REV:path` in git (its parents read from that revision too)"
    parser.add_argument("before", metavar="A", help=what)
    parser.add_argument("after", metavar="B", nargs="?", help="the same; A alone: what is committed of A, or A at its revision, against the file as it is")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a param on both sides (may repeat)")
    parser.add_argument("--format", choices=("text", "json", "md"), default="text", help="text (default), json, or md for a pull request")


def run(arguments: Namespace) -> int:
    """The comparison goes to stdout. 2 where the two differ in meaning (two builds: in anything that came of it), 0 where only the writing differs or nothing does."""
    names = _names(arguments)
    if all(name.endswith(SUFFIX) for name in names):
        return _locks(names, arguments)
    sides = [_side(name, arguments) for name in names]
    comparison = _with_builds(compare(*sides), *map(Path, names))
    match arguments.format:
        case "json":
            arguments.terminal.result(to_json(comparison))
        case "md":
            arguments.terminal.result(to_markdown(comparison))
        case _:
            for line in draw_diff(comparison, arguments.terminal.out.width):
                arguments.terminal.out.print(line, soft_wrap=True)
            if comparison.builds is not None:
                from ..moves_sheets import moves_sheets
                from ..sheet import print_sheets

                print_sheets(moves_sheets(comparison.builds), arguments.terminal.out)
    return DIFFERENT if comparison.different else FINE


def _with_builds(comparison: Comparison, before: Path, after: Path) -> Comparison:
    """The comparison with what else parts them, where both are build folders."""
    if not (before.is_dir() and after.is_dir()):
        return comparison
    from ...runtime.moves.differing import differing

    return replace(comparison, builds=differing(before, after, comparison.difference.changes))


def _locks(names: tuple[str, str], arguments: Namespace) -> int:
    from ...compiler.plan.drift import drift
    from ..lock_file import lock_at
    from ..lock_text import differing_json, differing_markdown, differing_text

    found = drift(*(lock_at(name) for name in names))
    match arguments.format:
        case "json":
            arguments.terminal.result(differing_json(names, found))
        case "md":
            arguments.terminal.result(differing_markdown(names, found))
        case _:
            differing_text(names, found, arguments.terminal.out)
    return DIFFERENT if found else FINE


def compare(before: Side, after: Side) -> Comparison:
    """The two sides with what parts them; how texts are written is compared where both sides have one."""
    found = diff(before.plan, after.plan)
    if before.sources and after.sources:
        old, new = (written(side.plan, side.sources, side.settings) for side in (before, after))
        more = contrast(old, new, found.changes)
        changes = sorted((*found.changes, *more), key=lambda change: -change.work.cost)
        found = replace(found, changes=tuple(changes))
        found = spread(found, more, after.plan)
        if not found.matters:
            found = replace(found, wording=wording(before.sources, after.sources, told=bool(found.changes)))
    return Comparison(before, after, found)


def _names(arguments: Namespace) -> tuple[str, str]:
    if arguments.after is not None:
        return arguments.before, arguments.after
    path = arguments.before
    if ":" in path and not Path(path).exists():
        return path, revision(path)[1]
    if not Path(path).is_file() or not path.endswith((".mix", SUFFIX)):
        usage = "usage: mixc diff A B"
        raise Usage("B is missing", usage, "A alone is a spec or a lock under git, compared with its last commit")
    if not tracked(path):
        help = f"commit it first, or name what to compare it with: `mixc diff {path} OTHER.mix`"
        raise Fault(Diagnostic("MIX0208", f"git has no `{path}` at `HEAD`, so there is nothing to compare it with", help=help))
    return f"HEAD:{path}", path


def _side(name: str, arguments: Namespace) -> Side:
    try:
        return side(name, arguments.set)
    except Broken as broken:
        arguments.sources.update({source.path: source for source in broken.sources})
        raise

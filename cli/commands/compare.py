"""`mixc compare`: builds side by side, and the recipes inside them, with intervals and paired tests."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...compiler.suggest import suggest
from ..arguments import Usage, listed
from ..exit import FINE

USAGE = "usage: mixc compare BUILD…"


def configure(parser: ArgumentParser) -> None:
    what = "a build folder, a folder of several (variants, say), or a spec: then build/<name of the spec file>/"
    parser.add_argument("builds", metavar="BUILD", nargs="+", help=what)
    parser.add_argument("--against", metavar="BUILD", help="the build that the others stand beside (the first, unless said otherwise)")
    parser.add_argument("--plot", metavar="FILE", help="also write accuracies and losses as a plot: .svg, .html, or the figures as .json")
    parser.add_argument("--format", choices=("text", "json", "md"), default="text", help="text (default), json, or md for a pull request")


def run(arguments: Namespace) -> int:
    """The comparison goes to stdout. It is read from the folders alone: no corpus, no model."""
    from ...runtime.compare import compare
    from ...runtime.contender import contender
    from ...runtime.named_builds import named_builds
    from ..compare_json import compare_json
    from ..sheet import show_sheets, to_markdown
    from ..sheets import page

    drawn = _drawing(arguments.plot)
    named = named_builds([*arguments.builds, *([arguments.against] if arguments.against and Path(arguments.against).exists() else [])])
    reference = _reference(arguments.against, named)
    found = compare([contender(name, folder) for name, folder in named], reference)
    if drawn:
        from ..compare_plot import write_plot

        write_plot(found, drawn)
    shown = page(found)
    match arguments.format:
        case "json":
            arguments.terminal.result(compare_json(found))
        case "md":
            arguments.terminal.result(to_markdown(shown.title, shown.sheets))
        case _:
            show_sheets(shown.title, shown.sheets, arguments.terminal.out)
    if drawn:
        arguments.terminal.say(f"wrote {drawn}")
    return FINE


def _drawing(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name)
    if path.suffix not in (".svg", ".html", ".json"):
        raise Usage(f"`{name}` is no kind of plot", f"{USAGE} --plot FILE", "name a file that ends in .svg, .html or .json")
    return path


def _reference(against: str | None, named: list[tuple[str, Path]]) -> str:
    """The name of the build that `--against` names, by name or by folder; else the first."""
    if against is None:
        return named[0][0]
    wanted = Path(against)
    folder = Path("build") / wanted.stem if wanted.suffix == ".mix" and not wanted.is_dir() else wanted
    found = next((name for name, path in named if name == against or path.resolve() == folder.resolve()), None)
    if found is None:
        names = [name for name, _ in named]
        near = suggest(against, names)
        raise Usage(f"`{against}` is none of the builds", f"{USAGE} --against BUILD", f"did you mean `{near}`?" if near else f"one of {listed(names)}")
    return found

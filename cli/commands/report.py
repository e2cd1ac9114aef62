"""`mixc report`: a finished build as one HTML page that needs nothing else, as a dataset card, or what the page says as JSON."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..exit import FINE

NAME = "report.html"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("build", metavar="BUILD", help="a build folder, or a spec: then build/<name of the spec file>/")
    parser.add_argument("--out", metavar="FILE", help=f"where to write it (default: BUILD/{NAME}; of the others: stdout)")
    parser.add_argument("--format", choices=("html", "md", "json"), default="html", help="html (default), md: the dataset card, json: what the page says")


def run(arguments: Namespace) -> int:
    """Where the page lies goes to stdout, or the data. It is made of the folder alone: no corpus, no model, no network."""
    from ...runtime.dataset_card import dataset_card
    from ...runtime.files import write_atomic
    from ...runtime.report.gather import gather
    from ..report_json import report_json

    named = Path(arguments.build)
    folder = Path("build") / named.stem if named.suffix == ".mix" and not named.is_dir() else named
    if arguments.format != "html":
        text = report_json(gather(folder)) if arguments.format == "json" else dataset_card(folder)
        if arguments.out is None:
            arguments.terminal.result(text)
            return FINE
        out, data = Path(arguments.out), f"{text.rstrip()}\n".encode()
    else:
        from ...runtime.report_html.page import page_bytes

        out, data = folder / NAME if arguments.out is None else Path(arguments.out), page_bytes(gather(folder))
    write_atomic(out, data)
    arguments.terminal.result(str(out))
    arguments.terminal.say(f"{len(data) / 1000:,.0f} KB" + ("; it needs nothing else, open it in any browser" if arguments.format == "html" else ""))
    return FINE

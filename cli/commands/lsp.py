"""`mixc lsp`: the language server, on standard input and output. What it needs comes as an extra and is loaded here alone."""

import importlib.util
from argparse import ArgumentParser, Namespace

from ...compiler.diagnostics import Diagnostic
from ..exit import WRONG
from ..render import render_text

NEEDED = ("pygls", "lsprotocol")


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a param (may repeat)")
    parser.add_argument("--stdio", action="store_true", help="what editors pass; there is no other way to talk to it")


def run(arguments: Namespace) -> int:
    """Serve one editor; without the extra, say what to install (MIX0509), which here is a wrong command line and no failed run."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        what = f"the language server needs {' and '.join(f'`{name}`' for name in missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
        render_text([Diagnostic("MIX0509", what, help="run `pip install 'mixc[lsp]'`")], {}, arguments.terminal.err)
        return WRONG
    from ..server.serve import serve

    return serve(arguments.set)

"""`mixc lock`: pins what a recipe is made of in NAME.mix.lock, beside the spec."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..engine import chosen_students, configure_engine
from ..exit import FINE
from ..lock_file import lock_path
from ..run import compiled, configure_spec, store_root


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    configure_engine(parser)


def run(arguments: Namespace) -> int:
    """What is pinned goes to stdout. The corpora are read, models are looked at and not loaded; a lock that says the same already is left as it is."""
    from ...compiler.diagnostics import Fault
    from ...compiler.plan.drift import drift
    from ...compiler.plan.lock import Lock, to_json
    from ...runtime.context import Context
    from ...runtime.files import write_atomic
    from ...runtime.pinned import pinned_with_variants
    from ...runtime.store import Store
    from ..lock_file import read_lock
    from ..lock_text import written_json, written_text
    from ..progress import Watcher

    plan = compiled(arguments)
    path, root = lock_path(arguments.spec), store_root()
    with Watcher(arguments.terminal) as watch:
        context = Context(store=Store(root), students=chosen_students(arguments, root), watch=watch)
        variants = [(each.name, each.plan, each.params) for each in arguments.variants]
        found = pinned_with_variants(plan, context, arguments.params, variants).lock
    before: Lock | None = None
    if path.exists():
        try:
            before = read_lock(path, "")
        except Fault:  # it is about to be a whole one
            before = None
    text = to_json(found)
    status = "written" if before is None else "as it was" if before == found else "changed"
    if not _says(path, text):
        write_atomic(path, text.encode())
    drifted = drift(before, found) if before is not None else ()
    if arguments.format == "json":
        arguments.terminal.result(written_json(path, status, found, drifted))
    else:
        written_text(path, status, found, drifted, arguments.terminal.out)
    return FINE


def _says(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False

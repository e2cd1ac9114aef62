"""`mixc cache`: what the store holds, whether it is sound, and what of it may go."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from ..arguments import Usage
from ..exit import FINE, exit_code
from ..run import store_root

if TYPE_CHECKING:
    from ...runtime.store import Store

ACTIONS = ("ls", "verify", "gc")
OF = {"repair": "verify", "yes": "gc", "older_than": "gc"}
"""Which flag belongs to which action."""
USAGE = "usage: mixc cache ls|verify|gc [--repair] [--older-than DAYS] [--yes] [--format text|json]"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, metavar="ls|verify|gc", help="ls: what is there; verify: read every shard and tell what is damaged; gc: tell what may go, and with --yes remove it")
    parser.add_argument("--repair", action="store_true", help="verify: set damaged shards aside and remove damaged unpacked weights, as a build would")
    parser.add_argument("--older-than", type=_days, metavar="DAYS", help="gc: also shelves, checkpoints and models that no run has used for so many days")
    parser.add_argument("--yes", action="store_true", help="gc: remove it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 1 <= days < float("inf"):
        raise ArgumentTypeError(f"`{text}` is not a number of days, at least 1")
    return days


def run(arguments: Namespace) -> int:
    """Everything but diagnostics goes to stdout. No model is loaded; only `verify --repair` and `gc --yes` change the store."""
    foreign = next((flag for flag, action in OF.items() if getattr(arguments, flag) and action != arguments.action), None)
    if foreign:
        flag = f"--{foreign.replace('_', '-')}"
        raise Usage(f"`mixc cache {arguments.action}` takes no `{flag}`", USAGE, f"did you mean `mixc cache {OF[foreign]} {flag}`?")
    from ...runtime.store import Store

    store = Store(store_root())
    return {"ls": _ls, "verify": _verify, "gc": _gc}[arguments.action](store, arguments)


def _ls(store: "Store", arguments: Namespace) -> int:
    from ...runtime.inventory import inventory
    from ..cache_text import listing, listing_data

    seen = inventory(store)
    if arguments.format == "json":
        arguments.terminal.result(json.dumps(listing_data(store.root, seen), indent=2, ensure_ascii=False))
    else:
        arguments.terminal.result(listing(store.root, seen))
    return FINE


def _verify(store: "Store", arguments: Namespace) -> int:
    from ...compiler.diagnostics import Severity
    from ...runtime.damage import verify
    from ..cache_text import verified, verified_data
    from ..render import render_text

    seen = verify(store, repair=arguments.repair)
    if arguments.format == "json":
        arguments.terminal.result(json.dumps(verified_data(store.root, seen), indent=2, ensure_ascii=False))
    else:
        shown = [d for d in seen.found if d.severity is Severity.ERROR or not arguments.terminal.quiet]
        if shown:
            render_text(shown, {}, arguments.terminal.err)
        arguments.terminal.result(verified(store.root, seen))
    return FINE if arguments.repair else exit_code(seen.found)


def _gc(store: "Store", arguments: Namespace) -> int:
    from ...runtime.tidy import tidy
    from ..cache_text import tidied, tidied_data

    steps = list(tidy(store, older_than=arguments.older_than, act=arguments.yes))
    if arguments.format == "json":
        arguments.terminal.result(json.dumps(tidied_data(store.root, steps, arguments.yes), indent=2, ensure_ascii=False))
    else:
        arguments.terminal.result(tidied(store.root, steps, arguments.yes))
    return FINE

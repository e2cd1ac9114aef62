"""`mixc plan`: the stages of a spec, what is known of each, what is cached and whether the selection can hold."""

import json
from argparse import ArgumentParser, Namespace

from ...compiler.plan.explain import explain
from ...compiler.plan.serialize import to_data
from ...compiler.plan.variants import variants_data, variants_text
from ..exit import FINE, exit_code
from ..render import render_json, render_text
from ..run import compiled, configure_spec, store_root


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """The plan goes to stdout. Data is read, no model is loaded; what only a run can tell is an upper bound and says so."""
    from ...runtime.context import Context
    from ...runtime.engines.students import Students
    from ...runtime.preview import preview
    from ...runtime.store import Store
    from ..progress import Watcher

    plan = compiled(arguments)
    root = store_root()
    with Watcher(arguments.terminal) as watch:
        seen = preview(plan, Context(store=Store(root), students=Students(root), watch=watch))
    if arguments.format == "json":
        data = to_data(plan) | {"known": seen.known, "missing": seen.missing, "feasible": seen.feasible}
        data["variants"] = variants_data(arguments.variants, plan)
        data["diagnostics"] = json.loads(render_json([*arguments.warnings, *seen.faults], arguments.sources))["diagnostics"]
        arguments.terminal.result(json.dumps(data, indent=2, ensure_ascii=False))
        return exit_code(seen.faults)
    arguments.terminal.result(explain(plan, seen.known, arguments.terminal.out.width))
    if arguments.variants:
        arguments.terminal.result("\n".join(["", "variants:", *variants_text(arguments.variants, plan)]))
    if seen.faults:
        render_text(seen.faults, arguments.sources, arguments.terminal.err)
        return exit_code(seen.faults)
    if seen.stopped:
        arguments.terminal.say(f"{seen.stopped} is not run yet: what comes after it is not known", "warning")
    else:
        arguments.terminal.say(_verdict(seen.missing, seen.feasible), "success")
    return FINE


def _verdict(missing: dict[str, int], feasible: bool | None) -> str:
    if feasible:
        return "every score is in the store; the selection is feasible"
    costs = ", ".join(f"{count:,} rows by `{name}`" for name, count in missing.items())
    return f"to score: {costs}; whether the selection is feasible shows then"

"""`mixc plan`: the stages of a spec, what is known of each, what is cached, what it would cost and whether the selection can hold."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from ...compiler.plan.stages import KINDS
from ...compiler.plan.variants import variants_data, variants_text
from ..engine import chosen_students, configure_engine
from ..exit import DIFFERENT, FINE, exit_code
from ..render import render_json, render_text
from ..run import compiled, configure_spec, not_allowed, store_root

FORMATS = ("text", "json", "polars", "dot")


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    parser.add_argument("--format", choices=FORMATS, default="text", help="text (default), json, polars (the lazy plans) or dot (Graphviz)")
    parser.add_argument("--out", metavar="DIR", help="the build folder to compare with (default: build/<name of the spec file>/)")
    parser.add_argument("--until", choices=KINDS, metavar="STAGE", help="plan a build that stops after the last stage of this kind")
    configure_engine(parser)
    parser.add_argument("--rate", type=_rate, metavar="TOKENS", help="tokens a second that a model reads, to tell the time (default: as measured by earlier runs)")
    parser.add_argument("--locked", action="store_true", help="stop with exit code 2 where anything is not what NAME.mix.lock pins")
    parser.add_argument("--exit-code", action="store_true", help="exit with 2 if a build would run anything, 0 if its folder is up to date")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"`{text}` is not a number of tokens a second, such as 2000")
    return rate


def run(arguments: Namespace) -> int:
    """The plan goes to stdout. Data is read and texts are tokenised, no model is loaded; what only a run can tell is an upper bound and says so."""
    from ...compiler.plan.dot import dot
    from ...runtime.churn import churn
    from ...runtime.confounded import confounded
    from ...runtime.context import Context
    from ...runtime.doubtful import doubtful
    from ...runtime.execute import stages_until
    from ...runtime.heard import Listener
    from ...runtime.preview import preview
    from ...runtime.standing import standing
    from ...runtime.store import Store
    from ...runtime.variants import up_to_date
    from ..plan_colour import coloured
    from ..plan_dot import said
    from ..plan_json import plan_data, plan_json
    from ..plan_polars import plan_polars
    from ..plan_text import plan_text
    from ..progress import Watcher

    plan = compiled(arguments)
    if arguments.locked:
        from ..lock_file import hold

        hold(plan, arguments, fetch=False)
    stages = stages_until(plan, arguments.until)
    out = Path(arguments.out or Path("build") / Path(arguments.spec).stem)
    root = store_root()
    listener = Listener() if arguments.format == "polars" else None
    with Watcher(arguments.terminal) as watch:
        context = Context(store=Store(root, lenient=True), students=chosen_students(arguments, root, fetch=False), watch=watch)
        seen = preview(plan, context, stages, rate=arguments.rate, listen=listener)
    lints = not_allowed((*confounded(plan, seen.audits), *doubtful(plan, seen.walk)), arguments)
    same = next((v for v in arguments.variants if v.plan.fingerprints == plan.fingerprints), None)
    stands = standing(stages, out / same.name if same else out, seen.walk.inputs, context.students)
    seen.churn = None if seen.chosen is None else churn(stands.out, seen.chosen)
    built = up_to_date(arguments.variants, out, arguments.until)
    match arguments.format:
        case "json":
            notes = json.loads(render_json([*arguments.warnings, *lints, *seen.faults], arguments.sources))["diagnostics"]
            shown = plan_json(plan_data(plan, stages, seen, stands, notes) | {"variants": variants_data(arguments.variants, plan, built)})
        case "polars":
            shown = plan_polars(stages, listener or Listener(), arguments.sources)
        case "dot":
            shown = dot(plan, stages, {stage.id: said(stage, seen, stands) for stage in stages})
        case _:
            shown = plan_text(plan, stages, seen, stands, arguments.terminal.out.width, clauses=arguments.terminal.verbose)
            if arguments.variants:
                shown += "\n".join(["", "variants", *variants_text(arguments.variants, plan, built), ""])
    if arguments.format == "text" and arguments.terminal.out.is_terminal:
        arguments.terminal.out.print(coloured(shown), soft_wrap=True)
    else:
        arguments.terminal.result(shown)
    if lints and arguments.format != "json" and not arguments.terminal.quiet:
        render_text(lints, arguments.sources, arguments.terminal.err)
    if seen.faults:
        if arguments.format != "json":
            render_text(seen.faults, arguments.sources, arguments.terminal.err)
        return exit_code(seen.faults)
    done = len(built) == len(arguments.variants) if arguments.variants else stands.up_to_date
    return DIFFERENT if arguments.exit_code and not done else FINE

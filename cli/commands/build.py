"""`mixc build`: runs what the plan requires into a folder, resuming what was interrupted."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...compiler.plan.stages import KINDS
from ..engine import chosen_students, configure_engine
from ..exit import FINE
from ..run import compiled, configure_spec, not_allowed, show_warnings, spec_texts, store_root


def configure(parser: ArgumentParser) -> None:
    configure_spec(parser)
    parser.add_argument("--out", metavar="DIR", help="the build folder (default: build/<name of the spec file>/); with `sweep` or `ablate`, one in it for each variant")
    parser.add_argument("--until", choices=KINDS, metavar="STAGE", help=f"stop after the last stage of this kind: {', '.join(KINDS)}")
    parser.add_argument("--locked", action="store_true", help="stop with exit code 2, before anything is computed, where anything is not what NAME.mix.lock pins")
    configure_engine(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(arguments: Namespace) -> int:
    """Progress goes to stderr, the summary to stdout."""
    plan = compiled(arguments, warn=False)
    out = Path(arguments.out or Path("build") / Path(arguments.spec).stem)

    if arguments.locked:
        from ..lock_file import hold

        hold(plan, arguments)
    if arguments.variants:
        from ..variants import build_variants

        return build_variants(arguments.variants, out, arguments)

    from ...runtime.confounded import confounded
    from ...runtime.context import Context
    from ...runtime.doubtful import doubtful
    from ...runtime.execute import build, refuse_pending
    from ...runtime.store import Store
    from ..progress import Watcher
    from ..render import render_text
    from ..summary import summary_json, summary_text

    refuse_pending(plan, arguments.until)
    show_warnings(arguments)
    root = store_root()
    with Watcher(arguments.terminal) as watch:
        context = Context(store=Store(root), students=chosen_students(arguments, root), watch=watch)
        result = build(plan, out, context, arguments.until, spec_texts(arguments), arguments.params)
    lints = not_allowed((*confounded(plan, result.audits), *doubtful(plan, result.walk)), arguments)
    if lints and not arguments.terminal.quiet:
        render_text(lints, arguments.sources, arguments.terminal.err)
    if arguments.format == "json":
        arguments.terminal.result(summary_json(plan, result))
    else:
        summary_text(plan, result, arguments.terminal.out, lints)
    return FINE

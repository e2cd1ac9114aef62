"""A spec with variants, built: each into its folder, then one table of them all."""

import json
from argparse import Namespace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..compiler.plan.variants import Variant
from ..runtime.context import Context
from ..runtime.events import Notice
from ..runtime.execute import refuse_pending
from ..runtime.store import Store
from ..runtime.variant_index import INDEX, read_index
from ..runtime.variants import BUILT, KEPT, Ended, build_variant, refuse_plain, write_index
from .engine import chosen_students
from .exit import exit_code
from .progress import Watcher
from .render import render_json, render_text
from .run import not_allowed, show_warnings, spec_texts, store_root
from .sources import sources_of


def build_variants(variants: tuple[Variant, ...], root: Path, arguments: Namespace) -> int:
    """Build them one after the other, sharing the store and the loaded models. One that fails does not stop the others; the worst exit code is theirs all."""
    for variant in variants:
        refuse_pending(variant.plan, arguments.until)
    refuse_plain(root)
    show_warnings(arguments)
    terminal, home = arguments.terminal, store_root()
    store, students = Store(home), chosen_students(arguments, home)
    ended: list[Ended] = []
    with store.lock(f"build-{root.resolve()}", terminal.say):
        before = read_index(root)
        for number, variant in enumerate(variants, 1):
            terminal.say(f"{variant.name}  ({number} of {len(variants)})", "message")
            with Watcher(terminal) as watch:
                ended.append(
                    build_variant(
                        variant, root, Context(store=store, students=students, watch=watch), arguments.until, before.get(variant.name),
                        spec_texts(arguments),
                    )
                )
                if ended[-1].status == KEPT:
                    watch(Notice("build", ended[-1].ran))
            if ended[-1].faults and arguments.format == "text":
                render_text(ended[-1].faults, sources_of(ended[-1].faults, arguments.sources), terminal.err)
            if arguments.format == "text" and not terminal.quiet and (lints := not_allowed(ended[-1].lints, arguments)):
                render_text(lints, arguments.sources, terminal.err)
            write_index(root, ended, list(variants[number:]), arguments.until)
    if arguments.format == "json":
        terminal.result(_json(ended, root, arguments))
    else:
        _table(ended, root, terminal.out)
        if sum(e.status in (BUILT, KEPT) for e in ended) > 1:
            terminal.say(f"side by side: `mixc compare {root}`")
    return max(exit_code(e.faults) for e in ended)


def _json(ended: list[Ended], root: Path, arguments: Namespace) -> str:
    return json.dumps({"out": str(root), "variants": [_entry(e, arguments) for e in ended]}, indent=2, ensure_ascii=False)


def _entry(ended: Ended, arguments: Namespace) -> dict[str, object]:
    found = [*not_allowed(ended.lints, arguments), *ended.faults]
    sources = sources_of(found, arguments.sources)
    return {
        "name": ended.variant.name,
        "title": ended.variant.title,
        "out": str(ended.out),
        "status": ended.status,
        "exit_code": exit_code(ended.faults),
        "selected": ended.selected,
        "objective": ended.objective,
        "seconds": round(ended.seconds, 3),
        "scores": ended.scores,
        "diagnostics": json.loads(render_json(found, sources))["diagnostics"],
    }


def _table(ended: list[Ended], root: Path, console: Console) -> None:
    table = Table(
        title=f"{ended[0].variant.plan.name}: variants",
        title_justify="left",
        title_style="message",
        box=None,
        pad_edge=False,
        header_style="dim",
    )
    for name, side in (
        ("variant", "left"),
        ("selected", "right"),
        ("objective", "right"),
        ("ran", "left"),
        ("seconds", "right"),
        ("folder", "left"),
    ):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for e in ended:
        style = "error" if e.faults else ""
        count = "" if e.selected is None else f"{e.selected:,}"
        value = "" if e.objective is None else f"{e.objective:.6g}"
        table.add_row(e.variant.title, count, value, e.ran, f"{e.seconds:.1f}", f"{e.out.name}/", style=style)
    console.print()
    console.print(table)
    console.print(Text.assemble("\n", (str(root), "literal"), f"  {INDEX}"), soft_wrap=True)

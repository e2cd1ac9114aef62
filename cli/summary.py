"""The end of a build as tables: what happened, what was selected, what it cost, where it lies."""

import json
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ..compiler.diagnostics import Diagnostic
from ..compiler.plan.stages import Plan, Select
from ..compiler.plan.units import objective_unit
from ..runtime.execute import Build
from ..runtime.licences import licences
from ..runtime.licensed import UNSTATED, short
from ..runtime.materialise import composition
from ..runtime.selection.problem import Outcome, SoftOutcome
from .evaluation_table import evaluation_tables
from .prices import changed, held, least, proof
from .tables import table as _table
from .trained import trained_tables

MOST_LEAVES = 20
MOST_LICENCES = 12


def summary_json(plan: Plan, result: Build) -> str:
    """The summary for machines: the manifest's numbers, and the folder."""
    manifest = json.loads((result.out / "manifest.json").read_text(encoding="utf-8"))
    data = {"out": str(result.out), **manifest}
    data["churn"] = result.churn and result.churn.to_data()
    if result.evaluation:
        data["evaluation"] = result.evaluation
    return json.dumps(data, indent=2, ensure_ascii=False)


def summary_text(plan: Plan, result: Build, console: Console, lints: Sequence[Diagnostic] = ()) -> None:
    """Draw the summary; each of the `lints` that the run found has a line in it."""
    parts: list[object] = [Text(""), _stages(plan, result)]
    if result.chosen is not None:
        parts += [Text(""), _composition(composition(result.chosen))]
        found = licences(result.walk.rows).all
        if any(name is not None for name in found):
            parts += [Text(""), _licences(found)]
        if said := changed(result.churn):
            parts += [Text(f"selected {result.chosen.height:,}: {said}")]
        if result.walk.solution and result.walk.solution.outcomes:
            parts += [Text(""), _clauses(plan, result.walk.solution.outcomes), Text(proof(result.walk.solution))]
        if result.walk.solution and result.walk.solution.soft:
            parts += [Text(""), _targets(result.walk.solution.soft)]
    if result.training:
        parts += [part for found in trained_tables(result.training) for part in (Text(""), found)]
    if result.evaluation:
        for table in evaluation_tables(result.evaluation):
            parts += [Text(""), table]
    if lints:
        parts += [Text(""), *(Text(f"{d.code}: {d.message}") for d in lints)]
    console.print(Group(*parts))  # type: ignore[arg-type]
    files = sorted(p.name + ("/" if p.is_dir() else "") for p in result.out.iterdir() if not p.name.startswith("."))
    console.print(Text.assemble("\n", (str(result.out), "literal"), f"  {'  '.join(files)}"), soft_wrap=True)


def _stages(plan: Plan, result: Build) -> Table:
    table = _table(plan.name, ("stage", "left"), ("", "left"), ("seconds", "right"))
    for record in result.records:
        table.add_row(record.stage, record.summary, f"{record.seconds:.1f}")
    table.add_row("", "", f"{sum(r.seconds for r in result.records):.1f}")
    return table


def _composition(counts: list[tuple[str, int, int | None]]) -> Table:
    table = _table("selected", ("teacher", "left"), ("examples", "right"), ("share", "right"), ("tokens", "right"))
    total = counts[-1][1]
    for teacher, count, tokens in counts:
        table.add_row(teacher, f"{count:,}", f"{count / total:.0%}", "" if tokens is None else f"{tokens:,}")
    return table


def _licences(counts: Mapping[str | None, int]) -> Table:
    table = _table("licences", ("", "left"), ("examples", "right"), ("share", "right"))
    shown, total = list(counts.items())[:MOST_LICENCES], sum(counts.values())
    for name, count in shown:
        table.add_row(UNSTATED if name is None else short(name), f"{count:,}", f"{count / total:.0%}")
    if more := len(counts) - len(shown):
        table.add_row(f"and {more:,} more", f"{total - sum(count for _, count in shown):,}", "")
    return table


def _clauses(plan: Plan, outcomes: Sequence[Outcome]) -> Table:
    table = _table("clauses", ("", "left"), ("reached", "right"), ("", "left"))
    stage = next(s for s in plan.stages if isinstance(s, Select))
    for o in outcomes:
        reached = f"{o.amount:,} {o.unit.removesuffix('s') if o.amount == 1 else o.unit}" + (f" ({o.share:.1f}%)" if o.share is not None else "")
        table.add_row(o.clause.text, reached, held(o, objective_unit(plan), weighted=stage.fills_tokens))
    return table


def _targets(soft: SoftOutcome) -> Table:
    table = _table(soft.clause.text, ("skill", "left"), ("target", "right"), ("reached", "right"), ("lacks", "right"), ("to choose from", "right"))
    shown = sorted(soft.targets, key=lambda t: (-t.shortfall, -t.target, t.leaf))[:MOST_LEAVES]
    for each in shown:
        lacks = f"{each.shortfall:,}" if each.shortfall else ""
        table.add_row(each.leaf, f"{each.target:,}", f"{each.amount:,}", lacks, f"{each.available:,}")
    if more := len(soft.targets) - len(shown):
        table.add_row(f"and {more:,} more", "", "", "", "")
    priced = f"all, {soft.price:.3g} a{'n example' if soft.unit == 'examples' else ' token'} missed" if soft.price else "all"
    table.add_row(priced, f"{sum(t.target for t in soft.targets):,}", "", f"{soft.shortfall:,}{least(soft)}" if soft.shortfall else "", "")
    return table

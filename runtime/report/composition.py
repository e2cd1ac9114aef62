"""Who is in: the selected rows by teacher and by skill, beside the candidates and the quotas, with slack and price."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ...compiler.clauses import Quota
from ...compiler.plan.stages import Plan, Select
from .values import Clause, Group, Target

MOST = 40
"""So many teachers and skills are shown: those with a quota, and of the others those with most rows."""


def clauses(selection: Mapping[str, Any] | None) -> tuple[Clause, ...]:
    """The clauses of the manifest's `selection`, in their order."""
    names = ("clause", "unit", "amount", "low", "high", "share", "slack", "binding", "price", "side")
    return tuple(Clause(*(each.get(name) for name in names)) for each in (selection or {}).get("clauses", []))  # type: ignore[arg-type]


def targets(selection: Mapping[str, Any] | None) -> tuple[Target, ...]:
    """The targets of a soft quota, those that lack most first."""
    leaves = ((selection or {}).get("soft") or {}).get("leaves", [])
    found = [Target(str(each["leaf"]), each["target"], each["amount"], each["shortfall"]) for each in leaves]
    return tuple(sorted(found, key=lambda t: (-t.short, -t.target, t.leaf)))


Shown = tuple[tuple[Group, ...], int]
"""Groups, most selected rows first, and how many are left out."""


def composition(plan: Plan, found: Sequence[Clause], chosen: pl.LazyFrame, candidates: pl.LazyFrame | None) -> tuple[Shown, Shown]:
    """Teachers and skills. `chosen` and `candidates` have `teacher`, `skills`, `tokens`."""
    stage = next(s for s in plan.stages if isinstance(s, Select))
    totals = chosen.select(pl.len(), pl.col("tokens").sum(), pl.col("tokens").null_count().alias("unknown")).collect().row(0)
    rows, tokens = totals[0], None if totals[2] else totals[1]
    came = None if candidates is None else candidates.select(pl.len()).collect().item()
    quotas = {("teacher" if q.group.kind.startswith("teacher") else q.group.kind, q.group.value): q for q in stage.quotas}
    reached = {each.clause: each for each in found}

    def groups(kind: str, names: pl.LazyFrame, before: pl.LazyFrame | None) -> Shown:
        counted = {name: (count, sum_) for name, count, sum_ in _counted(names)}
        known = {} if before is None else {name: count for name, count, _ in _counted(before)}
        every = {*counted, *known, *(value for what, value in quotas if what == kind)}
        made = [_group(name, counted.get(name, (0, 0)), known.get(name, 0) if before is not None else None, quotas.get((kind, name)), reached, rows, tokens, came) for name in every]
        ordered = sorted(made, key=lambda g: (-g.rows, -(g.candidates or 0), g.name))
        kept = tuple(g for place, g in enumerate(ordered) if g.quota or place < MOST)
        return kept, len(ordered) - len(kept)

    teachers = groups("teacher", _teachers(chosen), None if candidates is None else _teachers(candidates))
    skills = groups("skill", _skills(chosen), None if candidates is None else _skills(candidates))
    return teachers, skills


def _group(
    name: str, selected: tuple[int, int | None], came: int | None, quota: Quota | None, reached: Mapping[str, Clause], rows: int, tokens: int | None, all_came: int | None
) -> Group:
    count, own = selected
    by_tokens = quota is not None and "tokens" in quota.unit and bool(tokens)
    total = (tokens or 1) if by_tokens else max(1, rows)
    share = ((own or 0) if by_tokens else count) / total
    scale = 0.01 if quota is not None and quota.unit.startswith("%") else 1 / total
    low, high = (None if bound is None else bound * scale for bound in ((quota.low, quota.high) if quota else (None, None)))
    return Group(
        name, came, count, own if tokens is not None else None, share, None if came is None or not all_came else came / all_came,
        by_tokens, low, high, None if quota is None else reached.get(quota.text),
    )  # fmt: skip


def _counted(names: pl.LazyFrame) -> list[tuple[str, int, int | None]]:
    return names.group_by("name").agg(pl.len(), pl.col("tokens").sum()).sort("name").collect().rows()


def _teachers(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.select(pl.col("teacher").fill_null("no teacher").alias("name"), "tokens")


def _skills(rows: pl.LazyFrame) -> pl.LazyFrame:
    """A row for each name in the chains of each row, once: as a quota counts them."""
    chains = rows.select("skills", "tokens").with_row_index("row").explode("skills", empty_as_null=True).drop_nulls("skills")
    names = chains.with_columns(pl.col("skills").str.split("->").alias("name")).explode("name", empty_as_null=True)
    return names.unique(["row", "name"]).select("name", "tokens")

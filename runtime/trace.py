"""What every filter saw of every row, worked out once more for the ledger: values and thresholds, places in prompts, rivals and margins.

A filter saw the rows that no earlier one had dropped. It knows the plan's filters and the frame of a walk, not files.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ..compiler.backends.polars import with_value
from ..compiler.backends.polars_barriers import Known, looks_across, place
from ..compiler.backends.polars_lowering import group_column
from ..compiler.clauses import Keep
from ..compiler.expressions import Column, Expression, Operation, Quantile, Rank
from ..compiler.plan.express import express
from ..compiler.plan.stages import Plan, Select
from ..compiler.plan.units import objective_unit, unit_of
from . import lazy
from .candidates import OBJECTIVE, TIE
from .path import BEFORE, SKILL, Atom, Clause, Side, barriers, path, within_skill
from .rows import Rows
from .select import ADVANTAGE, DROPPED_AT
from .settled import across, narrow, reads

MOST_GROUPS = 1000
"""Thresholds within more groups than this (within prompt, mostly) stand in the ledger alone."""
_ONE = Column("column", "mixc:one skill")
_STEP, _VALUE, _ALIVE, _PLACE = "mixc:number", "mixc:value", "mixc:alive", "mixc:at"


@dataclass(frozen=True, slots=True)
class Trace:
    """`columns`: what the ledger has beside its own, for each row in its part. `path`: the filters as `manifest.json` tells them."""

    columns: Rows = field(default_factory=Rows.none)
    path: list[dict[str, Any]] = field(default_factory=list)


def trace(plan: Plan, rows: Rows) -> Trace:
    """The trace of all rows after `select`.

    `step` is the number of the filter that dropped the row, 0 where that was before the filters, one more than the last filter where the clauses
    that act together did; null of a selected row. For each filter the values that no other column has, under its number; of `keep best` the row's
    `place` in its prompt, its `rival` (the last row that was kept, or the best one that was not) and the `margin` over it. Of a row dropped earlier
    they are what the filter would have seen. `objective`; `advantage`: the objective less the prices of all clauses that count the row; `tie`: the
    seeded hash, the smaller wins. Beside these `row_id` and `reason`.
    """
    clauses = path(plan)
    stage = next(s for s in plan.stages if isinstance(s, Select))
    base = rows.map(lambda part: _numbered(part, clauses))
    told: list[dict[str, Any]] = []
    known: dict[int, Known] = {}
    for clause in clauses:
        if len(base.parts) > 1:
            base, known[clause.number] = _settled(clause, base)
        told.append(_told(clause, plan, base))
    if stage.soft is not None and stage.soft.shape == "paper":
        told.append({"number": len(clauses) + 1, "clause": stage.soft.text, "kind": "draw"})
    else:
        told.append({"number": len(clauses) + 1, "clause": f"maximize {stage.objective_text}", "kind": "maximize", "unit": objective_unit(plan)})
    named = any(q.group.kind == "teacher_value" for q in stage.quotas)
    valued = named and any(not part["teacher"].eq_missing(part["teacher_value"]).all() for part in base.each(["teacher", "teacher_value"]))

    def columns(part: pl.DataFrame) -> pl.DataFrame:
        first = part.select("row_id", "reason", step=pl.when(pl.col("reason").is_not_null()).then(_STEP))
        found = [_columns(clause, _seen(clause, part), known.get(clause.number, {})) for clause in clauses]
        end = part.select(objective=_or_null(part, OBJECTIVE), advantage=_or_null(part, ADVANTAGE), tie=pl.col(TIE))
        return pl.concat([first, *found, _counted(stage, part, valued), end], how="horizontal")

    return Trace(base.map(columns), told)


def _numbered(rows: pl.DataFrame, clauses: tuple[Clause, ...]) -> pl.DataFrame:
    """The rows with the number of the step that each one reached."""
    numbers = {clause.key: clause.number for clause in clauses} | {BEFORE: 0}
    reached = pl.col(DROPPED_AT).replace_strict(numbers, default=len(clauses) + 1, return_dtype=pl.Int32)
    return rows.with_columns(reached.alias(_STEP))


def _seen(clause: Clause, part: pl.DataFrame) -> pl.DataFrame:
    """The rows as the filter saw them."""
    return part.with_columns(reason=pl.when(pl.col(_STEP) < clause.number).then(pl.lit("dropped")))


def _settled(clause: Clause, base: Rows) -> tuple[Rows, Known]:
    """The rows with the columns of the filter that look at rows of other parts, and what it knows of its `keep best` value."""
    if isinstance(clause.step, Keep):
        found = across(base, clause.step.by, TIE, lambda part: _seen(clause, part), also=(_STEP,), named=f"{clause.number}: ")
        return (base, {}) if found is None else (base.beside(found[0]), found[1])
    for side in dict.fromkeys(clause.sides):
        if side.made and looks_across(side.expression):
            base = base.beside(_gathered(side.expression, base, clause, lambda frame, side=side: _side(side, frame, clause)))
    return base, {}


def _gathered(e: Expression, base: Rows, clause: Clause, of: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `of` says, in the order of row ids, of all rows as the filter saw them with the columns that `e` reads; in the order of the parts."""
    names = [*reads(e, TIE), "row_id", TIE, _STEP]
    frame = narrow(base, names, lambda part: _seen(clause, part))
    order = frame.select(pl.col("row_id").arg_sort()).to_series()
    return of(frame).with_columns(order.alias(_PLACE)).sort(_PLACE).drop(_PLACE)


def _or_null(base: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in base.columns else pl.lit(None, pl.Float64)


def _columns(clause: Clause, seen: pl.DataFrame, known: Known) -> pl.DataFrame:
    """The columns of one filter, for the rows in their order."""
    found = [seen.select(name) if (name := side.column) in seen.columns else _side(side, seen, clause, known) for side in dict.fromkeys(clause.sides) if side.made]
    if isinstance(clause.step, Keep):
        found.append(_kept(clause, clause.step, seen, known))
    return pl.concat([seen.select("row_id"), *found], how="horizontal").drop("row_id")


def _side(side: Side, seen: pl.DataFrame, clause: Clause, known: Known | None = None) -> pl.DataFrame:
    name = side.column or side.text
    if side.nearest is None:
        return _collect(with_value(seen.lazy(), side.expression, name, TIE, known), clause).select(name)
    one, by_one = _one_skill(seen.lazy(), side.expression)
    value = with_value(one, by_one, name, TIE).group_by("row_id").agg(getattr(pl.col(name), side.nearest)())
    return _collect(value, clause).select(name)


def _one_skill(frame: pl.LazyFrame, e: Expression) -> tuple[pl.LazyFrame, Expression]:
    """The frame with a row for each skill, and the expression over it; what is not within skill is worked out before."""
    known: dict[Expression, Expression] = {}
    for node in barriers(e):
        if not within_skill(node):
            known[node] = Column("column", f"mixc:settled {len(known)}")
            frame = with_value(frame, node, f"column:mixc:settled {len(known) - 1}", TIE)
    group = f"column:{_ONE.name}"
    one = frame.with_columns(pl.col("skills").list.unique().alias(group)).explode(group, empty_as_null=True)
    return one, _by_one(e, known)


def _by_one(e: Expression, known: dict[Expression, Expression]) -> Expression:
    if e in known:
        return known[e]
    match e:
        case Operation(operator=operator, arguments=arguments):
            return Operation(operator, tuple(_by_one(a, known) for a in arguments))
        case Quantile(of=of, percent=percent, group=group):
            return Quantile(_by_one(of, known), percent, _ONE if group == SKILL else group)
        case Rank(of=of, group=group):
            return Rank(_by_one(of, known), _ONE if group == SKILL else group)
        case _:
            return e


def _kept(clause: Clause, keep: Keep, seen: pl.DataFrame, known: Known) -> pl.DataFrame:
    alive, value, rank = pl.col("reason").is_null(), pl.col(_VALUE), pl.col("mixc:place")
    valued = with_value(seen.lazy(), keep.by, _VALUE, TIE, known).with_columns(pl.when(alive).then(_VALUE).alias(_ALIVE))
    placed = valued.with_columns(place(_ALIVE, TIE).over("prompt_id").alias("mixc:place"))
    placed = placed.with_columns(pl.when(pl.col(_ALIVE).is_not_null()).then(rank).alias("mixc:place"))

    def at(number: int, of: pl.Expr) -> pl.Expr:
        return of.filter(rank == number).first().over("prompt_id")

    def against(of: pl.Expr) -> pl.Expr:
        return pl.when(rank <= keep.count).then(at(keep.count + 1, of)).otherwise(at(keep.count, of))

    number = value.cast(pl.Float64)
    named = placed.select(
        "row_id",
        rank.alias(clause.column("place")),
        against(pl.col("row_id")).alias(clause.column("rival")),
        (number - against(number)).alias(clause.column("margin")),
    )
    return _collect(named, clause).drop("row_id")


def _collect(frame: pl.LazyFrame, clause: Clause) -> pl.DataFrame:
    return lazy.collect(frame, clause.text).sort("row_id")


def _counted(stage: Select, base: pl.DataFrame, valued: bool) -> pl.DataFrame:
    """The values by which quotas count and which the ledger has not by itself; those of the teacher column where they are not always the names."""
    groups = [q.group for q in stage.quotas]
    columns = {f"column {g.column}": pl.col(f"column:{g.column}") for g in groups if g.kind == "column"}
    if valued and any(g.kind == "teacher_value" for g in groups):
        columns["teacher value"] = pl.col("teacher_value")
    return base.select(**columns)


def _told(clause: Clause, plan: Plan, base: Rows) -> dict[str, Any]:
    head: dict[str, Any] = {"number": clause.number, "clause": clause.text}
    if isinstance(clause.step, Keep):
        columns = {name: clause.column(name) for name in ("place", "rival", "margin")}
        by = _said(clause.value, plan) if clause.value else None
        return head | {"kind": "keep best", "count": clause.step.count, "by": by, **columns}
    quantiles = [node for atom in clause.atoms for node in barriers(atom.expression) if isinstance(node, Quantile)]
    thresholds = [_threshold(node, _for(node, base, clause), clause) for node in dict.fromkeys(quantiles)]
    return head | {"kind": "where", "compares": [_compared(atom, plan) for atom in clause.atoms], "thresholds": thresholds}


def _compared(atom: Atom, plan: Plan) -> dict[str, Any]:
    if atom.truth is not None:
        return {"text": atom.text, "truth": _said(atom.truth, plan)}
    sides = {name: _said(side, plan) for name, side in (("left", atom.left), ("right", atom.right)) if side is not None}
    return {"text": atom.text, "operator": atom.operator, **sides}


def _said(side: Side, plan: Plan) -> dict[str, Any]:
    found = {"column": side.column} if side.column else {"value": side.constant}
    return found | {"unit": unit_of(side.expression, plan)}


def _for(node: Quantile, base: Rows, clause: Clause) -> pl.DataFrame:
    """The rows as the filter saw them; of several parts the columns that the quantile reads."""
    if len(base.parts) == 1:
        return _seen(clause, next(base.each()))
    return narrow(base, [*reads(node, TIE), "row_id", TIE, _STEP], lambda part: _seen(clause, part))


def _threshold(node: Quantile, seen: pl.DataFrame, clause: Clause) -> dict[str, Any]:
    """The quantile's value in each group; no `values` where the groups are very many."""
    head: dict[str, Any] = {"quantile": express(node), "of": express(node.of), "within": node.group.name if node.group else None}
    frame, group = seen.lazy(), "mixc:all"
    named: Expression = node
    if node.group is None:
        frame = frame.with_columns(pl.lit("").alias(group))
    elif within_skill(node):
        group = f"column:{_ONE.name}"
        frame, named = _one_skill(frame, node)
    else:
        group = group_column(node.group)
    valued = with_value(frame, named, _VALUE, TIE).filter(pl.col("reason").is_null()).group_by(group).agg(pl.col(_VALUE).first())
    values = lazy.collect(valued, clause.text).with_columns(pl.col(group).cast(pl.String)).sort(group, nulls_last=True)
    if node.group is None:
        return head | {"value": values[_VALUE].to_list()[0] if values.height else None}
    if values.height > MOST_GROUPS:
        return head | {"groups": values.height}
    return head | {"values": {str(name): value for name, value in values.iter_rows()}}

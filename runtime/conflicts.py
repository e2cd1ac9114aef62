"""A conflict of the solver as a diagnostic: which clauses, at which places, what starved them, and the nearest way out."""

import polars as pl

from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.plan.stages import Quota
from .groups import group_rows
from .selection.problem import Change, Conflict, ConflictMember


def infeasible(conflict: Conflict, rows: pl.DataFrame, funnel: tuple) -> Diagnostic:
    """The MIX0401 diagnostic of a conflict. `rows` are all rows with their reasons, `funnel` what each clause left of them."""
    first, *others = conflict.members
    many = len(conflict.members) > 1
    message = "these clauses cannot be satisfied together" if many else f"`{first.clause.text}` cannot be satisfied"
    if conflict.all_selected:
        message += ": without a budget every candidate is selected"
    notes = [_supply(member) for member in conflict.members]
    left = rows["reason"].null_count()
    notes.append(f"{left:,} of {rows.height:,} rows are candidates" + (f": {_funnel(funnel)}" if funnel else ""))
    for member in conflict.members:
        if isinstance(member.clause, Quota) and (line := _starved(member.clause, rows)):
            notes.append(line)
    changes = [_change(c) for c in conflict.changes[:3]]
    help = f"the nearest change{'s' if len(changes) > 1 else ''}: {', or '.join(changes)}" if changes else None
    return Diagnostic(
        "MIX0401",
        message,
        Label(first.clause.span, _reach(first)),
        tuple(Label(m.clause.span, _reach(m)) for m in others),
        tuple(notes),
        help,
    )


def _supply(member: ConflictMember) -> str:
    clause = member.clause
    if isinstance(clause, Quota):
        return f"`{clause.text}`: {member.rows:,} candidates in the group, {member.tokens:,} tokens"
    return f"`{clause.text}`: {member.available:,} {member.unit} to choose from"


def _reach(member: ConflictMember) -> str:
    return f"{member.available:,} {member.unit} available"


def _funnel(funnel: tuple) -> str:
    return ", ".join(f"{step.rows:,} after `{step.clause}`" for step in funnel[-6:])


def _starved(quota: Quota, rows: pl.DataFrame) -> str | None:
    """Where the rows of a quota's group went."""
    mine = rows.filter(pl.Series(group_rows(quota.group, rows))).filter(pl.col("reason").is_not_null())
    if mine.is_empty():
        return None
    clauses = (
        mine.with_columns(clause=pl.col("reason").str.split(": ").list.first())["clause"]
        .value_counts()
        .sort(["count", "clause"], descending=[True, False])
    )
    parts = ", ".join(f"{count:,} by `{clause}`" for clause, count in clauses.head(4).iter_rows())
    return f"of the group of `{quota.text}` were dropped before: {parts}"


def _change(change: Change) -> str:
    more = "" if change.enough else " (not enough alone)"
    return f"`{change.changed.text}`{more}"

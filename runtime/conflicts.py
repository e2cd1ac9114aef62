"""A conflict of the solver as a diagnostic: which clauses, at which places, what starved them, and the nearest ways out."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.plan.stages import AtMost, Quota
from .groups import group_rows
from .selection.problem import Change, Conflict, ConflictMember
from .selection.wording import titled

UNPROVEN = "searched by prices: neither that there is none is proven, nor that fewer of the clauses would not conflict as well"
LEFT_OUT = {
    "fractions": "proven by prices over every candidate: no selection satisfies these clauses together; with any one of them left out, fractions of rows satisfy the others, and whole rows were not searched",
    "open": "proven by prices over every candidate: no selection satisfies these clauses together; whether all of them are needed for that stayed open",
}
SHOWN_CHANGES = 3
SHOWN_GROUPS = 6
SHOWN_CLAUSES = 6


class Left(Protocol):
    """What a clause left of the rows."""

    @property
    def clause(self) -> str: ...
    @property
    def rows(self) -> int: ...


def infeasible(conflict: Conflict, rows: pl.DataFrame, funnel: Sequence[Left]) -> Diagnostic:
    """The MIX0401 diagnostic of a conflict. `rows` are all rows with their reasons, `funnel` what each clause left of them, in order."""
    first, *others = conflict.members
    message = "these clauses cannot be satisfied together" if others else f"`{first.clause.text}` cannot be satisfied"
    if conflict.all_selected:
        message += ": without a budget every candidate is selected"
    if not conflict.proven:
        message = "no selection was found that satisfies these clauses together"
    return Diagnostic(
        "MIX0401",
        message,
        Label(first.clause.span, _supply(first)),
        tuple(Label(member.clause.span, _supply(member)) for member in others),
        (*_proof(conflict), *_starving(conflict.members, rows, [step.clause for step in funnel])),
        _ways_out(conflict) if conflict.proven else "loosen one of them; `solver exact` finds which ones conflict, and the nearest change, but takes long for so many",
    )


def _proof(conflict: Conflict) -> tuple[str, ...]:
    """What is known of the conflict where it is less than all: that it is one, and that none of its clauses can be left out, in whole rows."""
    if not conflict.proven:
        return (UNPROVEN,)
    return (LEFT_OUT[conflict.left_out],) if conflict.left_out in LEFT_OUT else ()


def _supply(member: ConflictMember) -> str:
    clause = member.clause
    if isinstance(clause, AtMost):
        return f"leaves {member.available:,} of {_count(member.rows, 'candidate')}"
    tokens = f", {member.tokens:,} tokens" if member.unit == "tokens" else ""
    if not isinstance(clause, Quota):
        return f"{_count(member.rows, 'candidate')}{tokens} to choose from"
    capped = "" if member.selectable in (None, member.rows) else f", of which {member.selectable:,} can be selected"
    return f"{_count(member.rows, 'candidate')}{tokens} in the group{capped}"


def _starving(members: Sequence[ConflictMember], rows: pl.DataFrame, order: Sequence[str]) -> list[str]:
    """Where the rows went: those of each group that lost some, the one that lost most first, and all of them."""
    lost = []
    for quota in {m.clause.group: m.clause for m in members if isinstance(m.clause, Quota)}.values():
        mine = rows.filter(pl.Series(group_rows(quota.group, rows)))
        left = mine["reason"].null_count()
        if left < mine.height:
            lost.append((left / mine.height, f"of the {_count(mine.height, 'row')} of {titled(quota.group)}: {_drops(mine, order)}, {_left(left)}"))
    shown = [line for _, line in sorted(lost)[:SHOWN_GROUPS]]
    if more := len(lost) - len(shown):
        shown.append(f"{more:,} more of these groups lost rows, a smaller part of theirs")
    left = rows["reason"].null_count()
    whole = f"of {_count(rows.height, 'row')} in all: {_drops(rows, order)}, {_left(left)}"
    return [*shown, whole if left < rows.height else f"all {_count(rows.height, 'row')} are candidates"]


def _drops(rows: pl.DataFrame, order: Sequence[str]) -> str:
    """What each clause dropped of the rows, in the order in which the clauses acted."""
    clause = pl.coalesce(
        *(pl.when(pl.col("reason").str.starts_with(f"{text}:")).then(pl.lit(text)) for text in sorted(set(order), key=len, reverse=True)),
        pl.col("reason").str.split(": ").list.first(),
    )
    dropped = rows.filter(pl.col("reason").is_not_null()).select(clause=clause)["clause"].value_counts()
    place = {text: i for i, text in reversed(list(enumerate(order)))}
    counted = sorted(dropped.iter_rows(), key=lambda each: (place.get(each[0], -1), each[0]))
    kept = {text for text, _ in sorted(counted, key=lambda each: -each[1])[:SHOWN_CLAUSES]}
    parts = [f"{count:,} dropped by `{text}`" for text, count in counted if text in kept]
    rest = sum(count for text, count in counted if text not in kept)
    return ", ".join([*parts, *([f"{rest:,} by others"] if rest else [])])


def _left(count: int) -> str:
    return f"{count:,} left" if count else "none left"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _ways_out(conflict: Conflict) -> str | None:
    shown = [_change(c) for c in conflict.changes[:SHOWN_CHANGES]]
    if not shown:
        return f"none of the {len(conflict.members)} clauses ends the conflict by changing its number alone" if len(conflict.members) > 1 else None
    unsearched = f" (changes of {_count(conflict.unsearched, 'more clause')} were not searched)"
    said = f"the nearest change{'s' if len(shown) > 1 else ''}: {', or '.join(shown)}"
    return said + (unsearched if conflict.unsearched else "")


def _change(change: Change) -> str:
    notes = [] if change.enough else ["not enough alone"]
    if not change.nearest:
        notes.append("a nearer one was neither found nor ruled out")
    if not change.whole:
        notes.append("nothing nearer will do; this does for fractions of rows")
    return f"`{change.changed.text}`" + (f" ({', '.join(notes)})" if notes else "")

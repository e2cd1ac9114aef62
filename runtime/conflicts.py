"""A conflict of the solver as a diagnostic: which clauses, at which places, what starved them, and the nearest ways out."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import polars as pl

from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.plan.stages import AtMost, Quota
from .candidates import source
from .groups import group_rows
from .rows import Rows
from .selection.problem import Change, Conflict, ConflictMember
from .selection.wording import idle, titled

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


def infeasible(conflict: Conflict, rows: Rows, funnel: Sequence[Left]) -> Diagnostic:
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


def _starving(members: Sequence[ConflictMember], rows: Rows, order: Sequence[str]) -> list[str]:
    """Where the rows went: those of each group that lost some, the one that lost most first, and all of them."""
    groups = [q.group for q in {m.clause.group: m.clause for m in members if isinstance(m.clause, Quota)}.values()]
    went: list[Counter[str | None]] = [Counter() for _ in (None, *groups)]
    for part in rows.each(["reason", *map(source, groups)]):
        for into, group in zip(went, (None, *groups), strict=True):
            mine = part if group is None else part.filter(pl.Series(group_rows(group, part)))
            into.update(dict(mine.select(_clause(order))["clause"].value_counts().iter_rows()))
    everything, *by_group = went
    lost = []
    for group, counts in zip(groups, by_group, strict=True):
        whole = counts.total()
        if counts[None] < whole:
            of = "of the one row" if whole == 1 else f"of the {whole:,} rows"
            lost.append((counts[None] / whole, f"{of} of {titled(group)}: {_drops(counts, order)}, {_left(counts[None])}"))
    shown = [line for _, line in sorted(lost)[:SHOWN_GROUPS]]
    if more := len(lost) - len(shown):
        shown.append(f"{more:,} more of these groups lost rows, a smaller part of theirs")
    left, whole = everything[None], everything.total()
    line = f"of {_count(whole, 'row')} in all: {_drops(everything, order)}, {_left(left)}"
    every = "the only row is a candidate" if whole == 1 else f"all {whole:,} rows are candidates"
    return [*shown, line if left < whole else every]


def _clause(order: Sequence[str]) -> pl.Expr:
    """The clause that dropped a row, null of one that is left."""
    known = (pl.when(pl.col("reason").str.starts_with(f"{text}:")).then(pl.lit(text)) for text in sorted(set(order), key=len, reverse=True))
    return pl.coalesce(*known, pl.col("reason").str.split(": ").list.first()).alias("clause")


def _drops(counts: Counter[str | None], order: Sequence[str]) -> str:
    """What each clause dropped of the rows, in the order in which the clauses acted."""
    place = {text: i for i, text in reversed(list(enumerate(order)))}
    counted = sorted(((c, n) for c, n in counts.items() if c is not None), key=lambda each: (place.get(each[0], -1), each[0]))
    kept = {text for text, _ in sorted(counted, key=lambda each: -each[1])[:SHOWN_CLAUSES]}
    parts = [f"{count:,} dropped by `{text}`" for text, count in counted if text in kept]
    rest = sum(count for text, count in counted if text not in kept)
    return ", ".join([*parts, *([f"{rest:,} by others"] if rest else [])])


def _left(count: int) -> str:
    return f"{count:,} left" if count else "none left"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _ways_out(conflict: Conflict) -> str:
    shown = [_change(c) for c in conflict.changes[:SHOWN_CHANGES]]
    if not shown:
        if len(conflict.members) == 1:
            return "loosen a clause that drops rows"
        return f"none of the {len(conflict.members)} clauses ends the conflict by changing its number alone"
    unsearched = f" (changes of {_count(conflict.unsearched, 'more clause')} were not searched)"
    said = f"the nearest change{'s' if len(shown) > 1 else ''}: {', or '.join(shown)}"
    return said + (unsearched if conflict.unsearched else "")


def _change(change: Change) -> str:
    notes = [] if change.enough else ["not enough alone"]
    if not change.nearest:
        notes.append("a nearer one was neither found nor ruled out")
    if not change.whole:
        notes.append("nothing nearer will do; this does for fractions of rows")
    said = f"remove `{change.clause.text}`" if idle(change.changed) else f"`{change.changed.text}`"
    return said + (f" ({', '.join(notes)})" if notes else "")

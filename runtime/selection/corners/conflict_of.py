"""What the clauses of a table of any size conflict about, and the nearest changes that end it for fractions of rows. It returns data."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ....compiler.plan.stages import AtMost, Budget, Quota
from ..prices.report import member
from ..problem import Change, Clause, Conflict, ConflictMember
from ..table import Table
from ..wording import rewritten
from .deletion import Question, core
from .nearest import nearest

SEARCHED = 4
"""Bounds of so many clauses are looked at, those first that must move least by the proof of the conflict."""
WANTED = 3
"""... or until so many changes are known."""


def conflict_of(table: Table) -> Conflict | None:
    """A conflict of the clauses of a table that is proven over every candidate; None where none is found. With a budget only."""
    question = Question(table)
    found = core(question)
    if found is None:
        return None
    members = tuple(_member(question, i, found.numbers) for i in found.numbers)
    changes, unsearched = _changes(question, found.numbers)
    known = "rows" if len(members) == 1 else "fractions" if found.minimal else "open"
    return Conflict(members=members, changes=changes, unsearched=unsearched, left_out=known)


def _member(question: Question, i: int, numbers: Sequence[int]) -> ConflictMember:
    found = member(question.table, question.known, i)
    most = question.table.at_most
    if most is None or 0 not in numbers or not isinstance(found.clause, Quota):
        return found
    inside = question.known.members[i - 1].astype(np.int64)
    taken = question.census.crowd(most.count).best(inside, np.zeros_like(inside))
    return replace(found, selectable=int(taken.counts @ inside))


def _changes(question: Question, numbers: Sequence[int]) -> tuple[tuple[Change, ...], int]:
    everything = range(len(question.table.clauses))
    excess = question.ask(numbers).excess or {}
    far = {i: _far(question.table.clauses[i], [move for (j, _), move in excess.items() if j == i]) for i in numbers}
    order = sorted((i for i in numbers if far[i] is not None), key=lambda i: (far[i], i))
    for active in (everything, numbers) if len(numbers) < len(everything) else (everything,):
        found: list[Change] = []
        for place, i in enumerate(order):
            if found and (place >= SEARCHED or len(found) >= WANTED):
                return _ranked(found), len(order) - place
            found += [replace(c, enough=active is everything) for c in _of_clause(question, active, i)]
        if found:
            return _ranked(found), 0
    return (), 0


def _ranked(found: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda c: abs(c.new - c.old) / max(abs(c.old), 1)))


def _far(clause: Clause, moves: Sequence[float]) -> float | None:
    """How far a bound of a clause must move at least, roughly, as a share of what it is; None: no move of it helps."""
    if isinstance(clause, AtMost):
        return 1 / clause.count
    written = clause.amount if isinstance(clause, Budget) else max(abs(clause.low or 0.0), abs(clause.high or 0.0))
    return min(moves) / max(written, 1) if moves else None


def _of_clause(question: Question, active: Sequence[int], i: int) -> Iterator[Change]:
    clause = question.table.clauses[i]
    for bound, changed in nearest(question, active, i):
        old, new = (float(getattr(c, "low" if bound == "equal" else bound)) for c in (clause, changed))
        yield Change(clause=clause, changed=replace(changed, text=rewritten(changed)), bound=bound, old=old, new=new, whole=False)

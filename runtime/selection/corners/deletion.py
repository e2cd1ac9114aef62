"""A minimal conflict among the clauses of a table: which of them no selection satisfies together, by a proof over every candidate, while each of them left
out leaves the others to be satisfied by fractions of rows. It knows no words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ....compiler.plan.stages import AtMost, Budget, Quota
from ..matrix import NONE
from ..prices.classes import Classes, classes
from ..prices.constraints import Constraints, constraints
from ..problem import Clause
from ..table import Table
from .census import Census
from .refute import Bounds, Corners, Disproved, allowance, refute, worth

PASSES = 200
"""So many passes over all candidates settle a question, or it stays open."""


@dataclass(frozen=True, slots=True)
class Core:
    """Numbers of clauses in conflict; `minimal` is False where it stayed open whether one of them could be left out."""

    numbers: tuple[int, ...]
    minimal: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """`used`: clauses that no selection satisfies together, by the proof; None where fractions of rows satisfy what was asked, or, not `known`, neither was found.

    `excess`: by how much the `low` or `high` bound of each of them must move before this proof no longer stands, in the units of its row.
    """

    used: tuple[int, ...] | None
    known: bool = True
    excess: Mapping[tuple[int, str], float] | None = None


class Question:
    """The clauses of one table, asked about in any choice, and with any of them replaced by another of its kind."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: Classes = classes(table)
        plain = not any("tokens" in c.unit for c in (*table.quotas, *table.budgets))
        self.census = Census(table, self.known, plain=plain)
        self._corners: dict[int | None, Corners] = {}

    def ask(self, active: Sequence[int], changed: Mapping[int, Clause] | None = None) -> Verdict:
        """What becomes of the clauses `active`, those in `changed` as they are there."""
        clauses = {i: (changed or {}).get(i, self.table.clauses[i]) for i in active}
        most = next((c.count for c in clauses.values() if isinstance(c, AtMost)), None)
        held, clause, counted = self._bounds(clauses)
        found = refute(self._of(most), held, PASSES)
        if not isinstance(found, Disproved):
            return Verdict(None, known=found is not None)
        at = np.flatnonzero(found.price)
        used = {int(i) for i in clause[at]}
        if most is not None and not self._idle(held, found):
            used.add(0)
        if counted is not None and any(isinstance(c := clauses[i], Quota) and c.unit == "%" for i in used):
            used.add(counted)
        excess = {(int(clause[j]), "low" if found.price[j] > 0 else "high"): found.excess / abs(int(found.price[j])) for j in at}
        return Verdict(tuple(sorted(used)), excess=excess)

    def _of(self, most: int | None) -> Corners:
        if most not in self._corners:
            self._corners[most] = Corners(self.census.crowd(most))
        return self._corners[most]

    def _idle(self, held: Bounds, found: Disproved) -> bool:
        """Whether a proof stands with any number of rows of a prompt."""
        ones, tokens = found.price @ held.ones, found.price @ held.tokens
        return allowance(found.price, held) > worth(ones, tokens, self._of(None).crowd.best(ones, tokens))

    def _bounds(self, clauses: Mapping[int, Clause]) -> tuple[Bounds, np.ndarray, int | None]:
        """The rows of the clauses, whose each is, and which clause fixes how many examples are selected."""
        sizes = {i: c.amount for i, c in clauses.items() if isinstance(c, Budget) and c.unit == "examples" and not c.up_to}
        counted = min(sizes, key=lambda i: (sizes[i], i), default=None)
        asked = self._with(clauses)
        made = constraints(asked, self.known, None if counted is None else sizes[counted])
        # Of an unknown total a share is written in another way; `up to` is a mere cap here.
        free = made if counted is not None else constraints(replace(asked, budgets=tuple(b for b in asked.budgets if b.up_to or b.unit == "tokens")), self.known)
        kinds = [asked.clauses[i] for i in made.clause]
        low = np.array([-NONE if isinstance(c, Budget) and c.up_to else low for c, low in zip(kinds, made.low, strict=True)], np.int64)
        rows = self._chosen(replace(made, low=low), [i for i in clauses if counted is not None or not _share(clauses[i])])
        parts = [rows] if counted is not None else [rows, self._chosen(free, [i for i in clauses if _share(clauses[i])])]
        join = np.concatenate
        held = Bounds(*(join([getattr(p, name) for p in parts]) for name in ("ones", "tokens", "low", "high")))
        return held, join([p.clause for p in parts]), counted

    def _with(self, clauses: Mapping[int, Clause]) -> Table:
        """The table with the clauses given, all others as they are."""
        every = [clauses.get(i, c) for i, c in enumerate(self.table.clauses)]
        quotas, budgets = (tuple(c for c in every if isinstance(c, kind)) for kind in (Quota, Budget))
        return replace(self.table, quotas=quotas, budgets=budgets)

    def _chosen(self, made: Constraints, wanted: Sequence[int]) -> Constraints:
        at = np.flatnonzero(np.isin(made.clause, wanted))
        return replace(made, clause=made.clause[at], ones=made.ones[at], tokens=made.tokens[at], low=made.low[at], high=made.high[at])


def core(question: Question) -> Core | None:
    """A conflict of the table's clauses of which nothing can be left out; None where none is proven. Quotas are left out before what all rows count in."""
    clauses = question.table.clauses
    first = question.ask(range(len(clauses)))
    if first.used is None:
        return None
    kept, needed, open_ = first.used, set(), set()
    while rest := sorted((i for i in kept if i not in needed), key=lambda i: (not isinstance(clauses[i], Quota), isinstance(clauses[i], Budget), i)):
        found = question.ask([i for i in kept if i != rest[0]])
        if found.used is None:
            needed.add(rest[0])
            open_ |= set() if found.known else {rest[0]}
        else:
            # What stayed open among more clauses may be settled among these.
            kept, needed, open_ = found.used, needed - open_, set()
    return Core(kept, not open_)


def _share(clause: Clause) -> bool:
    return isinstance(clause, Quota) and clause.unit == "%"

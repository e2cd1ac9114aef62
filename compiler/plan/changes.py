"""What parts two plans, as data: each change with the work it asks for, what runs again, what stays cached. Nothing here decides."""

from dataclasses import dataclass
from enum import Enum

from ..source import Span

__all__ = ["Change", "Difference", "Fate", "Said", "Work"]


class Work(Enum):
    """The class of a change: the first kind of work that it asks for, cheapest first. What follows from that work is not part of it."""

    COSMETIC = "cosmetic"
    EVALUATE = "re-evaluate"
    TRAIN = "re-train"
    SELECT = "re-select"
    SCORE = "re-score"
    GENERATE = "re-generate"

    @property
    def cost(self) -> int:
        """Its place among the classes, from the cheapest."""
        return list(Work).index(self)


@dataclass(frozen=True, slots=True)
class Said:
    """A clause as a spec would write it, and where the spec has it (the block, where the plan knows no more)."""

    text: str
    key: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing said otherwise. `kind`: added, removed, changed, renamed, reordered, reworded; `block`: the declaration it stands in."""

    work: Work
    kind: str
    block: str
    before: Said | None = None
    after: Said | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a score's values. `state`: `cached`, `new rows` (what is known stays), `all rows`, or `read` (a column: nothing to compute).

    `rows`: `candidates` or `selected`, as in the plan.
    """

    name: str
    state: str
    rows: str


@dataclass(frozen=True, slots=True)
class Difference:
    """`run`: ids of the later plan's stages whose outcome may differ, in its order; `same`: those of the others. `wording`: what only the text has otherwise."""

    changes: tuple[Change, ...] = ()
    run: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    scores: tuple[Fate, ...] = ()
    wording: tuple[str, ...] = ()

    @property
    def work(self) -> Work | None:
        """The dearest class; None where nothing at all differs."""
        found = [change.work for change in self.changes] + ([Work.COSMETIC] if self.wording else [])
        return max(found, key=lambda work: work.cost, default=None)

    @property
    def matters(self) -> bool:
        """Whether the two differ in meaning."""
        return self.work not in (None, Work.COSMETIC)

"""Two sides and what parts them, in words that every reader of a diff shares: places, stages, what runs again, what stays cached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compiler.plan.changes import Change, Difference, Said, Work
from .sides import Side

if TYPE_CHECKING:
    from ..runtime.moves.differing import Differing

_STATES = {
    ("all rows", "candidates"): "all rows", ("new rows", "candidates"): "new rows",
    ("all rows", "selected"): "all selected rows", ("new rows", "selected"): "newly selected rows",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """`builds`: what parts two build folders beside the recipe; None where a side is none."""

    before: Side
    after: Side
    difference: Difference
    builds: "Differing | None" = None

    @property
    def different(self) -> bool:
        """Whether the two differ in meaning, or two builds in what came of it."""
        return self.difference.matters or (self.builds is not None and self.builds.any)

    @property
    def verdict(self) -> str:
        """`re-select`, or that nothing differs but the writing, or nothing at all."""
        work = self.difference.work
        if work is None:
            return "no difference" if not self.different else "the recipe is the same, what came of it is not"
        return work.value if self.difference.matters else "the same in meaning"

    def place(self, said: Said | None, side: Side) -> tuple[str, int | None] | None:
        """File and line of a clause on its side."""
        return None if said is None else side.place(said.span, said.key)

    def shown_place(self, said: Said | None, side: Side) -> str:
        """`HEAD:specs/a.mix:12`, or nothing where the place is not known."""
        place = self.place(said, side)
        if place is None:
            return ""
        path, line = place
        revision = "" if side.revision is None else f"{side.revision}:"
        return f"{revision}{path}" + ("" if line is None else f":{line}")

    def by_class(self) -> Iterator[tuple[Work, list[Change]]]:
        """The changes of each class, the dearest class first."""
        for work in reversed(Work):
            changes = [c for c in self.difference.changes if c.work is work]
            if changes or (work is Work.COSMETIC and self.difference.wording):
                yield work, changes

    def run(self) -> list[str]:
        """The stages that must run again, one of a kind, each score with its rows."""
        fates = {fate.name: fate for fate in self.difference.scores}
        words: list[str] = []
        for id in self.difference.run:
            kind, _, name = id.partition(":")
            said = kind
            if kind == "score" and (fate := fates.get(name)):
                said = f"score {name} ({_STATES.get((fate.state, fate.rows), 'from the corpus')})"
            if said not in words:
                words.append(said)
        return words

    def cached(self) -> list[str]:
        """What is in the store already, where the first side was built."""
        names = [fate.name for fate in self.difference.scores if fate.state == "cached"]
        counts = self.before.values
        words = [f"score {name}" + (f" ({counts[name]:,} values)" if name in counts else "") for name in names]
        return words + [what for what in ("train", "evaluate") if what in self.difference.same]


def wording_of(difference: Difference) -> str:
    """`comments, the order of declarations`."""
    return ", ".join(difference.wording)

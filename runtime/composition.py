"""Who the rows are: by teacher and by skill, against the quotas of the selection. Of selected rows, or of the candidates as far as they are known."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ..compiler.plan.stages import Quota, Select
from .by_embedding import OPEN
from .candidates import grouped
from .figure import Figure
from .groups import group_rows
from .lengths import Lengths
from .licensed import UNSTATED, short
from .rows import Rows
from .selection.problem import Outcome, Solution


@dataclass(frozen=True, slots=True)
class Share:
    """One teacher, skill or quota: its rows and their tokens. `clause` is the quota's text, `binding` whether it decides; None where not known."""

    name: str
    rows: Figure
    tokens: Figure
    clause: str | None = None
    binding: bool | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """`of`: `selected` or `candidates`. `licences`: none where no corpus states any. `outcomes`: of the clauses that act together, where they were solved."""

    of: str
    rows: Figure
    tokens: Figure
    teachers: tuple[Share, ...]
    skills: tuple[Share, ...]
    quotas: tuple[Share, ...]
    licences: tuple[Share, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def composition(stage: Select, rows: Rows, lengths: Lengths, exact: bool, solution: Solution | None) -> Composition:
    """The composition of the rows without a reason; `exact` False where a run may find fewer. Most rows first, then by name.

    Of skills nothing is said where they are not known yet."""
    binding = {id(o.clause): o.binding for o in solution.outcomes} if solution else {}
    whole, teachers, skills, licences = _Tally(), dict[str, _Tally](), dict[str, _Tally](), dict[str, _Tally]()
    tagged = f"open:{OPEN}" not in rows.columns
    told = [quota for quota in stage.quotas if tagged or quota.group.kind != "skill"]
    quotas = [_Tally() for _ in told]
    for live in rows.live(["teacher", "skills", "license", *grouped(stage), *lengths.reads]):
        counted = live.hstack(lengths.each(live))
        whole.add(counted)
        for name, part in counted.group_by("teacher"):
            teachers.setdefault(str(name[0]), _Tally()).add(part)
        if tagged and "skills" in live.columns:
            named = counted.select("skills", "counted", "unknown").explode("skills", empty_as_null=True).drop_nulls("skills")
            for name, part in named.group_by("skills"):
                skills.setdefault(str(name[0]), _Tally()).add(part)
        for name, part in counted.group_by(pl.col("license").fill_null(UNSTATED)) if "license" in live.columns else ():
            licences.setdefault(short(str(name[0])), _Tally()).add(part)
        for quota, tally in zip(told, quotas, strict=True):
            tally.add(counted.filter(pl.Series(group_rows(quota.group, live))))

    def share(name: str, tally: _Tally, quota: Quota | None = None) -> Share:
        rows, tokens = tally.figures(lengths, not exact)
        return Share(name, rows, tokens, quota and quota.text, binding.get(id(quota)) if quota else None)

    return Composition(
        "selected" if solution else "candidates", *whole.figures(lengths, not exact),
        _ordered(teachers, share), _ordered(skills, share),
        tuple(share(q.group.value, tally, q) for q, tally in zip(told, quotas, strict=True)), _ordered(licences, share), solution.outcomes if solution else (),
    )  # fmt: skip


@dataclass(slots=True)
class _Tally:
    """Rows, the tokens that are counted of them, and the characters of the responses whose tokens are not."""

    rows: int = 0
    counted: int = 0
    unknown: int = 0

    def add(self, rows: pl.DataFrame) -> None:
        self.rows += rows.height
        self.counted += int(rows["counted"].sum())
        self.unknown += int(rows["unknown"].sum())

    def figures(self, lengths: Lengths, most: bool) -> tuple[Figure, Figure]:
        return Figure(value=self.rows, most=most), lengths.figure(self.counted, self.unknown, most)


def _ordered(tallies: dict[str, _Tally], share: Callable[[str, _Tally], Share]) -> tuple[Share, ...]:
    return tuple(sorted((share(name, tally) for name, tally in tallies.items()), key=lambda s: (-s.rows.value, s.name)))

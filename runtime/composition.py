"""Who the rows are: by teacher and by skill, against the quotas of the selection. Of selected rows, or of the candidates as far as they are known."""

from dataclasses import dataclass

import polars as pl

from ..compiler.plan.stages import Quota, Select
from .figure import Figure
from .groups import group_rows
from .lengths import Lengths
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
    """`of`: `selected` or `candidates`. `outcomes`: of the clauses that act together, where they were solved."""

    of: str
    rows: Figure
    tokens: Figure
    teachers: tuple[Share, ...]
    skills: tuple[Share, ...]
    quotas: tuple[Share, ...]
    outcomes: tuple[Outcome, ...] = ()


def composition(stage: Select, rows: pl.DataFrame, lengths: Lengths, exact: bool, solution: Solution | None) -> Composition:
    """The composition of the rows without a reason; `exact` False where a run may find fewer. Most rows first, then by name."""
    live = rows.filter(pl.col("reason").is_null()).sort("row_id")
    binding = {id(o.clause): o.binding for o in solution.outcomes} if solution else {}

    def share(name: str, part: pl.DataFrame, quota: Quota | None = None) -> Share:
        return Share(
            name, Figure(value=part.height, most=not exact), lengths.of(part, most=not exact), quota and quota.text,
            binding.get(id(quota)) if quota else None,
        )  # fmt: skip

    teachers = [share(str(name), part) for (name,), part in live.group_by("teacher")]
    skills: list[Share] = []
    if "skills" in live.columns:
        named = live.explode("skills", empty_as_null=True).filter(pl.col("skills").is_not_null())
        skills = [share(str(name), part) for (name,), part in named.group_by("skills")]
    quotas = [share(q.group.value, live.filter(pl.Series(group_rows(q.group, live))), q) for q in stage.quotas]
    return Composition(
        "selected" if solution else "candidates", Figure(value=live.height, most=not exact), lengths.of(live, most=not exact),
        _ordered(teachers), _ordered(skills), tuple(quotas), solution.outcomes if solution else (),
    )  # fmt: skip


def _ordered(shares: list[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda s: (-s.rows.value, s.name)))

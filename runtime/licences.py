"""Under which licences the selected rows are, by corpus and by teacher: as the corpus says of itself, or as each row does. An answer that a teacher wrote has none."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ..compiler.plan.stages import Plan, Scan
from .licensed import UNSTATED, short
from .rows import Rows

_BY = ("corpus", "teacher")


@dataclass(frozen=True, slots=True)
class Licences:
    """Rows by licence, None where none is stated: all of them, those of each corpus, and those of each teacher. Most first, then by name."""

    all: Mapping[str | None, int]
    corpora: Mapping[str, Mapping[str | None, int]]
    teachers: Mapping[str, Mapping[str | None, int]]

    def to_data(self) -> dict[str, object]:
        """As `manifest.json` has them; rows that none is stated for are `not stated`."""
        parts = {name: {each: _named(counts) for each, counts in of.items()} for name, of in (("corpora", self.corpora), ("teachers", self.teachers))}
        return {"all": _named(self.all), **parts}


def states(plan: Plan) -> bool:
    """Whether any corpus of the plan states a licence, of its own or of its rows."""
    return any(isinstance(s, Scan) and (s.license is not None or s.roles.license is not None) for s in plan.stages)


def licences(rows: Rows) -> Licences:
    """The licences of the rows without a reason."""
    whole: Counter[str | None] = Counter()
    by: dict[str, dict[str, Counter[str | None]]] = {name: {} for name in _BY}
    for live in rows.live([*_BY, "license"]):
        stated = live if "license" in live.columns else live.with_columns(pl.lit(None, pl.String).alias("license"))
        whole.update(dict(stated["license"].value_counts().iter_rows()))
        for name, of in by.items():
            for value, licence, count in stated.group_by(pl.col(name).fill_null(""), "license").len().iter_rows():
                of.setdefault(value, Counter())[licence] += count
    parts = ({value: _ordered(of[value]) for value in sorted(of)} for of in by.values())
    return Licences(_ordered(whole), *parts)


def _ordered(counts: Counter[str | None]) -> dict[str | None, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0] is None, one[0] or "")))


def _named(counts: Mapping[str | None, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for name, rows in counts.items():
        found[UNSTATED if name is None else short(name)] += rows
    return dict(found)

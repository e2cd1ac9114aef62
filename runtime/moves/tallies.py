"""The selected rows of two builds by teacher and by skill: before, after, what came and what went."""

import polars as pl

from .found import Tally


def tallies(before: pl.DataFrame, after: pl.DataFrame, added: pl.DataFrame, removed: pl.DataFrame, of: str) -> tuple[Tally, ...]:
    """One of each `teacher`, or of each value of `skills` (a row counts in each that it has): those that changed most first, then the largest, then by name."""
    counted = [_counted(rows[of]) for rows in (before, after, added, removed)]
    names = sorted({name for each in counted for name in each})
    found = [
        Tally(name=name, before=was, after=now, added=came, removed=went)
        for name in names
        for was, now, came, went in [[each.get(name, 0) for each in counted]]
    ]
    return tuple(sorted(found, key=lambda t: (-abs(t.after - t.before), -(t.added + t.removed), -max(t.before, t.after), t.name)))


def _counted(values: pl.Series) -> dict[str, int]:
    if isinstance(values.dtype, pl.List):
        values = values.list.unique().explode(empty_as_null=True).drop_nulls()
    return {str(name): int(count) for name, count in values.value_counts().iter_rows()}

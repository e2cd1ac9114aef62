"""The ledgers of two builds beside each other: which rows are in both, and single columns of single rows. Reads no more columns than asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ...compiler.plan.stages import Plan, Score
from ..built import unreadable
from ..contender import Contender
from ..ledger import TRACED
from ..path import Side


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one build. `ids`: every row id, sorted."""

    folder: Path
    plan: Plan
    manifest: Mapping[str, Any]
    schema: pl.Schema
    ids: pl.Series

    @property
    def traced(self) -> bool:
        """Whether it says what each clause saw of each row."""
        return "path" in self.manifest and "step" in self.schema

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores of the recipe that are columns here, in its order."""
        return tuple(s.name for s in self.plan.stages if isinstance(s, Score) and s.name != "tokens" and s.name in self.schema)

    def column(self, name: str) -> str:
        """The ledger's column for one of the trace."""
        other = f"{name} {TRACED}"
        return other if other in self.schema else name

    def held(self, side: Side) -> str | None:
        """The column with what a side of a clause is; None of a constant, and where the ledger has none."""
        if side.column is None:
            return None
        name = self.column(side.column) if side.made else side.column
        return name if name in self.schema else None

    def read(self, columns: Iterable[str], rows: pl.Series | None = None) -> pl.DataFrame:
        """These columns, of all rows or of those at `rows` (places in `ids`, null where there is none: then all null). Fault MIX0501."""
        names = [name for name in dict.fromkeys(columns) if name in self.schema]
        try:
            found = pl.read_parquet(self.folder / "ledger.parquet", columns=names)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _unreadable(self.folder, error) from None
        return found if rows is None else found.select(pl.all().gather(rows))

    def places(self, ids: pl.Series) -> pl.Series:
        """Where each of these row ids stands, null where it does not."""
        if not self.ids.len():
            return pl.Series([None] * ids.len(), dtype=pl.UInt32)
        near = self.ids.search_sorted(ids).cast(pl.UInt32).clip(0, self.ids.len() - 1)
        return near.set(self.ids.gather(near).ne_missing(ids), None)


def ledger(build: Contender) -> Ledger:
    """The ledger of a build that has one. Fault MIX0501 where it cannot be read."""
    path = build.folder / "ledger.parquet"
    try:
        schema = pl.Schema(pl.read_parquet_schema(path))
        ids = pl.read_parquet(path, columns=["row_id"])["row_id"]
        if not ids.is_sorted():
            raise unreadable(build.folder, "the rows of `ledger.parquet` are not in the order of their ids", "build it again")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(build.folder, error) from None
    return Ledger(build.folder, build.plan, build.manifest, schema, ids)


def _unreadable(folder: Path, error: Exception) -> Exception:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return unreadable(folder, f"`ledger.parquet`: {said}", "build it again with this version; scores that are in the store are not computed again")

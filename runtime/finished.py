"""A finished build as those see it who tell others of it: its plan, its manifest, its tables with their digests. Reads the folder, writes nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.plan.serialize import Unreadable, from_data
from ..compiler.plan.stages import Plan
from .built import before_selection, read_json, unreadable

MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
_CHUNK = 1 << 20
_NEWLINE = b"\n"


@dataclass(frozen=True, slots=True)
class Table:
    """A data file of the folder: its SHA-256 and size in bytes, how many rows, and the type of each column."""

    name: str
    sha256: str
    size: int
    rows: int
    columns: Mapping[str, pl.DataType]


@dataclass(frozen=True, slots=True)
class Finished:
    """`selected`: `selected.parquet`. `train`: `train.jsonl`, None where the run stopped before it. `ledger`: `ledger.parquet`."""

    folder: Path
    plan: Plan
    manifest: Mapping[str, Any]
    selected: Table
    train: Table | None
    ledger: Table

    @property
    def tables(self) -> tuple[Table, ...]:
        """The data files, those that others read first."""
        return tuple(table for table in (self.train, self.selected, self.ledger) if table is not None)

    @property
    def version(self) -> str:
        """The version of mixc that made it."""
        return str(self.manifest["mixc"])

    @property
    def content(self) -> str:
        """32 hex digits that name the data: of the digests of its files."""
        whole = "".join(f"{table.name} {table.sha256}\n" for table in self.tables)
        return hashlib.sha256(whole.encode()).hexdigest()[:32]


def finished(folder: Path) -> Finished:
    """The build in `folder`. Fault MIX0524 where there is none, or none that selected; MIX0501 where it cannot be read."""
    plan, manifest = read_json(folder, "plan.json"), read_json(folder, "manifest.json")
    if not (folder / "selected.parquet").is_file():
        raise before_selection(folder)
    try:
        train = _lines(folder / "train.jsonl") if (folder / "train.jsonl").is_file() else None
        return Finished(folder, from_data(plan), manifest, _parquet(folder / "selected.parquet"), train, _parquet(folder / "ledger.parquet"))
    except (Unreadable, pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(folder, str(error).splitlines()[0], "build it again with this version") from None


def _parquet(path: Path) -> Table:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    return Table(path.name, sha256, path.stat().st_size, rows, pl.read_parquet_schema(path))


def _lines(path: Path) -> Table:
    whole, rows = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
            rows += chunk.count(_NEWLINE)
    return Table(path.name, whole.hexdigest(), path.stat().st_size, rows, {"messages": MESSAGES, "row_id": pl.String()})

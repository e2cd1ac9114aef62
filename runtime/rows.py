"""All rows of a run, in parts: one that is held in memory, or many on disk of which one is held at a time. It knows prompts and columns, not stages.

All rows of a prompt are in one part, and in each part rows are sorted by row id; so what looks at a row, or at the rows of a prompt, is worked out
part by part. Which rows are in a part depends on their prompt ids alone. Nothing that a run writes depends on the number of parts, but which of
several equally good selections the price solver finds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import polars as pl

from .files import writing
from .identity import digest
from .scratch import Scratch

T = TypeVar("T")

MOST = 5_000_000
"""The most rows that are held in memory as one part."""
_MOST_PARTS = 4096
_GROUP = 100_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A part on disk. `places`: the file of each column, in the order of the columns; `alive` of its `height` rows have no reason."""

    places: Mapping[str, Path]
    schema: Mapping[str, pl.DataType]
    height: int
    alive: int

    def read(self, names: Sequence[str], start: int = 0, count: int | None = None) -> pl.DataFrame:
        """`count` rows of these columns from row `start`, to the end without a `count`."""
        found = []
        for path in dict.fromkeys(self.places[name] for name in names):
            here = [name for name in names if self.places[name] == path]
            found.append(pl.scan_parquet(path, glob=False).select(here).slice(start, count).collect())
        return pl.concat(found, how="horizontal").select(names) if found else pl.DataFrame()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with the columns that the stages so far gave them; `reason` is null for those still in. Frozen: what changes rows gives others."""

    parts: tuple[pl.DataFrame | Stored, ...]
    scratch: Scratch | None = field(default=None, compare=False)

    @staticmethod
    def none() -> "Rows":
        """No rows, and no columns."""
        return Rows((pl.DataFrame(),))

    @staticmethod
    def of(frame: pl.DataFrame) -> "Rows":
        """The rows of one frame, sorted by row id, in memory."""
        return Rows((frame,))

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        return self.parts[0].schema

    @property
    def columns(self) -> list[str]:
        return list(self.schema)

    @property
    def height(self) -> int:
        return sum(part.height for part in self.parts)

    @property
    def alive(self) -> int:
        """How many rows have no reason."""
        return sum(part.alive if isinstance(part, Stored) else alive(part) for part in self.parts)

    def each(self, names: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The parts one by one, with those of these columns that there are, or with all."""
        names = None if names is None else list(dict.fromkeys(names))
        for part in self.parts:
            if isinstance(part, Stored):
                yield part.read(list(part.schema) if names is None else [n for n in names if n in part.schema])
            else:
                yield part if names is None else part.select(n for n in names if n in part.columns)

    def live(self, names: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows without a reason of each part, with these columns or all."""
        wanted = None if names is None else [*names, *(() if "reason" in names else ("reason",))]
        for part in self.each(wanted):
            kept = part.filter(pl.col("reason").is_null())
            yield kept if names is None else kept.select(n for n in dict.fromkeys(names) if n in kept.columns)

    def frame(self, names: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows in memory, part after part."""
        return _joined(self.each(names))

    def candidates(self, names: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows without a reason in memory, part after part."""
        return _joined(self.live(names))

    def map(self, change: Callable[[pl.DataFrame], pl.DataFrame]) -> "Rows":
        """The rows as `change` leaves each part: it adds, drops and changes columns, and neither rows nor their order."""
        return self.both(lambda part: (change(part), None))[0]

    def both(self, change: Callable[[pl.DataFrame], tuple[pl.DataFrame, T]]) -> tuple["Rows", list[T]]:
        """As `map`, and what `change` says beside it of each part."""
        parts, said = [], []
        for part in self.parts:
            before = part.read(list(part.schema)) if isinstance(part, Stored) else part
            after, told = change(before)
            if after.height != before.height:
                raise RuntimeError(f"{before.height} rows became {after.height}; this is a bug in mixc")
            parts.append(_stored(after, before, part, self._disk) if isinstance(part, Stored) else after)
            said.append(told)
        return Rows(tuple(parts), self.scratch), said

    def fewer(self, choose: Callable[[pl.DataFrame], pl.DataFrame]) -> "Rows":
        """The rows that `choose` leaves of each part, in their order. Columns may change."""
        parts = []
        for part, before in zip(self.parts, self.each(), strict=True):
            after = choose(before)
            same = isinstance(part, Stored) and after.height == before.height and after.columns == before.columns
            parts.append(part if same else stored(after, self._disk) if isinstance(part, Stored) else after)
        return Rows(tuple(parts), self.scratch)

    def beside(self, columns: pl.DataFrame) -> "Rows":
        """The rows with these columns of as many rows, in the order of the parts; one of the same name is replaced."""
        start = 0

        def add(part: pl.DataFrame) -> pl.DataFrame:
            nonlocal start
            start += part.height
            return part.with_columns(columns.slice(start - part.height, part.height).get_columns())

        return self.map(add)

    @property
    def _disk(self) -> Scratch:
        if self.scratch is None:
            raise RuntimeError("rows on disk without a folder; this is a bug in mixc")
        return self.scratch


def alive(rows: pl.DataFrame) -> int:
    """How many rows of a frame have no reason."""
    return rows["reason"].null_count()


def parts_for(rows: int) -> int:
    """Into how many parts so many rows are put: a power of two, 1 where they fit into memory."""
    parts = 1
    while parts < _MOST_PARTS and rows > MOST * (1 if parts == 1 else parts // 2):
        parts *= 2
    return parts


def part_of(parts: int, name: str = "prompt_id") -> pl.Expr:
    """The part, UInt16 from 0, that a row is in by its prompt id, which is in column `name`: the first bits of its digest."""
    first = digest(name).str.head(4).str.decode("hex").bin.reinterpret(dtype=pl.UInt16, endianness="big")
    return (first.cast(pl.UInt32) // (65536 // parts)).cast(pl.UInt16)


def stored(frame: pl.DataFrame, scratch: Scratch) -> Stored:
    """A part on disk with these rows and columns."""
    path = scratch.new("part.parquet")
    write(frame, path)
    return Stored(dict.fromkeys(frame.columns, path), dict(frame.schema), frame.height, alive(frame))


def write(frame: pl.DataFrame, path: Path) -> None:
    """Put rows on disk, to be read again in this run. Fault MIX0508."""
    with writing(path):
        frame.write_parquet(path, compression="lz4", statistics=False, row_group_size=_GROUP)


def split(rows: Rows, parts: int, scratch: Scratch) -> Rows:
    """The same rows in more parts; `parts` is a power of two."""
    if len(rows.parts) >= parts:
        return rows
    found = []
    for number, whole in enumerate(rows.each()):
        several = parts // len(rows.parts)
        keyed = whole.with_columns(part_of(parts).alias("mixc:part"))
        for part in range(number * several, (number + 1) * several):
            found.append(stored(keyed.filter(pl.col("mixc:part") == part).drop("mixc:part"), scratch))
    return Rows(tuple(found), scratch)


def _stored(after: pl.DataFrame, before: pl.DataFrame, part: Stored, scratch: Scratch) -> Stored:
    """The part after a change: what is new of it in a file of its own."""
    fresh = [n for n in after.columns if n not in part.schema or after.schema[n] != part.schema[n] or not after[n].equals(before[n], null_equal=True)]
    places = {name: part.places.get(name) for name in after.columns}
    if fresh:
        path = scratch.new("columns.parquet")
        write(after.select(fresh), path)
        places |= dict.fromkeys(fresh, path)
    return Stored({n: p for n, p in places.items() if p is not None}, dict(after.schema), after.height, alive(after))


def _joined(parts: Iterator[pl.DataFrame]) -> pl.DataFrame:
    found = list(parts)
    return found[0] if len(found) == 1 else pl.concat(found)

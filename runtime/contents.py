"""Digests of a corpus's rows, whatever their order, their files and the parts they are in. It knows columns, not stages."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from ..compiler.plan.sketch import Key
from .identity import digest, short_digest
from .merged import merged
from .rows import Rows
from .sketching import Sketching
from .texts import FILE, OWN, REFERENCE, ROW, TEXTS

_SLICE = 100_000
_TEXT, _CONTENT, _PLACE = "mixc:values", "mixc:content", "mixc:place"


@dataclass(frozen=True, slots=True)
class Contents:
    """Digests, 32 hex digits each, of SHA-256 over the rows in the order of their ids: of the `ids`, a line each, and of all `values`.

    The same ids with another reference are another content. A row id stands for prompt, response and teacher, a digest of its own for the reference.
    `columns` are the corpus's own among the values; `sketch` tells which rows two contents do not share, where these are few.
    """

    ids: str
    values: str
    columns: tuple[str, ...]
    sketch: str


def contents(rows: Rows) -> Contents:
    """The rows of a corpus by their content."""
    ids, values, first, sketching = hashlib.sha256(), hashlib.sha256(), True, Sketching()
    for part in _slices(rows, ()):
        ids.update((("" if first else "\n") + part.select(pl.col("row_id").str.join("\n")).item()).encode())
        values.update(part.select(pl.col(_TEXT).str.join("\n")).item().encode() + b"\n")
        keys = part.select(*_keys(part))
        sketching.add(keys[_CONTENT].to_numpy(), keys[_PLACE].to_numpy())
        first = False
    own = tuple(name.removeprefix("column:") for name in sorted(rows.columns) if name.startswith("column:"))
    return Contents(ids.hexdigest()[:32], values.hexdigest()[:32], own, sketching.sketch().text())


def placed(rows: Rows, keys: Collection[Key]) -> pl.DataFrame:
    """Of the rows that a sketch calls by these keys: row_id, prompt_id, teacher_value, and where they were read (`texts.FILE`, `texts.ROW`)."""
    wanted = pl.Series([key.content for key in keys], dtype=pl.UInt64)
    names = ("row_id", "prompt_id", "teacher_value", FILE, ROW)
    found = [part.filter(_keys(part)[0].is_in(wanted.implode())).select(n for n in names if n in part.columns) for part in _slices(rows, (FILE, ROW))]
    return pl.concat(found)


def _slices(rows: Rows, also: Collection[str]) -> Iterator[pl.DataFrame]:
    """The rows in the order of their ids, with the text of all their values."""
    names = sorted(name for name in rows.columns if name == REFERENCE or name not in (*TEXTS[:3], *OWN))
    for frame in merged(rows, [*names, *(name for name in also if name in rows.columns)]):
        for part in frame.iter_slices(_SLICE):
            yield part.with_columns(pl.struct(names).struct.json_encode().alias(_TEXT))


def _keys(part: pl.DataFrame) -> tuple[pl.Expr, pl.Expr]:
    """What a sketch calls a row: UInt64 of all its values, UInt32 of its prompt id and the value of the teacher column."""
    place = digest(*(name for name in ("prompt_id", "teacher_value") if name in part.columns)).str.head(8).str.decode("hex").bin.reinterpret(dtype=pl.UInt32, endianness="big")
    return short_digest(_TEXT).alias(_CONTENT), place.alias(_PLACE)

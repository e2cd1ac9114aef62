"""Digests that name rows and prompts, and the seeded hash that breaks every tie. Knows nothing of files or stages.

A value is encoded as `<its length in UTF-8 bytes>:<value>`, null as `-`; a digest is the first 128 bits (32 hex digits)
of the BLAKE3 hash of the encoded values one after the other. No two tuples of as many values share an encoding.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from polars_hash import CryptographicHashingNameSpace

ROW = ("prompt", "response", "teacher_value")


def digest(*columns: str) -> pl.Expr:
    """The 32 hex digits that name the values of these String columns, in this order."""
    return _blake3(pl.concat_str([_encoded(column) for column in columns])).str.head(32)


def short_digest(column: str) -> pl.Expr:
    """The first 64 bits of the digest of a String column's values, as UInt64, null of a null: enough to see whether two values of one row agree."""
    found = _blake3(_encoded(column)).str.head(16).str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")
    return pl.when(pl.col(column).is_not_null()).then(found)


def row_ids(frame: pl.DataFrame) -> pl.Series:
    """The row id of each row: the digest of its prompt, response and value of the teacher column."""
    return frame.select(digest(*ROW).alias("row_id")).to_series()


def prompt_ids(frame: pl.DataFrame) -> pl.Series:
    """The prompt id of each row of a corpus that has no `id`: the digest of its prompt."""
    return frame.select(digest("prompt").alias("prompt_id")).to_series()


def by_row_id(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows sorted by row id; those of equal ids in any order."""
    ids = frame["row_id"]
    if ids.is_sorted():
        return frame
    if (ids.str.len_bytes() == 32).all():  # sorting 64 bits takes a third of the time, and their order is that of the texts
        first = frame.select(pl.col("row_id").str.head(16).str.decode("hex", strict=False).bin.reinterpret(dtype=pl.UInt64, endianness="big"))
        ordered = frame[first.to_series().arg_sort()]
        if ordered["row_id"].is_sorted():
            return ordered
    return frame.sort("row_id")


def seeded_hash(seed: int, ids: pl.Series | Sequence[str]) -> np.ndarray:
    """For each id the first 8 bytes, big-endian, of BLAKE3 of `<seed>:<id>`, as uint64: the same on every machine.

    ValueError if an id is null.
    """
    names = pl.Series("id", ids, dtype=pl.String)
    if names.null_count():
        raise ValueError("a null has no seeded hash")
    first = _blake3(pl.concat_str(pl.lit(f"{seed}:"), pl.col("id"))).str.head(16)
    number = first.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")
    return names.to_frame().select(number).to_series().to_numpy()


def _encoded(column: str) -> pl.Expr:
    value = pl.col(column)
    return pl.concat_str(value.str.len_bytes().cast(pl.String), pl.lit(":"), value).fill_null("-")


def _blake3(text: pl.Expr) -> pl.Expr:
    return CryptographicHashingNameSpace(text).blake3()

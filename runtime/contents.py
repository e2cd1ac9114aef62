"""Digests of a corpus's rows, whatever their order, their files and the parts they are in. It knows columns, not stages."""

import hashlib

import polars as pl

from .merged import merged
from .rows import Rows
from .texts import OWN, REFERENCE, TEXTS

_SLICE = 100_000


def digests(rows: Rows) -> tuple[str, str]:
    """Two digests, 32 hex digits each, of SHA-256 over the rows in the order of their ids: of the ids, a line each, and of all values.

    The same ids with another reference are another content. A row id stands for prompt, response and teacher, a digest of its own for the reference.
    """
    names = sorted(name for name in rows.columns if name == REFERENCE or name not in (*TEXTS[:3], *OWN))
    ids, values, first = hashlib.sha256(), hashlib.sha256(), True
    for frame in merged(rows, names):
        for part in frame.iter_slices(_SLICE):
            ids.update((("" if first else "\n") + part.select(pl.col("row_id").str.join("\n")).item()).encode())
            values.update(part.select(pl.struct(pl.all()).struct.json_encode().str.join("\n")).item().encode() + b"\n")
            first = False
    return ids.hexdigest()[:32], values.hexdigest()[:32]

"""Cuts the rows of a scoring into chunks: what is read together and kept together. Pure; it knows texts, no tokens and no store."""

from itertools import groupby

import polars as pl

from .identity import digest
from .texts import PROMPT, characters

ROWS = 64
CHARACTERS = 40_000
"""At most so many rows, and so many characters of prompts and responses, are in a chunk; a row that is longer is one alone."""


def in_chunks(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows (`key`, and `prompt` and `response` or what stands for them in a narrow frame) with the number of their `chunk`, sorted by it: by the prompt's digest, then the key.

    Responses of one prompt stay together where a chunk holds them all. The chunks follow from the rows alone, whatever
    is scored already, so that a run that goes on makes those of the one that was stopped.
    """
    ordered = (rows if PROMPT in rows.columns else rows.with_columns(_hashed(rows))).sort(PROMPT, "key")
    sizes = ordered.select(PROMPT, question=characters("prompt", rows).fill_null(0), reply=characters("response", rows).fill_null(0))
    numbers: list[int] = []
    chunk = held = filled = 0
    for _, group in groupby(sizes.iter_rows(), key=lambda row: row[0]):
        members = [(asked, reply) for _, asked, reply in group]
        asked = members[0][0]
        if held and (held + len(members) > ROWS or filled + asked + sum(reply for _, reply in members) > CHARACTERS):
            chunk, held, filled = chunk + 1, 0, 0
        filled += asked
        for _, reply in members:
            if held and (held == ROWS or filled + reply > CHARACTERS):
                chunk, held, filled = chunk + 1, 0, asked
            numbers.append(chunk)
            held, filled = held + 1, filled + reply
    return ordered.select(rows.columns).with_columns(pl.Series("chunk", numbers, dtype=pl.Int64))


def _hashed(rows: pl.DataFrame) -> pl.Series:
    return rows.select(pl.col("prompt").fill_null("").alias(PROMPT)).select(digest(PROMPT).alias(PROMPT)).to_series()

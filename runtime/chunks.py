"""Cuts the rows of a scoring into chunks: what is read together and kept together. Pure; it knows texts, no tokens and no store."""

from itertools import groupby

import polars as pl

from .identity import digest

ROWS = 64
CHARACTERS = 40_000
"""At most so many rows, and so many characters of prompts and responses, are in a chunk; a row that is longer is one alone."""


def in_chunks(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows (`key`, `prompt`, `response`) with the number of their `chunk`, sorted by it: by the prompt's digest, then the key.

    Responses of one prompt stay together where a chunk holds them all. The chunks follow from the rows alone, whatever
    is scored already, so that a run that goes on makes those of the one that was stopped.
    """
    texts = pl.col("prompt").fill_null("").alias("mixc:prompt")
    hashed = rows.select(texts).select(digest("mixc:prompt")).to_series().alias("mixc:prompt")
    ordered = rows.with_columns(hashed).sort("mixc:prompt", "key")
    question = pl.col("prompt").str.len_chars().fill_null(0)
    reply = pl.col("response").str.len_chars().fill_null(0)
    sizes = ordered.select("mixc:prompt", question=question, reply=reply)
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
    return ordered.drop("mixc:prompt").with_columns(pl.Series("chunk", numbers, dtype=pl.Int64))

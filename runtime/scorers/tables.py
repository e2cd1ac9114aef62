"""What the store has of a model's readings, token by token, for any score to draw on.

`whole`: of responses read whole behind their prompts. `heads`: of their first tokens, as far as a local score needed
them. Both by row id, for one model, tokenizer, template and dtype.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ... import __version__
from ...compiler.plan.stages import Score
from ..context import Context
from ..engines.base import ENTROPY, LOGPROB, RANK, Reading
from ..store import fingerprint
from .answers import model
from .base import Aside

VERSION = 1
HIGHEST_RANK = 65_535
"""Ranks above are kept as this one."""

WHOLE: dict[str, pl.DataType] = {
    "why": pl.String(),
    LOGPROB: pl.List(pl.Float32()),
    RANK: pl.List(pl.UInt16()),
    ENTROPY: pl.List(pl.Float32()),
    "held": pl.UInt8(),
}
HEADS: dict[str, pl.DataType] = {LOGPROB: pl.List(pl.Float32()), "held": pl.UInt32()}
TELLS = (LOGPROB, RANK, ENTROPY)


def identity(stage: Score, context: Context, table: str) -> dict[str, object]:
    """All that the rows of a table depend on besides their texts; no scorer: several read it."""
    return {
        "table": table, "version": VERSION, "mixc": __version__, "dtype": model(stage).dtype,
        **context.students.files(model(stage)).digests,
    }  # fmt: skip


def place(stage: Score) -> object:
    """What stands for the tables of a model before it is looked at: two names of one student are one."""
    asked = model(stage)
    return asked.model, asked.folder, asked.dtype, asked.template


@dataclass(frozen=True, slots=True)
class Known:
    """Token log-probabilities (float32) behind the prompt by row id: all of a response's, or those of its first tokens."""

    tokens: Mapping[str, np.ndarray] = field(default_factory=dict)

    def head(self, row: str, count: int) -> np.ndarray | None:
        """Those of the first `count` tokens of a response, where they are known."""
        found = self.tokens.get(row)
        return None if found is None or len(found) < count else found[:count]


def known(stage: Score, rows: Sequence[str], context: Context) -> Known:
    """What the store has of these row ids."""
    found: dict[str, np.ndarray] = {}
    for table, schema in (("heads", HEADS), ("whole", WHOLE)):
        one = identity(stage, context, table)
        stored = context.store.shelf(fingerprint(one), one).load(rows, schema=schema, prefer="held")
        stored = stored.select("key", LOGPROB).drop_nulls()
        found |= {key: values.to_numpy() for key, values in zip(stored["key"], stored[LOGPROB], strict=True)}
    return Known(found)


def whole(found: Mapping[str, Reading | str]) -> pl.DataFrame:
    """Rows of `whole`: what was read of each response, or why it cannot be read whole."""
    columns: dict[str, list[object]] = {name: [] for name in ("key", *WHOLE)}
    for key, one in found.items():
        read = None if isinstance(one, str) else one
        rank = None if read is None or read.rank is None else np.minimum(read.rank, HIGHEST_RANK).astype(np.uint16)
        values = (None, None, None) if read is None else (read.logprob, rank, read.entropy)
        told = sum(one is not None for one in values)
        row = (key, one if read is None else None, *(_series(v, t) for v, t in zip(values, (pl.Float32, pl.UInt16, pl.Float32), strict=True)))
        for name, value in zip(columns, (*row, told if read is not None else len(TELLS)), strict=True):
            columns[name].append(value)
    return pl.DataFrame(columns, schema={"key": pl.String(), **WHOLE})


def heads(stage: Score, context: Context, found: Mapping[str, tuple[np.ndarray, bool]]) -> list[Aside]:
    """Readings of the first tokens by row id, to be kept for other scores; True where that is the whole response."""
    asides = []
    parts = {key: values for key, (values, all_of_it) in found.items() if not all_of_it}
    if parts:
        frame = pl.DataFrame(
            {"key": list(parts), LOGPROB: [_series(v, pl.Float32) for v in parts.values()], "held": [len(v) for v in parts.values()]},
            schema={"key": pl.String(), **HEADS},
        )
        asides.append(Aside(identity(stage, context, "heads"), frame, "held"))
    if all_of := {key: Reading(values) for key, (values, all_of_it) in found.items() if all_of_it}:
        asides.append(aside(stage, context, all_of))
    return asides


def aside(stage: Score, context: Context, found: Mapping[str, Reading | str]) -> Aside:
    """Rows of `whole` that another score's pass has told."""
    return Aside(identity(stage, context, "whole"), whole(found), "held")


def _series(values: np.ndarray | None, dtype: type[pl.DataType]) -> pl.Series | None:
    return None if values is None else pl.Series(values, dtype=dtype)

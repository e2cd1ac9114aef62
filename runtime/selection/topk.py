"""The best rows of each group without ranking all of them: a bar for each group from a sample, checked by a count, then the exact rank of
the few rows above it.

`keep best 1 per prompt by E` followed by at most K rows a group sorts twenty million rows to keep some hundred thousand. If K prompts of a
group have their best row above a bar, then no row below the bar is among the group's K.
"""

import polars as pl

SAMPLED = 40
DEVIATIONS = 4.0
DENSE = 1 << 16


def topk(
    frame: pl.LazyFrame, *, most: int, group: str, by: str, tie: str, prompt: str | None = None, shared: bool = False
) -> pl.DataFrame:
    """The `most` rows of each `group` with the highest `by`, ties by the smallest `tie`; with `prompt`, only the best row of each prompt counts.

    All columns of the frame, sorted by group, then rank: the same rows as `naive`, whatever the order, files or threads, where `tie` is
    distinct among equal values. Rows without a value of `by` or `group` are left out. `shared`: all rows of a prompt are of one group,
    which saves a pass; the caller knows.
    """
    live = _live(frame, group, by)
    bars = _bars(live, most, group, by, tie, prompt)
    while bars is not None:
        found = _above(live, bars, group, by)
        if prompt is not None and not shared:
            # The best row of a prompt may be below its own group's bar while a lesser one is above that of another group.
            found = live.join(found.select(prompt).unique(), on=prompt, how="semi")
        kept = naive(found, most=most, group=group, by=by, tie=tie, prompt=prompt).collect(engine="streaming")
        reached = kept.join(bars, on=group).filter(pl.col(by) >= pl.col("mixc:bar")).group_by(group).len("mixc:full")
        short = bars.join(reached, on=group, how="left").filter(pl.col("mixc:full").fill_null(0) < most)
        if short.is_empty():
            return kept
        bars = bars.join(short.select(group), on=group, how="anti") if short.height < bars.height else None
    return naive(live, most=most, group=group, by=by, tie=tie, prompt=prompt).collect(engine="streaming")


def naive(frame: pl.LazyFrame, *, most: int, group: str, by: str, tie: str, prompt: str | None = None) -> pl.LazyFrame:
    """The same rows by sorting all of them."""
    live = _live(frame, group, by)
    if prompt is not None:
        live = live.sort(by, tie, descending=[True, False]).unique(prompt, keep="first", maintain_order=True)
    return live.sort(group, by, tie, descending=[False, True, False]).group_by(group, maintain_order=True).head(most)


def _live(frame: pl.LazyFrame, group: str, by: str) -> pl.LazyFrame:
    return frame.filter(pl.col(by).is_not_null() & pl.col(by).is_not_nan() & pl.col(group).is_not_null())


def _bars(live: pl.LazyFrame, most: int, group: str, by: str, tie: str, prompt: str | None) -> pl.DataFrame | None:
    """For each group with rows enough the value that, by a sample of whole prompts, a little more than `most` prompts reach. None where a
    sample would be most of the table.
    """
    part = SAMPLED / most
    if part > 0.25:
        return None
    rank = int(SAMPLED + DEVIATIONS * SAMPLED**0.5)
    drawn = live.filter(pl.col(prompt or tie).hash(1) < int(part * 2**64)).select({group, by, tie, prompt or tie})
    best = naive(drawn, most=rank, group=group, by=by, tie=tie, prompt=prompt).collect(engine="streaming")
    bars = best.group_by(group).agg(pl.len(), pl.col(by).min().alias("mixc:bar")).filter(pl.col("len") == rank)
    return bars.select(group, "mixc:bar") if bars.height else None


def _above(live: pl.LazyFrame, bars: pl.DataFrame, group: str, by: str) -> pl.LazyFrame:
    """The rows that reach their group's bar, and all rows of groups without one."""
    low, high = bars[group].min(), bars[group].max()
    if bars[group].dtype.is_integer() and int(high) - int(low) < DENSE:  # pyright: ignore[reportArgumentType]
        every = pl.DataFrame({group: pl.Series(range(int(low), int(high) + 1), dtype=bars[group].dtype)})  # pyright: ignore[reportArgumentType]
        bar = every.join(bars, on=group, how="left", maintain_order="left")["mixc:bar"]
        known = pl.col(group).is_between(low, high)
        place = pl.when(known).then(pl.col(group).cast(pl.Int64) - int(low)).otherwise(None)  # pyright: ignore[reportArgumentType]
        return live.filter((pl.col(by) >= pl.lit(bar).gather(place)).fill_null(value=True))
    kept = live.join(bars.lazy(), on=group, how="left")
    return kept.filter((pl.col(by) >= pl.col("mixc:bar")).fill_null(value=True)).drop("mixc:bar")

"""The best rows of each group, of a table of any size: a bar for each group from a sample, and the exact order of the few rows above it.

If `count` rows that may stay reach a group's bar, then no row below it is among the group's `count`. It knows columns, no plan.
"""

from dataclasses import dataclass

import polars as pl

from .polars_cuts import depth_of

WIDER = 4
"""How much deeper in the sample the next bar of a group lies of which too few rows reached the last one."""
MOST_AT_ONCE = 0.5
"""The share of a sample up to which all rows above the lowest bar are read, so that no second reading is needed."""
DENSE = 1 << 16


@dataclass(frozen=True, slots=True)
class Contest:
    """Rows in any order: `row` (unique), `group`, `value` and `tie`. The higher value wins, then the smaller tie, then the smaller row; null never
    does. No group is a group. A row of `several` groups stands there once for each.

    With `each`, only the `each` best rows of every `prompt` by `best` (not null), ties alike, may win; `same` says that `value` is that.
    Columns that are not asked for need not be there. `sample` is `group` and `value` of about `polars_cuts.share_of(count)` of the rows: how
    well it speaks for all of them decides the speed, not the answer.
    """

    rows: pl.LazyFrame
    count: int
    sample: pl.DataFrame
    each: int | None = None
    several: bool = False
    same: bool = False


def topk(contest: Contest) -> pl.Series:
    """The `row`s that win in some group: among the `count` best there."""
    places, depth = _placed(contest.sample), depth_of(contest.count)
    bars = _bars(places, depth)
    won = _winners(_considered(contest, bars, places), contest)
    found = []
    while (short := _short(won, bars, contest.count)).height:
        found.append(won.join(short, on="group", how="anti", nulls_equal=True))
        depth *= WIDER
        bars = _bars(places.join(short, on="group", how="semi", nulls_equal=True), depth)
        reach = _with_bars(contest.rows.join(short.lazy(), on="group", how="semi", nulls_equal=True), bars).filter(_reaches).drop("bar")
        considered = reach.collect(engine="streaming") if contest.each is None else _whole(contest.rows, reach)
        won = _winners(considered, contest).join(short, on="group", how="semi", nulls_equal=True)
    rows = pl.concat([*found, won])["row"]
    return rows.unique() if contest.several else rows


def _bars(places: pl.DataFrame, depth: int) -> pl.DataFrame:
    return places.filter(pl.col("number") == depth).select("group", bar="value")


def _short(won: pl.DataFrame, bars: pl.DataFrame, count: int) -> pl.DataFrame:
    """The groups whose bar fewer rows reached than are to win, so that others may."""
    full = won.group_by("group").agg(pl.len(), pl.col("value").min().alias("least"))
    reached = bars.join(full, on="group", nulls_equal=True).filter((pl.col("len") == count) & (pl.col("least") >= pl.col("bar")))
    return bars.join(reached, on="group", how="anti", nulls_equal=True).select("group")


def _placed(sample: pl.DataFrame) -> pl.DataFrame:
    """The groups and values of the sample, each with its place in its group, the highest value first."""
    held = sample.drop_nulls("value").sort("group", "value", descending=[False, True])
    return held.with_columns(number=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("group"))


def _considered(contest: Contest, bars: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """All rows that decide who wins: those that reach their group's bar (all, of a group without), and with prompts every row of theirs.

    Of a prompt whose rows have one value for both orders only those above the lowest bar matter, which one reading finds.
    """
    rows, own = contest.rows, _with_bars(contest.rows, bars)
    if contest.each is None:
        return own.filter(_reaches).drop("bar").collect(engine="streaming")
    lowest = pl.lit(bars["bar"].min())
    if contest.same and bars.height and places.select((pl.col("value") >= lowest).mean()).item() <= MOST_AT_ONCE:
        found = _above(rows, lowest, bars)
        reach = _with_bars(found.lazy(), bars).filter(_reaches).collect()
        if reach.filter(pl.col("value") < lowest).is_empty():
            return _whole(found.lazy(), reach.lazy())
    return _whole(rows, own.filter(_reaches))


def _whole(rows: pl.LazyFrame, reach: pl.LazyFrame) -> pl.DataFrame:
    """All rows of the prompts of those that reach a bar."""
    prompts = reach.select("prompt").unique().collect(engine="streaming")
    return rows.join(prompts.lazy(), on="prompt", how="semi").collect(engine="streaming")


_reaches = pl.col("bar").is_null() | (pl.col("value") >= pl.col("bar")).fill_null(value=False)


def _with_bars(rows: pl.LazyFrame, bars: pl.DataFrame) -> pl.LazyFrame:
    """The rows with `bar`, null where their group has none."""
    span = _span(bars)
    if span is None:
        return rows.join(bars.lazy(), on="group", how="left", nulls_equal=True)
    low, high = span
    every = pl.DataFrame({"group": pl.Series(range(low, high + 1), dtype=bars["group"].dtype)})
    by_number = every.join(bars, on="group", how="left", maintain_order="left")["bar"]
    place = pl.when(pl.col("group").is_between(low, high)).then(pl.col("group").cast(pl.Int64) - low)
    return rows.with_columns(bar=pl.lit(by_number).gather(place))


def _above(rows: pl.LazyFrame, lowest: pl.Expr, bars: pl.DataFrame) -> pl.DataFrame:
    """The rows that reach the lowest bar, and all of groups without one."""
    span, high_enough = _span(bars), pl.col("value") >= lowest
    if span is not None and span[1] - span[0] + 1 == bars.height:
        # apart and in these words: the statistics of a file answer it in no time, while one filter for both takes a fifth longer
        group = pl.col("group")
        other = rows.filter((group < span[0]) | (group > span[1]) | group.is_null()).collect(engine="streaming")
        return pl.concat([rows.filter(high_enough).collect(engine="streaming"), other.filter(~high_enough)])
    return _with_bars(rows, bars).filter(high_enough | pl.col("bar").is_null()).drop("bar").collect(engine="streaming")


def _span(bars: pl.DataFrame) -> tuple[int, int] | None:
    """The lowest and the highest group, where groups are numbers that a table can be made of."""
    group = bars["group"]
    if not bars.height or group.null_count() or not group.dtype.is_integer():
        return None
    low, high = int(group.min()), int(group.max())  # pyright: ignore[reportArgumentType]
    return (low, high) if high - low < DENSE else None


def _winners(rows: pl.DataFrame, contest: Contest) -> pl.DataFrame:
    """Of the rows considered, those that win, in their order."""
    if contest.each is not None:
        ordered = rows.sort("value" if contest.same else "best", "tie", "row", descending=[True, False, False])
        distinct = ordered.unique("row", keep="first", maintain_order=True) if contest.several else ordered
        kept = _head(distinct, "prompt", contest.each)
        rows = rows.join(kept.select("row"), on="row", how="semi") if contest.several else kept
        if contest.same and not contest.several:
            return _head(rows, "group", contest.count)
    return _head(rows.drop_nulls("value").sort("value", "tie", "row", descending=[True, False, False]), "group", contest.count)


def _head(ordered: pl.DataFrame, by: str, count: int) -> pl.DataFrame:
    """The first rows of each value of `by`, in their order."""
    if count == 1:
        return ordered.unique(by, keep="first", maintain_order=True)
    return ordered.filter(pl.int_range(pl.len()).over(by) < count)

"""How scores and lengths are spread: counts in bins, by teacher, of all rows that have a value and of the selected. No row leaves this file."""

import polars as pl

from ...compiler.plan.stages import Plan, Score
from .values import Distribution, Histogram, Ridge, Truths

BINS = 32
MOST = 16
"""So many teachers are shown, those with most selected rows; the others go together."""
OTHERS = "all others"


def distributions(plan: Plan, ledger: pl.LazyFrame) -> tuple[tuple[Distribution, ...], tuple[Truths, ...]]:
    """The numbers, and what is true or false, in the order of the plan. `ledger` has `teacher`, `status` and a column a score."""
    schema = ledger.collect_schema()
    stages = [s for s in plan.stages if isinstance(s, Score) and s.name in schema]
    order = _order(ledger, [s.name for s in stages])
    shown = order if len(order) <= MOST else [*order[: MOST - 1], OTHERS]
    name = pl.col("teacher").fill_null("no teacher")
    named = ledger.with_columns(name if len(order) <= MOST else pl.when(name.is_in(order[: MOST - 1])).then(name).otherwise(pl.lit(OTHERS)).alias("teacher"))
    numbers, truths = [], []
    for stage in stages:
        known = named.select("teacher", "status", pl.col(stage.name).alias("value")).filter(pl.col("value").is_not_null())
        if schema[stage.name] == pl.Boolean():
            counts = {teacher: (true, rows) for teacher, true, rows in known.group_by("teacher").agg(pl.col("value").sum(), pl.len()).collect().iter_rows()}
            if counts:
                truths.append(Truths(stage.name, tuple((teacher, *counts[teacher]) for teacher in shown if teacher in counts)))
        elif schema[stage.name].is_numeric() and (found := _distribution(stage, known.with_columns(pl.col("value").cast(pl.Float64)), shown)):
            numbers.append(found)
    return tuple(numbers), tuple(truths)


def _order(ledger: pl.LazyFrame, scores: list[str]) -> list[str]:
    """The teachers of rows that have a score, those with most selected rows first: the same for every score."""
    if not scores:
        return []
    known = ledger.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in scores))
    counts = known.group_by(pl.col("teacher").fill_null("no teacher")).agg(chosen=(pl.col("status") == "selected").sum(), rows=pl.len())
    return counts.sort(["chosen", "rows", "teacher"], descending=[True, True, False]).collect()["teacher"].to_list()


def _distribution(stage: Score, known: pl.LazyFrame, order: list[str]) -> Distribution | None:
    value, chosen = pl.col("value"), pl.col("status") == "selected"
    low, high = known.select(value.quantile(0.005, "nearest").alias("low"), value.quantile(0.995, "nearest").alias("high")).collect().row(0)
    if low is None:
        return None
    low, high = _padded(low, high)
    place = (((value - low) / (high - low) * BINS).floor().clip(0, BINS - 1)).cast(pl.Int32).alias("bin")
    bins = known.group_by("teacher", place).agg(pl.len().alias("all"), chosen.sum().alias("chosen")).collect()
    quartiles = [value.quantile(q, "nearest").alias(f"q{q}") for q in (0.25, 0.5, 0.75)]
    own = [value.filter(chosen).quantile(q, "nearest").alias(f"c{q}") for q in (0.25, 0.5, 0.75)]
    told = known.group_by("teacher").agg(pl.len(), chosen.sum().alias("selected"), *quartiles, *own).collect()
    told = told.sort(told["teacher"].replace_strict(order, range(len(order)), return_dtype=pl.Int32))
    counts: dict[str, tuple[list[int], list[int]]] = {teacher: ([0] * BINS, [0] * BINS) for teacher in told["teacher"]}
    for teacher, at, every, selected in bins.iter_rows():
        counts[teacher][0][at], counts[teacher][1][at] = every, selected
    ridges = tuple(
        Ridge(teacher, rows, selected, tuple(counts[teacher][0]), tuple(counts[teacher][1]), (a, b, c), None if x is None else (x, y, z))
        for teacher, rows, selected, a, b, c, x, y, z in told.iter_rows()
    )
    return Distribution(stage.name, stage.unit, low, high, ridges)


def _padded(low: float, high: float) -> tuple[float, float]:
    """A little more at both ends, so that what lies there is seen to end."""
    more = (high - low) / 20 or 0.5
    return low - more, high + more


def lengths(ledger: pl.LazyFrame) -> Histogram | None:
    """Tokens of the responses; None where the build counts none."""
    known = ledger.select("tokens", chosen=pl.col("status") == "selected").filter(pl.col("tokens").is_not_null())
    tokens, chosen = pl.col("tokens"), pl.col("chosen")
    median, longest, most, own, own_longest = known.select(
        tokens.quantile(0.5, "nearest").alias("median"), tokens.max().alias("longest"), tokens.quantile(0.995, "nearest").alias("most"),
        tokens.filter(chosen).quantile(0.5, "nearest").alias("own"), tokens.filter(chosen).max().alias("own longest"),
    ).collect().row(0)  # fmt: skip
    if median is None:
        return None
    width = _width(max(float(most), float(own_longest or 0), 1.0))
    count = int(max(float(most), float(own_longest or 0)) // width) + 1
    counted = known.group_by((tokens // width).clip(0, count - 1).cast(pl.Int32).alias("bin")).agg(pl.len(), chosen.sum()).collect()
    bins, selected = [0] * count, [0] * count
    for at, every, mine in counted.iter_rows():
        bins[at], selected[at] = every, mine
    edges = tuple(float(width * i) for i in range(count + 1))
    return Histogram(edges, tuple(bins), tuple(selected), float(median), int(longest), own if own is None else float(own), own_longest if own_longest is None else int(own_longest))


def _width(longest: float) -> int:
    """A round width (1, 2 or 5 times a power of ten) that makes 40 bins at most."""
    power = 1
    while True:
        for each in (1, 2, 5):
            if longest / (each * power) <= 40:
                return each * power
        power *= 10

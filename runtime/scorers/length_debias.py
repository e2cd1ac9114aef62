"""`debias: length`: takes out of a local score what only the number of its steps explains. Pure; fitted on the rows it is given, never stored.

After ASLEC-casl (2604.06834). The first token of a step is improbable, and long steps dilute it: a response of few long
steps looks more natural than it is. With M the score, f the mean log-probability of the first tokens of its steps, r that
of all others, and F = steps / tokens, ordinary least squares over the pool gives M ~ a + b f + c r + g F, and the score
becomes M - g (F - mean F). F is centred, which the paper does not do: the order is the same, and the pool keeps its mean,
so that a threshold in nats means what it does without the correction.
"""

import numpy as np
import polars as pl

FEWEST = 5
"""Four coefficients need more rows than four."""
SAME = 1e-9
"""Columns whose singular values differ by this factor are taken for dependent."""


def length_debias(stored: pl.DataFrame) -> pl.DataFrame:
    """`key`, `value`, `why` from the table of steps: null with a reason for every row where nothing can be fitted."""
    tokens, logprob = pl.col("step_tokens").list.sum(), pl.col("step_logprob").list.sum()
    steps, first = pl.col("step_tokens").list.len(), pl.col("step_first").list.sum()
    rest = tokens - steps
    pool = stored.sort("key").select(
        "key",
        "why",
        score=(pl.col("step_logprob") / pl.col("step_tokens").cast(pl.List(pl.Float64))).list.mean(),
        first=first / steps,
        rest=pl.when(rest > 0).then((logprob - first) / rest),
        share=steps / tokens,
        single=rest == 0,
    )
    usable = pl.all_horizontal(pl.col("score", "first", "rest", "share").is_finite())
    fit = pool.filter(usable)
    slope = _slope(fit)
    if isinstance(slope, str):
        why = pl.when("single").then(pl.lit("every step is a single token")).otherwise(pl.lit(slope))
        return pool.select("key", pl.lit(None, pl.Float64).alias("value"), pl.coalesce("why", why).alias("why"))
    centre = fit["share"].mean()
    value = pl.when(usable).then(pl.col("score") - slope * (pl.col("share") - centre))
    why = pl.coalesce("why", pl.when("single").then(pl.lit("every step is a single token")).otherwise(pl.lit("not a finite number")))
    return pool.select("key", value=value, why=pl.when(value.is_null()).then(why))


def _slope(fit: pl.DataFrame) -> float | str:
    """The coefficient g, or why there is none."""
    if fit.height < FEWEST:
        return f"`debias: length` is fitted over the rows, and {fit.height} are too few: it needs {FEWEST}"
    columns = fit.select("first", "rest", "share").to_numpy().astype(np.float64)
    columns -= columns.mean(axis=0)
    scale = np.sqrt((columns**2).sum(axis=0))
    if not scale.all():
        return "`debias: length` cannot be fitted: the rows are too alike"
    score = fit["score"].to_numpy().astype(np.float64)
    found, _, rank, _ = np.linalg.lstsq(columns / scale, score - score.mean(), rcond=SAME)
    if rank < columns.shape[1]:
        return "`debias: length` cannot be fitted: the rows are too alike"
    return float(found[2] / scale[2])

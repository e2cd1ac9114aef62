"""The streaming passes over the whole table: a sample of prompts, the rows that prices leave in play, and the sum that proves a bound.

All arithmetic of the last two is in integers: no order of rows, threads or files changes what they return.
"""

import numpy as np
import polars as pl

from ..table import Table
from .classes import Classes, value
from .constraints import Constraints
from .doubt import Margin
from .pool import SCALE, Pool, pool, scaled, whole

FINE = 16


def sample(table: Table, known: Classes, part: float) -> pl.DataFrame:
    """The rows of a share `part` of the prompts in no order, the same ones for the same prompts, as `pool` takes them; and the hash by which
    they were taken, `mixc:hash`.
    """
    drawn = pl.col("prompt").hash(0)
    frame = known.coded(table.frame.filter(drawn < int(part * 2**64)) if part < 1 else table.frame)
    return frame.select(*_columns(table, known), drawn.alias("mixc:hash")).collect(engine="streaming")


def survivors(table: Table, known: Classes, made: Constraints, price: np.ndarray, room: Margin) -> Pool:
    """The rows whose advantage at these prices (integers, of units of 2^-FINE of a value's) is above zero, or below it by less than `room`."""
    advantage = _advantage(table, known, made, price, room)
    kept = known.coded(table.frame).filter(advantage > 0)
    return pool(kept.select(*_columns(table, known)).collect(engine="streaming"))


def proof(table: Table, known: Classes, made: Constraints, price: np.ndarray) -> int:
    """The Lagrangian bound at integer prices, exactly, in units of 2^-(SCALE + FINE): no selection's whole values sum to more."""
    advantage = _advantage(table, known, made, price)
    wanted = [advantage.alias("gain")] if made.at_most is None else [pl.col("prompt"), advantage.alias("gain")]
    found = known.coded(table.frame).select(*wanted).filter(pl.col("gain") > 0).collect(engine="streaming")
    allowance = made.allowance(price)
    if made.at_most is None:
        return allowance + summed(found["gain"].to_numpy())
    if made.at_most == 1:
        return allowance + summed(found.group_by("prompt").agg(pl.col("gain").max())["gain"].to_numpy())
    best = found.group_by("prompt").agg(pl.col("gain").top_k(made.at_most)).select(pl.col("gain").explode())
    return allowance + summed(best["gain"].to_numpy())


def summed(numbers: np.ndarray) -> int:
    """The exact sum of int64 numbers, whatever its size."""
    high, low = numbers >> 32, numbers & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def _columns(table: Table, known: Classes) -> list[pl.Expr]:
    worth = value(table)
    return [
        *(pl.col(name) for name in ("row", "prompt", "tokens", "tie")),
        known.code.alias("mixc:class"),
        worth.alias("mixc:value"),
        whole(worth, scaled(known.largest)).alias("mixc:whole"),
    ]


def priced_classes(known: Classes, made: Constraints, price: np.ndarray, room: Margin | None = None) -> tuple[np.ndarray, np.ndarray]:
    """What prices take from a row of each class, and from each of its tokens (less `room`), in units of 2^-(SCALE + FINE). OverflowError where
    a row's value less its prices could leave 64 bits.
    """
    prices = [int(p) for p in price]
    most = sum(abs(p) * (int(abs(o).max(initial=0)) + int(abs(t).max(initial=0)) * known.most_tokens) for p, o, t in zip(prices, made.ones, made.tokens, strict=True))
    if most >= 2**62:
        raise OverflowError("prices too high for 64 bits")
    ones, tokens = price @ made.ones, price @ made.tokens
    if room is not None:
        ones, tokens = (n - np.rint(more * 2.0 ** (SCALE + FINE)).astype(np.int64) for n, more in ((ones, room.base), (tokens, room.slope)))
    return ones, tokens


def _advantage(table: Table, known: Classes, made: Constraints, price: np.ndarray, room: Margin | None = None) -> pl.Expr:
    """Int64: a row's value less its prices (and more by `room`), in units of 2^-(SCALE + FINE)."""
    ones, tokens = priced_classes(known, made, price, room)
    worth = whole(value(table), scaled(known.largest)) * 2**FINE
    return worth - _of_class(ones, known) - _of_class(tokens, known) * pl.col("tokens")


def _of_class(numbers: np.ndarray, known: Classes) -> pl.Expr:
    """The number of each row's class."""
    if len(numbers) == 1:
        return pl.lit(numbers[0])
    return pl.lit(pl.Series(numbers)).gather(known.code)

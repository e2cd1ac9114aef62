"""Candidates held in memory, sorted by prompt and row: a sample, or those that survive the prices. Data only."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..objective import tie_cost

SCALE = 32
WORTH = 44


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """One entry of each array a row.

    `prompt`: index of its prompt, rising. `cls`: its class. `tokens`: w_r. `value`: what it adds to the objective. `worth` (int64): the same
    in units of 2^-44, less a tie-break of at most 2^-24 made of its seeded hash: hardly two rows are worth the same. `row`: its key.
    """

    prompt: np.ndarray
    cls: np.ndarray
    tokens: np.ndarray
    value: np.ndarray
    worth: np.ndarray
    row: pl.Series

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.value)

    def where(self, inside: np.ndarray) -> "Pool":
        """The rows of a mask, or of rising indices."""
        rows = np.flatnonzero(inside) if inside.dtype == bool else inside
        prompt = self.prompt[rows]
        prompt = np.cumsum(np.r_[0, prompt[1:] != prompt[:-1]]) if len(prompt) else prompt
        arrays = (a[rows] for a in (self.cls, self.tokens, self.value, self.worth))
        return Pool(prompt, *arrays, row=self.row.gather(rows))


def scaled(largest: float) -> int:
    """The power of two that brings values up to `largest` to at most 2^32."""
    return SCALE - int(np.ceil(np.log2(largest))) if largest > 0 else 0


def whole(value: pl.Expr, power: int) -> pl.Expr:
    """A value in units of 2^-power as Int64: the product is exact, only the rounding is not."""
    return (value * 2.0**power).round().cast(pl.Int64)


def pool(frame: pl.DataFrame) -> Pool:
    """The pool of a frame with `row`, `prompt`, `tokens`, `tie`, `mixc:class`, `mixc:value` and `mixc:whole` (the value in units of 2^-32)."""
    return unsorted(frame.sort("prompt", "row"))


def unsorted(held: pl.DataFrame) -> Pool:
    """The rows in the order of the frame: enough to price each of them."""
    prompt = held["prompt"].rle_id().to_numpy().astype(np.int64)
    worth = (held["mixc:whole"].to_numpy() << (WORTH - SCALE)) - tie_cost(held["tie"].to_numpy())
    return Pool(
        prompt=prompt,
        cls=held["mixc:class"].to_numpy().astype(np.int64),
        tokens=held["tokens"].to_numpy(),
        value=held["mixc:value"].to_numpy(),
        worth=worth,
        row=held["row"],
    )

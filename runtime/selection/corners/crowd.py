"""Candidates as their class, their tokens and their prompt, and the selection that is best at some prices: a corner of all that
`keep at most k per prompt` allows. It knows no clauses but that one.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

WHOLE = 2**53
PARTS = 96
"""Classes fall into at most so many parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Corner:
    """A selection by what it has of each class: `counts` rows with `amounts` tokens, int64."""

    counts: np.ndarray
    amounts: np.ndarray


@dataclass(frozen=True, eq=False)
class Crowd:
    """Rows of `width` classes, sorted by prompt. `cls`, `tokens` and `many` (how many rows like it there are) of each; `prompt`: rising; `most` rows
    of a prompt can be selected. Rows from `free` on are of prompts that have no more than that: each stands alone.
    """

    prompt: np.ndarray
    cls: np.ndarray
    tokens: np.ndarray
    many: np.ndarray
    free: int
    most: int
    width: int

    @cached_property
    def rows(self) -> np.ndarray:
        """How many rows of each class there are."""
        return self._sums(np.arange(len(self.cls)), self.many)

    @cached_property
    def amounts(self) -> np.ndarray:
        """How many tokens the rows of each class have."""
        return self._sums(np.arange(len(self.cls)), self.many * self.tokens)

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return int(self.tokens.max(initial=0))

    @cached_property
    def part(self) -> np.ndarray:
        """The part of each class. A prompt's rows that compete are of one part, so that what is best of each part can be mixed without regard to the others."""
        cls = self.cls[: self.free].astype(np.int64)
        same = self.prompt[1:] == self.prompt[:-1]
        pairs = np.unique(cls[:-1][same] * self.width + cls[1:][same])
        part = np.arange(self.width)
        while len(pairs):
            a, b = part[pairs // self.width], part[pairs % self.width]
            if np.array_equal(a, b):
                break
            least = part.copy()
            np.minimum.at(least, np.maximum(a, b), np.minimum(a, b))
            part = least[part]
        there = np.flatnonzero(self.rows)
        found, of = np.unique(part[there], return_inverse=True)
        sizes = np.bincount(of, self.rows[there], len(found))
        place = np.empty(len(found), np.int64)
        place[np.argsort(-sizes, kind="stable")] = np.arange(len(found))
        parts = np.zeros(self.width, np.int64)
        parts[there] = place[of] % PARTS
        return parts

    def best(self, ones: np.ndarray, tokens: np.ndarray) -> Corner:
        """The selection that is worth most where a row of class c with w tokens is worth `ones[c] + tokens[c] w`; of equals those first in order."""
        worth = ones[self.cls] + tokens[self.cls] * self.tokens
        at = np.flatnonzero(worth > 0)
        tied = int(np.searchsorted(at, self.free))
        taken = np.append(at[:tied][_top(worth[at[:tied]], self.prompt[at[:tied]], self.most)], at[tied:])
        many = self.many[taken]
        return Corner(self._sums(taken, many), self._sums(taken, many * self.tokens[taken]))

    def _sums(self, taken: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        # Below 2^53 sums of whole floats are exact.
        return np.bincount(self.cls[taken], numbers, self.width).astype(np.int64)


def crowd(held: pl.DataFrame, width: int, most: int | None) -> Crowd:
    """The crowd of a frame with `prompt`, `cls`, `tokens`, `many`, in any order; its answers do not depend on that. OverflowError for 2^53 tokens or more."""
    if held.height and int((held["tokens"].cast(pl.Float64) * held["many"]).sum()) >= WHOLE:
        raise OverflowError("too many tokens to be summed exactly")
    size = held.height if most is None else pl.len().over("prompt")
    alone = held.select(alone=pl.lit(True) if most is None else size <= most)["alone"] if held.height else pl.Series([], dtype=pl.Boolean)  # type: ignore[operator]
    if most is None and held.height:
        alone = pl.repeat(True, held.height, dtype=pl.Boolean, eager=True)
    tied = held.filter(~alone).sort("prompt", "cls", "tokens")
    single = held.filter(alone).group_by("cls", "tokens").agg(pl.col("many").sum()).sort("cls", "tokens")
    join = np.concatenate
    return Crowd(
        prompt=tied["prompt"].to_numpy(),
        cls=join([tied["cls"].to_numpy(), single["cls"].to_numpy()]).astype(np.int32),
        tokens=join([tied["tokens"].to_numpy(), single["tokens"].to_numpy()]).astype(np.int64),
        many=join([tied["many"].to_numpy(), single["many"].to_numpy()]).astype(np.int64),
        free=tied.height,
        most=most or 1,
        width=width,
    )


def _top(worth: np.ndarray, prompt: np.ndarray, most: int) -> np.ndarray:
    """The `most` greatest of each run of equal prompts, as a mask."""
    first = np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(prompt)]
    size = np.diff(np.r_[first, len(prompt)])
    best = np.zeros(len(worth), bool)
    if not len(worth):
        return best
    if most == 1:
        run = np.repeat(np.arange(len(first)), size)
        at = np.flatnonzero(worth == np.maximum.reduceat(worth, first)[run])
        best[at[np.r_[True, run[at][1:] != run[at][:-1]]]] = True
        return best
    order = np.lexsort((-worth, prompt))
    best[order] = np.arange(len(worth)) - np.repeat(first, size) < most
    return best

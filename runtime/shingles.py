"""The sets of shingles of some texts, and how alike one is to many of the others. Knows numbers of texts; nothing of clusters.

A text's shingles are its runs of 5 words, signs counting as words (Lee et al. 2022, 2107.06499, take runs of 5 words too);
a text of fewer words is one shingle.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from .words import Words, phrases, read_words, slices

SHINGLE = 5
MANY = 64
"""In a group of fewer texts nothing is gained by knowing who has a shingle."""
Read = Callable[[np.ndarray], Iterator[tuple[np.ndarray, pl.Series]]]
"""The texts of these numbers (int64, rising), some at a time and in any order: their numbers, and they."""


@dataclass(frozen=True, slots=True)
class Shingles:
    """The sets of shingles of some texts: the numbers `ids[first[i]:first[i + 1]]` (int64, rising) are those of text i, of `known` in all."""

    ids: np.ndarray
    first: np.ndarray
    known: int


def shingle_hashes(words: Words) -> tuple[np.ndarray, np.ndarray]:
    """uint64: the hashes of the shingles of each text, one text after the other and with those that come again; int64[texts + 1]: where each begins."""
    counts = words.counts()
    sizes = np.where(counts >= SHINGLE, counts - SHINGLE + 1, counts > 0)
    first = np.concatenate(([0], np.cumsum(sizes)))
    found = np.empty(int(first[-1]), dtype=np.uint64)
    for size in range(1, SHINGLE + 1):
        chosen = np.flatnonzero(counts == size) if size < SHINGLE else np.flatnonzero(counts >= size)
        if not len(chosen):
            continue
        runs = phrases(words.hashes, size)
        inside = _ranges(sizes[chosen])
        found[np.repeat(first[chosen], sizes[chosen]) + inside] = runs[np.repeat(words.first[chosen], sizes[chosen]) + inside]
    return found, first


def hashed(which: np.ndarray, read: Read) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For some of these texts at a time their numbers, and what `shingle_hashes` gives of them."""
    for numbers, texts in read(which):
        for start, part in slices(texts):
            yield numbers[start : start + len(part)], *shingle_hashes(read_words(part, signs=True))


def shingles(which: np.ndarray, read: Read) -> Shingles:
    """The sets of the texts of these numbers (int64, in any order); text i is the one of number `which[i]`."""
    order = np.argsort(which)
    sizes = np.zeros(len(which), dtype=np.int64)
    parts: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64))]
    for numbers, found, first in hashed(which[order], read):
        place = order[np.searchsorted(which, numbers, sorter=order)]
        owner = np.repeat(place, np.diff(first))
        by = np.lexsort((found, owner))
        found, owner = found[by], owner[by]
        new = np.ones(len(found), dtype=bool)
        new[1:] = (found[1:] != found[:-1]) | (owner[1:] != owner[:-1])
        parts.append((owner[new], found[new]))
        sizes[place] = np.bincount(owner[new], minlength=len(which))[place]
    owners, hashes = (np.concatenate(each) for each in zip(*parts, strict=True))
    hashes = hashes[np.argsort(owners, kind="stable")]
    known, ids = np.unique(hashes, return_inverse=True)
    return Shingles(ids, np.concatenate(([0], np.cumsum(sizes))), len(known))


class Comparison:
    """Compares one text with many of one group: of the texts `start` to `stop`.

    With few others by marking its shingles and counting the marks of theirs; with many by going through the texts that have each of its shingles, or, where
    more than half of the group have it, through those that lack it. What a boilerplate's thousand copies have in common then costs nothing.
    """

    def __init__(self, shingles: Shingles) -> None:
        self._shingles = shingles
        self._marks = np.zeros(shingles.known, dtype=bool)
        self._sizes = np.diff(shingles.first)
        self._group: _Group | None = None

    def enter(self, start: int, stop: int) -> None:
        """From here on texts of this group are compared."""
        self._bounds, self._group = (start, stop), None

    def near(self, text: int, others: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """bool[others]: which are near-copies of the text; int64[others] twice: the shingles in common with it, and those that the two have together."""
        sizes, own = self._sizes[others], self._sizes[text]
        common = self._common(text, others, sizes)
        both = sizes + own - common
        return (common > 0) & (common / np.maximum(both, 1) >= threshold), common, both

    def _common(self, text: int, others: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        start, stop = self._bounds
        total = int(sizes.sum())
        if stop - start >= MANY and total > 4 * (stop - start):
            self._group = self._group or _group(self._shingles, start, stop)
            if total > self._group.cost(text - start) + stop - start:
                return self._group.common(text - start)[others - start]
        return self._marked(text, others, sizes)

    def _marked(self, text: int, others: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        made = self._shingles
        own = made.ids[made.first[text] : made.first[text + 1]]
        self._marks[own] = True
        hits = self._marks[made.ids[np.repeat(made.first[others], sizes) + _ranges(sizes)]]
        self._marks[own] = False
        ends = np.cumsum(sizes)
        sums = np.concatenate(([0], np.cumsum(hits)))
        return sums[ends] - sums[ends - sizes]


@dataclass(frozen=True, slots=True)
class _Group:
    """The shingles of a group's `size` texts: the numbers `ids[first[i]:first[i + 1]]` are those of its text i. The texts `whose[at[k]:at[k + 1]]` are those
    that have shingle k, or, where it is `frequent`, those that lack it."""

    size: int
    ids: np.ndarray
    first: np.ndarray
    whose: np.ndarray
    at: np.ndarray
    frequent: np.ndarray

    def cost(self, text: int) -> int:
        """How many texts have to be gone through to compare this one."""
        own = self.ids[self.first[text] : self.first[text + 1]]
        return int((self.at[own + 1] - self.at[own]).sum())

    def common(self, text: int) -> np.ndarray:
        """int64[size]: the shingles that each text has in common with this one."""
        own = self.ids[self.first[text] : self.first[text + 1]]
        frequent = self.frequent[own]
        lacking, having = (np.bincount(self._whose(part), minlength=self.size) for part in (own[frequent], own[~frequent]))
        return having - lacking + np.count_nonzero(frequent)

    def _whose(self, ids: np.ndarray) -> np.ndarray:
        spans = zip(self.at[ids].tolist(), self.at[ids + 1].tolist(), strict=True)
        return np.concatenate([self.whose[:0], *(self.whose[start:stop] for start, stop in spans if start < stop)])


def _group(made: Shingles, start: int, stop: int) -> _Group:
    size = stop - start
    first = made.first[start : stop + 1] - made.first[start]
    known, ids = np.unique(made.ids[made.first[start] : made.first[stop]], return_inverse=True)
    texts = np.repeat(np.arange(size), np.diff(first))[np.argsort(ids, kind="stable")]
    counts = np.bincount(ids, minlength=len(known))
    ends = np.cumsum(counts)
    frequent = 2 * counts > size
    rare = np.repeat(~frequent, counts)
    lists, sizes = [texts[rare]], np.where(frequent, size - counts, counts)
    rank = np.empty(len(known), dtype=np.int64)
    rank[~frequent] = np.arange(np.count_nonzero(~frequent))
    rank[frequent] = np.arange(np.count_nonzero(~frequent), len(known))
    for k in np.flatnonzero(frequent):
        lacks = np.ones(size, dtype=bool)
        lacks[texts[ends[k] - counts[k] : ends[k]]] = False
        lists.append(np.flatnonzero(lacks))
    ordered = np.empty(len(known), dtype=np.int64)
    ordered[rank] = sizes
    at = np.concatenate(([0], np.cumsum(ordered)))
    return _Group(size, rank[ids], first, np.concatenate(lists), at, np.arange(len(known)) >= np.count_nonzero(~frequent))


def _ranges(sizes: np.ndarray) -> np.ndarray:
    """0 to each size, one after the other."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)

"""Near-copies among texts: which text is alike which, and which one of each cluster stays. Knows texts in an order; nothing of rows or stages.

A text's shingles are its runs of 5 words, signs counting as words (Lee et al. 2022, 2107.06499, take runs of 5 words too);
a text of fewer words is one shingle. Two texts are near-copies if the Jaccard similarity of their sets of shingles is at
least the threshold. MinHash proposes pairs; every pair is verified, by the 64-bit hashes of all its shingles, before it
counts. Clusters are the connected components of such pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .signatures import Banding, Buckets, bands, buckets
from .words import Words, phrases, read_words, slices

SHINGLE = 5


@dataclass(frozen=True, slots=True)
class Copy:
    """Text number `text` is left out: it has `shared` of the `of` shingles that it or text `like` has, and text `kept`, the first of its cluster, stays.

    `like` is `kept`, or else a text between them.
    """

    text: int
    like: int
    kept: int
    shared: int
    of: int


@dataclass(frozen=True, slots=True)
class Shingles:
    """The sets of shingles of some texts: the numbers `ids[first[i]:first[i + 1]]` (int64, rising) are those of text i, of `known` in all."""

    ids: np.ndarray
    first: np.ndarray
    known: int


def near_copies(texts: pl.Series, threshold: float, made: Banding) -> list[Copy]:
    """The texts to leave out, in order: of each cluster all but its first."""
    keys = [bands(*shingle_hashes(read_words(part, signs=True)), made) for _, part in slices(texts)]
    if not keys:
        return []
    agreeing = buckets(np.concatenate(keys))
    crowd = agreeing.crowded()
    shingles = _sets(texts.gather(crowd))
    place = np.full(len(texts), -1, dtype=np.int64)
    place[crowd] = np.arange(len(crowd))
    compare = _Comparison(shingles)
    clusters = _clusters(crowd, place, agreeing, compare, threshold)
    found = [copy for cluster in clusters for copy in _tree(cluster, compare, threshold)]
    named = [Copy(int(crowd[c.text]), int(crowd[c.like]), int(crowd[c.kept]), c.shared, c.of) for c in found]
    return sorted(named, key=lambda each: each.text)


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


def _ranges(sizes: np.ndarray) -> np.ndarray:
    """0 to each size, one after the other."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _sets(texts: pl.Series) -> Shingles:
    hashes, sizes = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for _, part in slices(texts):
        found, first = shingle_hashes(read_words(part, signs=True))
        owner = np.repeat(np.arange(len(part)), np.diff(first))
        order = np.lexsort((found, owner))
        found, owner = found[order], owner[order]
        new = np.ones(len(found), dtype=bool)
        new[1:] = (found[1:] != found[:-1]) | (owner[1:] != owner[:-1])
        hashes.append(found[new])
        sizes.append(np.bincount(owner[new], minlength=len(part)))
    known, ids = np.unique(np.concatenate(hashes), return_inverse=True)
    return Shingles(ids, np.concatenate(([0], np.cumsum(np.concatenate(sizes)))), len(known))


class _Comparison:
    """Compares one text with many, by marking its shingles."""

    def __init__(self, shingles: Shingles) -> None:
        self._shingles = shingles
        self._marks = np.zeros(shingles.known, dtype=bool)
        self._sizes = np.diff(shingles.first)

    def near(self, text: int, others: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """bool[others]: which are near-copies of the text; int64[others] twice: the shingles in common with it, and those that the two have together."""
        made = self._shingles
        own = made.ids[made.first[text] : made.first[text + 1]]
        sizes = self._sizes[others]
        self._marks[own] = True
        hits = self._marks[made.ids[np.repeat(made.first[others], sizes) + _ranges(sizes)]]
        self._marks[own] = False
        ends = np.cumsum(sizes)
        total = np.concatenate(([0], np.cumsum(hits)))
        common = total[ends] - total[ends - sizes]
        both = sizes + len(own) - common
        return (common > 0) & (common / np.maximum(both, 1) >= threshold), common, both


def _clusters(crowd: np.ndarray, place: np.ndarray, agreeing: Buckets, compare: _Comparison, threshold: float) -> list[list[int]]:
    """The clusters of two or more texts, by their places in the crowd, each rising."""
    label = np.arange(len(crowd))
    members: list[list[int] | None] = [[i] for i in range(len(crowd))]
    settled: set[tuple[int, int]] = set()
    for text, whole in enumerate(crowd.tolist()):
        open_ = [bucket for bucket in agreeing.of(whole) if bucket not in settled]
        if not open_:
            continue
        several = [place[agreeing.members(bucket)] for bucket in open_]
        others = np.unique(np.concatenate(several))
        others = others[(others > text) & (label[others] != label[text])]
        for other in others[compare.near(text, others, threshold)[0]].tolist():
            _unite(int(label[text]), int(label[other]), label, members)
        settled.update(bucket for bucket, those in zip(open_, several, strict=True) if (label[those] == label[text]).all())
    return [sorted(each) for each in members if each is not None and len(each) > 1]


def _unite(a: int, b: int, label: np.ndarray, members: list[list[int] | None]) -> None:
    if a == b:
        return
    mine, other = members[a], members[b]
    assert mine is not None and other is not None
    if len(mine) < len(other):
        a, b, mine, other = b, a, other, mine
    label[other] = a
    mine.extend(other)
    members[b] = None


def _tree(cluster: Sequence[int], compare: _Comparison, threshold: float) -> list[Copy]:
    """How each text of a cluster hangs together with its first: by itself where they are near-copies, else through a text that is closer to it."""
    kept, left = cluster[0], np.array(cluster[1:])
    found: list[Copy] = []
    ring = [kept]
    while len(left) and ring:
        near: list[int] = []
        for like in ring:
            close, common, both = compare.near(like, left, threshold)
            chosen = zip(left[close].tolist(), common[close].tolist(), both[close].tolist(), strict=True)
            found.extend(Copy(text, like, kept, shared, of) for text, shared, of in chosen)
            near.extend(left[close].tolist())
            left = left[~close]
            if not len(left):
                break
        ring = sorted(near)
    return found

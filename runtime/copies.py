"""Near-copies among texts: which text is alike which, and which one of each cluster stays. Knows texts by number; nothing of rows or stages.

Two texts are near-copies if the Jaccard similarity of their sets of shingles is at least the threshold. MinHash proposes
pairs; every pair is verified, by the 64-bit hashes of all its shingles, before it counts. Clusters are the connected
components of such pairs; a pair of which both are in one cluster already cannot change them, and is not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .shingles import Comparison, Read, hashed, shingles
from .signatures import Banding, Buckets, bands, buckets, crowded, groups


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


def near_copies(number: int, read: Read, threshold: float, made: Banding) -> list[Copy]:
    """Of the texts 0 to `number` those to leave out, in order: of each cluster all but its first.

    All texts are read once, for their signatures, and those that share a bucket once more.
    """
    keys = np.empty((number, made.bands), dtype=np.uint64)
    for numbers, hashes, first in hashed(np.arange(number), read):
        keys[numbers] = bands(hashes, first, made)
    crowd = crowded(keys)
    keys = keys[crowd]
    group = groups(buckets(keys))
    order = np.argsort(group, kind="stable")  # the texts of a group stand together, in their order
    crowd, group, agreeing = crowd[order], group[order], buckets(keys[order])
    compare = Comparison(shingles(crowd, read))
    edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    found: list[Copy] = []
    for start, stop in pairwise(edges.tolist()):
        compare.enter(start, stop)
        for cluster in _clusters(start, stop, agreeing, compare, threshold):
            found.extend(_tree(cluster, compare, threshold))
    named = [Copy(int(crowd[c.text]), int(crowd[c.like]), int(crowd[c.kept]), c.shared, c.of) for c in found]
    return sorted(named, key=lambda each: each.text)


def _clusters(start: int, stop: int, agreeing: Buckets, compare: Comparison, threshold: float) -> list[list[int]]:
    """The clusters of two or more texts among those of one group, `start` to `stop`, each rising."""
    label = np.arange(stop - start)
    members: list[list[int] | None] = [[i] for i in range(start, stop)]
    left = stop - start
    settled: set[tuple[int, int]] = set()
    for text in range(start, stop):
        if left == 1:
            break
        others, looked = _proposed(text, start, stop, label, agreeing, settled)
        close = others[compare.near(text, others, threshold)[0]] if len(others) else others
        if not looked:
            close = close[agreeing.together(text, close)]
        for other in close.tolist():
            left -= _unite(int(label[text - start]), int(label[other - start]), label, members, start)
        mine = label[text - start]
        settled.update(bucket for bucket, those in looked.items() if (label[those - start] == mine).all())
    return [sorted(each) for each in members if each is not None and len(each) > 1]


def _proposed(
    text: int, start: int, stop: int, label: np.ndarray, agreeing: Buckets, settled: set[tuple[int, int]]
) -> tuple[np.ndarray, dict[tuple[int, int], np.ndarray]]:
    """int64: the later texts of other clusters that share a bucket with this one, and the buckets that were looked through.

    Where going through its buckets takes longer than through the group, all later texts of it, and no buckets: whether they share one is yet to be asked.
    """
    mine = label[text - start]
    if 4 * agreeing.width(text) > stop - start:
        return np.flatnonzero(label[text - start :] != mine) + text, {}
    looked = {bucket: agreeing.members(bucket) for bucket in agreeing.of(text) if bucket not in settled}
    if not looked:
        return np.zeros(0, dtype=np.int64), looked
    others = np.unique(np.concatenate(list(looked.values())))
    return others[(others > text) & (label[others - start] != mine)], looked


def _unite(a: int, b: int, label: np.ndarray, members: list[list[int] | None], start: int) -> bool:
    """Whether the two clusters were two."""
    if a == b:
        return False
    mine, other = members[a], members[b]
    assert mine is not None and other is not None
    if len(mine) < len(other):
        a, b, mine, other = b, a, other, mine
    label[np.array(other) - start] = a
    mine.extend(other)
    members[b] = None
    return True


def _tree(cluster: Sequence[int], compare: Comparison, threshold: float) -> list[Copy]:
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

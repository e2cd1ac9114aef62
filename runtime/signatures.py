"""Which texts may be alike: MinHash signatures in bands, and the texts that agree in a whole one. Knows sets of hashes; no texts, no rows.

MinHash: Broder, On the resemblance and containment of documents (1997). Two sets of Jaccard similarity J agree in a slot of
their signatures with probability J, so in one of b bands of r slots with probability 1 - (1 - J^r)^b.
"""

import math
from dataclasses import dataclass

import numpy as np
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]

RECALL = 0.99
_SLOTS, _MOST = 128, 1024
_SEED = 1997
_MIX = np.uint64(0xFF51AFD7ED558CCD)


@dataclass(frozen=True, slots=True)
class Banding:
    """`bands` bands of `width` slots, and the probability with which they see a pair whose similarity is just the threshold."""

    bands: int
    width: int
    recall: float


def banding(threshold: float) -> Banding:
    """The widest bands that see `RECALL` of the pairs at the threshold, of 128 slots; of up to 1,024, one slot wide, for a threshold below 0.04."""
    slots = _SLOTS
    while threshold < 1 and slots < _MOST and _sees(threshold, 1, slots) < RECALL:
        slots *= 2
    able = [width for width in range(1, slots + 1) if _sees(threshold, width, slots // width) >= RECALL]
    width = max(able, default=1)
    return Banding(slots // width, width, _sees(threshold, width, slots // width))


def bands(hashes: np.ndarray, first: np.ndarray, made: Banding) -> np.ndarray:
    """uint64[texts, bands]: for each text, whose hashes are `hashes[first[i]:first[i + 1]]`, a key of each band of its signature."""
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, first.astype(np.uint64), made.bands * made.width, _SEED)
    slots = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(first) - 1, made.bands, made.width)
    keys = np.zeros(slots.shape[:2], dtype=np.uint64)
    for i in range(made.width):
        keys = (keys ^ slots[:, :, i]) * _MIX
        keys ^= keys >> np.uint64(32)
    return keys


@dataclass(frozen=True, slots=True)
class Buckets:
    """The texts that agree in a band. In band i, those of text t stand in `order[i]` (int64, rising within a bucket) from `start[t, i]` to `stop[t, i]`
    (int32[texts, bands])."""

    order: list[np.ndarray]
    start: np.ndarray
    stop: np.ndarray

    def of(self, text: int) -> list[tuple[int, int]]:
        """The buckets where this text is not alone, each by its band and where it starts."""
        wide = np.flatnonzero(self.stop[text] - self.start[text] > 1)
        return list(zip(wide.tolist(), self.start[text, wide].tolist(), strict=True))

    def members(self, bucket: tuple[int, int]) -> np.ndarray:
        """int64: the texts of a bucket, rising."""
        band, start = bucket
        order = self.order[band]
        return order[start : self.stop[order[start], band]]

    def width(self, text: int) -> int:
        """The texts of all its buckets, those that are in several counted in each."""
        return int((self.stop[text] - self.start[text]).sum())

    def together(self, text: int, others: np.ndarray) -> np.ndarray:
        """bool[others]: which share a bucket with this text."""
        return (self.start[others] == self.start[text]).any(axis=1)


def crowded(keys: np.ndarray) -> np.ndarray:
    """int64: the texts (rows of `keys`) that have a key with another, rising."""
    found = np.zeros(len(keys), dtype=bool)
    for column in keys.T:
        order = np.argsort(column)
        same = np.flatnonzero(column[order[1:]] == column[order[:-1]])
        found[order[same]] = found[order[same + 1]] = True
    return np.flatnonzero(found)


def groups(made: Buckets) -> np.ndarray:
    """int64: of each text the first that it hangs together with, through any number of buckets."""
    first = np.arange(len(made.start))
    while len(first):
        before = first.copy()
        for band, order in enumerate(made.order):
            starts = np.unique(made.start[:, band])
            least = np.minimum.reduceat(first[order], starts)
            first[order] = np.repeat(least, np.diff(starts, append=len(order)))
        first = first[first]
        if (first == before).all():
            break
    return first


def buckets(keys: np.ndarray) -> Buckets:
    """The texts (rows of `keys`) put together by each of their keys."""
    start, stop = np.empty(keys.shape, dtype=np.int32), np.empty(keys.shape, dtype=np.int32)
    orders = []
    for band, column in enumerate(keys.T):
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        edges = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(order)]))
        start[order, band] = np.repeat(edges[:-1], np.diff(edges))
        stop[order, band] = np.repeat(edges[1:], np.diff(edges))
        orders.append(order)
    return Buckets(orders, start, stop)


def _sees(similarity: float, width: int, number: int) -> float:
    """1 - (1 - J^r)^b."""
    same = similarity**width
    return 1.0 if same >= 1 else -math.expm1(number * math.log1p(-same))

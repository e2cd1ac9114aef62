"""Correlations, shares of variance, intervals of shares and bootstrap draws over columns of numbers. Knows NumPy, not what the numbers mean.

Every answer is the same whatever the number of threads, and is null (None) where it is not defined: never NaN. Callers sort their rows.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np

DIGITS = 6
"""Of a correlation or a share, behind the point: what a machine's own rounding can reach is cut off."""
DRAWS, FEWEST = 2_000, 200
"""Bootstrap draws, and how few there are at least where the units are so many that the interval is narrow in any case."""
INDICES = 20_000_000
BLOCK = 1 << 17  # drawn at once: what fits a processor's cache is twice as fast
MOST_GROUPS = 500


def pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    """The correlation of two float64 columns of one length; None for fewer than two rows or a constant column."""
    a, b = _centred(x), _centred(y)
    if a is None or b is None:
        return None
    return _rounded(float(np.sum(a * b)) / math.sqrt(float(np.sum(a * a)) * float(np.sum(b * b))), -1.0)


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """The correlation of the ranks; equal values share the mean of their ranks."""
    return pearson(ranks(x), ranks(y))


def ranks(x: np.ndarray) -> np.ndarray:
    """1 for the smallest; equal values have the mean of the ranks that they take up."""
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def explained(x: np.ndarray, groups: np.ndarray) -> float | None:
    """The correlation ratio eta squared: sum_g n_g (mean_g - mean)^2 / sum (x - mean)^2. None for one group, or a constant column.

    `groups`: an integer from 0 on for each row.
    """
    a = _centred(x)
    if a is None or len(np.unique(groups)) < 2:
        return None
    counts = np.bincount(groups)
    sums = np.bincount(groups, weights=a)[counts > 0]
    return _rounded(float(np.sum(sums * sums / counts[counts > 0])) / float(np.sum(a * a)), 0.0)


def explained_within(x: np.ndarray, groups: np.ndarray, blocks: np.ndarray) -> float | None:
    """Of the variance of `x` that is left once each block's mean is taken off, the share that the groups explain.

    It is R squared of the regression of x on groups and blocks, over what the blocks leave (Frisch-Waugh-Lovell: the block means are taken
    off the groups' indicators as well). Where every block has every group equally often, it is eta squared of what is left. None where no
    block has rows of two groups, where nothing is left, or for more than MOST_GROUPS groups. `groups`, `blocks`: integers from 0 on.
    """
    if len(x) < 2:
        return None
    _, groups = np.unique(groups, return_inverse=True)
    _, blocks = np.unique(blocks, return_inverse=True)
    many = int(groups.max()) + 1
    left = _block_centred(x, blocks)
    most = float(np.abs(left).max())
    if many < 2 or many > MOST_GROUPS or most == 0.0:
        return None
    left /= most
    sizes = np.bincount(blocks)
    design = np.diag(np.bincount(groups, minlength=many).astype(np.float64))
    order = np.argsort(blocks, kind="stable")
    ends = np.cumsum(sizes)
    for first in range(0, len(sizes), 4_096):
        last = min(first + 4_096, len(sizes))
        rows = order[ends[first] - sizes[first] : ends[last - 1]]
        counts = np.bincount((blocks[rows] - first) * many + groups[rows], minlength=(last - first) * many).reshape(last - first, many)
        design -= np.einsum("pi,pj->ij", counts / sizes[first:last, None], counts, optimize=False)
    if float(np.abs(design).max()) < 1e-9:
        return None
    sums = np.bincount(groups, weights=left, minlength=many)
    effects = np.linalg.lstsq(design, sums, rcond=1e-12)[0]
    return _rounded(float(np.sum(effects * sums)) / float(np.sum(left * left)), 0.0)


def times(count: int) -> int:
    """How many bootstrap draws of `count` units are made: DRAWS up to 10,000 units, then fewer, and never fewer than FEWEST."""
    return max(FEWEST, min(DRAWS, INDICES // max(count, 1)))


def draws(seed: int, label: str, count: int) -> Iterator[np.ndarray]:
    """The bootstrap draws of `count` units: tables of whole numbers below `count`, one row a draw, `times(count)` rows in all.

    They depend on the seed, the label and the count alone, so what stands beside a row of a table never moves its interval.
    """
    chance = generator(seed, label)
    wanted, rows = times(count), max(1, BLOCK // count)
    for first in range(0, wanted, rows):
        yield chance.integers(0, count, size=(min(rows, wanted - first), count), dtype=np.int64)


def generator(seed: int, label: str) -> np.random.Generator:
    """Chance that depends on the seed and the label alone."""
    name = hashlib.sha256(f"{seed}:{label}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(name[:16], "big")))


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of bootstrap values: the ceil(0.025 n)-th and the ceil(0.975 n)-th smallest."""
    ordered = np.sort(values)
    low, high = (-(-len(ordered) * share // 1_000) - 1 for share in (25, 975))
    return float(ordered[low]), float(ordered[high])


def _centred(x: np.ndarray) -> np.ndarray | None:
    """The column less its mean, at most 1 in size; None where there is nothing to tell rows apart by."""
    if len(x) < 2 or float(x.min()) == float(x.max()):
        return None
    away = x - math.fsum(x.tolist()) / len(x)
    return away / float(np.abs(away).max())


def _block_centred(x: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """The column less the mean of its block; exactly 0 in a block of equal values."""
    order = np.argsort(blocks, kind="stable")
    sizes = np.bincount(blocks)
    starts = np.cumsum(sizes) - sizes
    held = x[order]
    first = held[starts]
    shifted = held - np.repeat(first, sizes)  # by a value of the block, so that equal values leave no remainder
    shifted = shifted - np.repeat(np.add.reduceat(shifted, starts) / sizes, sizes)
    left = np.empty_like(shifted)
    left[order] = shifted
    return left


def _rounded(value: float, low: float) -> float:
    """To DIGITS, within its range, and no minus at zero."""
    return round(min(1.0, max(low, value)), DIGITS) + 0.0

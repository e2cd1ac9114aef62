"""Rows that count nearly every column, such as those of budgets and shares, written with few entries: where several are multiples of one
another but for a group of columns, their common part becomes a column of its own.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .matrix import NONE, Matrix

EXACT = 2**52


@dataclass(frozen=True, slots=True, eq=False)
class Thin:
    """`matrix` has `more` columns behind the ones there were, sums of them of any size and sign, and as many rows that say of what. `times`: by how much
    each of the rows there were was multiplied, bounds included.
    """

    matrix: Matrix
    more: int
    times: np.ndarray

    def filled(self, x: np.ndarray) -> np.ndarray:
        """Values of the columns there were, followed by what they make of the sums behind them."""
        height = self.matrix.height - self.more
        inside = (self.matrix.row >= height) & (self.matrix.column < len(x))
        row, column = self.matrix.row[inside] - height, self.matrix.column[inside]
        return np.append(x.astype(float), np.bincount(row, self.matrix.value[inside] * x[column], self.more))


def thin(matrix: Matrix) -> Thin:
    """The matrix with fewer entries, for the same columns and rows."""
    times = np.ones(matrix.height, np.int64)
    dense = np.flatnonzero(2 * np.bincount(matrix.row, minlength=matrix.height) > matrix.width)
    if len(dense) < 2 or matrix.width < 64:
        return Thin(matrix, 0, times)
    full = {int(r): _dense(matrix, r) for r in dense}
    parts: dict[int, tuple[int, int, int, np.ndarray]] = {}  # row: (its base, numerator, denominator, what is left)
    bases: list[int] = []
    for r in sorted(full, key=lambda r: (bool(full[r].min() < 0), r)):
        found = next((part for b in bases if (part := _multiple(full[r], full[b], b))), None)
        if found is None:
            bases.append(r)
        else:
            parts[r] = found
    used = sorted({b for b, *_ in parts.values()})
    if not used:
        return Thin(matrix, 0, times)
    place = {b: matrix.width + i for i, b in enumerate(used)}
    kept = ~np.isin(matrix.row, [*parts, *used])
    row, column, value = [matrix.row[kept]], [matrix.column[kept]], [matrix.value[kept]]

    def entries(r: int, at: np.ndarray, numbers: np.ndarray, base: int, number: int) -> None:
        row.append(np.full(len(at) + 1, r))
        column.append(np.append(at, place[base]))
        value.append(np.append(numbers, number))

    for r, (base, above, below, rest) in parts.items():
        at = np.flatnonzero(rest)
        entries(r, at, rest[at], base, above)
        times[r] = below
    for i, b in enumerate(used):
        at = np.flatnonzero(full[b])
        entries(b, at[:0], full[b][:0], b, 1)
        entries(matrix.height + i, at, full[b][at], b, -1)
    none = np.zeros(len(used), np.int64)
    join = np.concatenate
    low, high = (join([np.where(np.abs(each) == NONE, each, each * times), none]) for each in (matrix.low, matrix.high))
    return Thin(Matrix(join(row), join(column), join(value), low, high, matrix.width + len(used)), len(used), times)


def _dense(matrix: Matrix, r: int) -> np.ndarray:
    whole = np.zeros(matrix.width, np.int64)
    at = matrix.row == r
    whole[matrix.column[at]] = matrix.value[at]
    return whole


def _multiple(numbers: np.ndarray, base: np.ndarray, name: int) -> tuple[int, int, int, np.ndarray] | None:
    """`numbers` as a multiple of `base` and what is left for less than half of the columns; None where they are none."""
    if not base.all():
        return None
    ratio, count = np.unique(numbers / base, return_counts=True)
    common = int(np.argmax(count))
    if 2 * count[common] <= len(base) or ratio[common] == 0:
        return None
    at = int(np.flatnonzero(numbers / base == ratio[common])[0])
    share = Fraction(int(numbers[at]), int(base[at]))
    above, below = share.numerator, share.denominator
    if max(below * int(np.abs(numbers).max()), abs(above) * int(np.abs(base).max())) >= EXACT:
        return None
    rest = below * numbers - above * base
    return (name, above, below, rest) if 2 * np.count_nonzero(rest) < len(base) else None

"""Linear rows as one sparse integer matrix, columns that can be fixed, and the exact check of an answer. It knows no
clauses.
"""

from dataclasses import dataclass

import numpy as np

from .rows import Row

NONE = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """`low <= A x <= high` with int64 entries in triplets; a bound of -NONE or NONE is absent. `width` columns, each from
    0 to `upper`, or to 1 where that is None.
    """

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    width: int
    upper: np.ndarray | None = None

    @property
    def most(self) -> np.ndarray:
        """The upper bound of each column."""
        return np.ones(self.width, np.int64) if self.upper is None else self.upper

    @property
    def height(self) -> int:
        return len(self.low)

    def activity(self, x: np.ndarray) -> np.ndarray:
        """A x for integer x, exactly."""
        total = np.zeros(self.height, np.int64)
        np.add.at(total, self.row, self.value * x[self.column].astype(np.int64))
        return total

    def holds(self, x: np.ndarray) -> bool:
        """Whether integer x satisfies every row, exactly."""
        total = self.activity(x)
        return bool(np.all((total >= self.low) & (total <= self.high)))

    def dot(self, price: np.ndarray) -> np.ndarray:
        """The price of each column: A' price, as floats."""
        return np.bincount(self.column, self.value * price[self.row], self.width)

    def restricted(self, free: np.ndarray, base: np.ndarray) -> "Matrix":
        """The matrix over the columns `free` (indices) when every other column stays at `base`."""
        place = np.full(self.width, -1)
        place[free] = np.arange(len(free))
        fixed = base.astype(np.int64)
        fixed[free] = 0
        shift = self.activity(fixed)
        low = np.where(self.low == -NONE, -NONE, self.low - shift)
        high = np.where(self.high == NONE, NONE, self.high - shift)
        inside = place[self.column] >= 0
        column = place[self.column[inside]]
        upper = None if self.upper is None else self.upper[free]
        return Matrix(self.row[inside], column, self.value[inside], low, high, len(free), upper)

    def with_row(self, row: Row) -> "Matrix":
        """The matrix with one more row at its end."""
        more = stacked([row], self.width)
        join = np.concatenate
        return Matrix(
            join([self.row, more.row + self.height]),
            join([self.column, more.column]),
            join([self.value, more.value]),
            join([self.low, more.low]),
            join([self.high, more.high]),
            self.width,
            self.upper,
        )


def stacked(rows: list[Row], width: int) -> Matrix:
    """The matrix of `rows` over `width` columns."""
    lengths = [len(r.index) for r in rows]
    whole = np.zeros(0, np.int64)
    return Matrix(
        np.repeat(np.arange(len(rows)), lengths),
        np.concatenate([whole, *(r.index for r in rows)]),
        np.concatenate([whole, *(r.value for r in rows)]),
        np.array([-NONE if r.low is None else r.low for r in rows], np.int64),
        np.array([NONE if r.high is None else r.high for r in rows], np.int64),
        width,
    )

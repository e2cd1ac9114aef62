"""Exact sums of floats that come in pieces: the same whatever the pieces and their order, rounded once. Knows NumPy only."""

from fractions import Fraction

import numpy as np

_HALF = 1 << 26


class Sum:
    """The sum of finite float64 values, kept as an integer for each exponent."""

    def __init__(self) -> None:
        self.count = 0
        self._at: dict[int, int] = {}

    def add(self, values: np.ndarray) -> None:
        """Add float64 values, of any shape; fewer than 2^36 at once."""
        mantissa, exponent = np.frexp(values.ravel())
        whole = np.ldexp(mantissa, 53).astype(np.int64)
        high, low = whole // _HALF, whole % _HALF
        for e in np.unique(exponent):
            here = exponent == e
            part = int(high[here].sum()) * _HALF + int(low[here].sum())
            self._at[int(e)] = self._at.get(int(e), 0) + part
        self.count += values.size

    @property
    def value(self) -> float:
        """The sum, correctly rounded, as `math.fsum` gives it."""
        return float(sum((Fraction(part) * Fraction(2) ** (e - 53) for e, part in self._at.items()), Fraction(0)))

    @property
    def mean(self) -> float | None:
        """`value` by the number of values; None of none."""
        return self.value / self.count if self.count else None

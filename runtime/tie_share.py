"""How much of an objective the seeded hash is, where many candidates are worth the same and prices alone must tell them apart. It knows the values only."""

import polars as pl

TIED = 100
"""Where there are so many times more candidates than values of the objective, the seeded hash is made part of it."""
FINEST = 2.0**-17
"""The share of the greatest objective that the hash is then worth: no more, so that the gap stays below 1e-5 of it."""


def tie_share(value: pl.Series) -> float:
    """The most that the hash adds to an objective of `value`, one of each candidate; 0 where it adds nothing."""
    if value.n_unique() * TIED > value.len():
        return 0.0
    return FINEST * float(value.abs().max() or 1.0)  # type: ignore[arg-type]

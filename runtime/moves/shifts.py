"""The scores of the rows that two ledgers share: how many values differ, and by how much."""

import polars as pl

from .found import Shift
from .ledgers import Ledger

TOKENS = "tokens"
"""The ledger's count of tokens is told like a score, for bounds go by it."""


def shifts(before: Ledger, after: Ledger, shared: tuple[pl.Series, pl.Series] | None) -> tuple[Shift, ...]:
    """Every score that both builds have, and the tokens. `shared`: the places of the same rows in both ledgers; None where all rows are the same."""
    names = [name for name in before.scores if name in after.scores]
    names += [TOKENS] if TOKENS not in names and TOKENS in before.schema and TOKENS in after.schema else []
    first, second = shared or (None, None)
    return tuple(_shift(name, before.read([name], first)[name], after.read([name], second)[name]) for name in names)


def _shift(name: str, before: pl.Series, after: pl.Series) -> Shift:
    numbers = all(each.dtype.is_numeric() or each.dtype == pl.Boolean for each in (before, after))
    if not numbers:
        before, after = before.cast(pl.String), after.cast(pl.String)
    pairs = pl.DataFrame({"before": before, "after": after})
    lost, gained = (pl.col(one).is_not_null() & pl.col(other).is_null() for one, other in (("before", "after"), ("after", "before")))
    differ = (pl.col("before") != pl.col("after")).fill_null(value=False)
    apart = pairs.filter(differ)
    by = apart.select((pl.col("after").cast(pl.Float64) - pl.col("before").cast(pl.Float64)).abs()).to_series() if numbers and apart.height else None
    counts = pairs.select(lost=lost.sum(), gained=gained.sum()).row(0, named=True)
    return Shift(
        score=name, changed=apart.height, median=None if by is None else float(by.median()), most=None if by is None else float(by.max()),  # type: ignore[arg-type]
        gained=counts["gained"], lost=counts["lost"],
    )  # fmt: skip

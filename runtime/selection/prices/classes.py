"""Rows that every clause counts alike are one class: one streaming pass finds the classes and sums each up. It knows no prices.

A row of class c with w tokens counts in a clause as an integer that depends on c and w alone; that is all a solver needs of a group.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..table import Table

DENSE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """`rows`, `tokens` (int64) of each class, `members`: bool[quotas, classes]; `rows` is 0 for classes that no row is of.

    `shortest`, `longest`: least and greatest tokens of a row of each class. `largest`: magnitude of the value (`objective`, times tokens
    where `filled`) of any row.
    `code`: the class of a row as an expression (UInt32) over `coded(frame)`.
    """

    rows: np.ndarray
    tokens: np.ndarray
    members: np.ndarray
    shortest: np.ndarray
    longest: np.ndarray
    largest: float
    code: pl.Expr
    keys: pl.DataFrame | None

    @property
    def total(self) -> int:
        """How many rows the table has."""
        return int(self.rows.sum())

    @property
    def most_tokens(self) -> int:
        """Tokens of the longest row."""
        return int(self.longest.max(initial=0))

    def coded(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The frame with what `code` reads."""
        if self.keys is None:
            return frame
        names = self.keys.columns[:-1]
        keyed = frame.with_columns(**{name: _key(frame, name.removeprefix("key:")) for name in names})
        return keyed.join(self.keys.lazy(), on=names, how="left", nulls_equal=True, maintain_order="none").drop(names)


def value(table: Table) -> pl.Expr:
    """What a row adds to the objective: c_r, or w_r c_r where tokens alone are the budget."""
    return pl.col("objective") * pl.col("tokens") if table.fills_tokens else pl.col("objective")


def classes(table: Table) -> Classes:
    """The classes of the table's rows. ValueError for objectives that are not finite and tokens below zero."""
    names = sorted({root for expression in table.members for root in expression.meta.root_names()})
    schema = table.frame.collect_schema()
    keys = {f"key:{name}": _key(table.frame, name) for name in names}
    sums = [
        pl.len().alias("rows"),
        pl.col("tokens").sum().alias("all"),
        pl.col("tokens").min().alias("shortest"),
        pl.col("tokens").max().alias("longest"),
        value(table).abs().max().alias("largest"),
        pl.col("objective").is_finite().all().fill_null(value=False).alias("finite"),
    ]
    firsts = [pl.col(name).first().alias(f"first:{name}") for name in names]
    if keys:
        found = table.frame.group_by(*(key.alias(name) for name, key in keys.items())).agg(*sums, *firsts).sort(list(keys)).collect(engine="streaming")
    else:
        found = table.frame.select(*sums).collect(engine="streaming").filter(pl.col("rows") > 0)
    if found.height and (not found["finite"].all() or int(found["shortest"].min() or 0) < 0):  # pyright: ignore[reportArgumentType]
        raise ValueError("objectives must be finite and tokens not negative")
    one_each = found.select(**{name: pl.col(f"first:{name}") for name in names}) if names else found
    groups = one_each.select(e.fill_null(value=False).alias(f"{i}") for i, e in enumerate(table.members)) if table.members else None
    members = np.zeros((0, found.height), bool) if groups is None else groups.to_numpy().T.astype(bool).reshape(-1, found.height)
    place, code, count = _code(found, names, schema)
    shape = (len(table.members), count)
    full = np.zeros(shape, bool)
    full[:, place] = members
    return Classes(
        rows=_spread(found["rows"], place, count),
        tokens=_spread(found["all"], place, count),
        members=full,
        shortest=_spread(found["shortest"], place, count),
        longest=_spread(found["longest"], place, count),
        largest=float(found["largest"].max() or 0.0),  # pyright: ignore[reportArgumentType]
        code=pl.lit(0, pl.UInt32) if not names else pl.col("mixc:class") if code is None else code,
        keys=None if code is not None or not names else found.select(*keys).with_columns(pl.Series("mixc:class", place, pl.UInt32)),
    )


def _key(frame: pl.LazyFrame, name: str) -> pl.Expr:
    """A column as what rows are grouped and joined by: a list as one text."""
    if isinstance(frame.collect_schema()[name], pl.List):
        return pl.col(name).cast(pl.List(pl.String)).list.eval(pl.element().fill_null("\x00")).list.join("\x1f")
    return pl.col(name)


def _spread(numbers: pl.Series, place: np.ndarray, count: int) -> np.ndarray:
    spread = np.zeros(count, np.int64)
    spread[place] = numbers.to_numpy()
    return spread


def _code(found: pl.DataFrame, names: list[str], schema: pl.Schema) -> tuple[np.ndarray, pl.Expr | None, int]:
    """The number of each class found, how it is computed from small whole numbers (None: by a join), and how many numbers there are."""
    place = np.arange(found.height)
    if not names or not found.height:
        return place, None, found.height
    code, places, count = pl.lit(0, pl.UInt32), np.zeros(found.height, np.int64), 1
    for name in names:
        column = found[f"key:{name}"]
        if not (schema[name].is_integer() or schema[name] == pl.Boolean) or column.null_count():
            return place, None, found.height
        column = column.cast(pl.Int64, strict=False)
        if column.null_count():
            return place, None, found.height
        least, most = int(column.min()), int(column.max())  # pyright: ignore[reportArgumentType]
        size = most - least + 1
        if count * size > DENSE:
            return place, None, found.height
        code = code * size + (pl.col(name).cast(pl.Int64) - least).cast(pl.UInt32)
        places = places * size + (column.to_numpy() - least)
        count *= size
    return places, code, count

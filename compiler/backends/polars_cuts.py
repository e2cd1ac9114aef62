"""Whether a row is among the `count` highest of its group, told by the last row that is, without a rank of all rows.

A group has its rows in one order: the highest value, then the smaller hash, then the smaller row id. No group is a group.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ..expressions import Column, Constant, Expression, Operation, Rank
from .polars_lowering import PROMPT, SKILL, group_column

SAMPLED = 30
"""How many of the rows that stay in a group are expected in the sample that the group's bar is read from."""
DEVIATIONS = 4.0
FEWEST = 400
"""Fewer rows than this have the sample of so many, which is a small part of the table."""
_MIRRORED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "==": "=="}


@dataclass(frozen=True, slots=True)
class Cut:
    """`rank(OF) within GROUP <= COUNT`, however it is written; a count of at least 1."""

    of: Expression
    group: Column | None
    count: int

    @property
    def large(self) -> bool:
        """Whether groups may be so large that most of their rows need no rank."""
        return self.group != PROMPT


def cut_of(e: Expression, schema: Mapping[str, pl.DataType]) -> Cut | None:
    """The cut that a condition is, if it is one."""
    match e:
        case Operation(operator, (Rank(of, group), Constant(int(most)))):
            count = _count(operator, most)
        case Operation(operator, (Constant(int(most)), Rank(of, group))):
            count = _count(_MIRRORED.get(operator, operator), most)
        case _:
            return None
    if count is None or count < 1 or (group is not None and group != SKILL and schema[group_column(group)].is_nested()):
        return None
    return Cut(of, group, count)


def _count(operator: str, most: int) -> int | None:
    return {"<=": most, "<": most - 1}.get(operator, 1 if (operator, most) == ("==", 1) else None)


def share_of(count: int) -> float:
    """How large a part of the rows a sample is that tells where the best `count` of a group end."""
    return SAMPLED / max(count, FEWEST)


def depth_of(count: int) -> int:
    """The place in a group of such a sample that, but for bad luck, no fewer than `count` rows of the whole group reach."""
    expected = share_of(count) * count
    return int(expected + DEVIATIONS * max(expected, 1.0) ** 0.5) + 1


def with_cut(frame: pl.LazyFrame, value: pl.Expr, group: str | None, count: int, tie: str, name: str, *, large: bool = True) -> pl.LazyFrame:
    """The frame, in its order, with `NAME:of` (`value` of the rows whose `reason` is null), `NAME:kept` (null where that is) and `NAME:last`.

    `NAME:last` is the row id of the last row that stays in the group, null where there are fewer than `count`.
    """
    of, key = f"{name}:of", group or f"{name}:all"
    if group is None:
        frame = frame.with_columns(pl.lit(0, pl.UInt8).alias(key))
    frame = frame.with_columns(pl.when(pl.col("reason").is_null()).then(value).alias(of))
    last = last_kept(frame.select(group=key, value=of, tie=tie, row="row_id"), count, large=large)
    at = [f"{name}:{part}" for part in ("value", "tie", "last")]
    joined = frame.join(last.rename(dict(zip(("group", "value", "tie", "row"), (key, *at), strict=True))), on=key, how="left", nulls_equal=True, maintain_order="left")
    behind = is_behind([of, tie, "row_id"], at)
    return joined.with_columns(pl.when(pl.col(of).is_not_null()).then(~behind.fill_null(value=False)).alias(f"{name}:kept"))


def is_behind(row: list[str], other: list[str]) -> pl.Expr:
    """Whether a row comes after another one in the order of a group; each by its columns for value, hash and row id."""
    (value, tie, id), (than_value, than_tie, than_id) = map(pl.col, row), map(pl.col, other)
    return (value < than_value) | ((value == than_value) & ((tie > than_tie) | ((tie == than_tie) & (id > than_id))))


def last_kept(rows: pl.LazyFrame, count: int, *, large: bool = True) -> pl.LazyFrame:
    """The row in place `count` of each group that has so many: columns `group`, `value`, `tie`, `row` (unique), as the rows have them.

    Rows without a value have no place. Groups that may be `large` are not ranked below a bar, a value that by a sample a little more than `count`
    rows reach; a group of which fewer do is ranked whole.
    """
    rows = rows.filter(pl.col("value").is_not_null())
    if not large:
        return _in_place(rows, count)
    bars = _in_place(rows.filter(pl.col("tie") < int(share_of(count) * 2**64)), depth_of(count)).select("group", bar="value")
    above = rows.join(bars, on="group", how="left", nulls_equal=True).filter((pl.col("value") >= pl.col("bar")).fill_null(value=True))
    found = _in_place(above.drop("bar"), count)
    short = bars.join(found, on="group", how="anti", nulls_equal=True)
    return pl.concat([found, _in_place(rows.join(short, on="group", how="semi", nulls_equal=True), count)])


def _in_place(rows: pl.LazyFrame, count: int) -> pl.LazyFrame:
    ordered = rows.sort("group", "value", "tie", "row", descending=[False, True, False, False])
    number, starts = pl.int_range(pl.len(), dtype=pl.Int64), pl.col("group").ne_missing(pl.col("group").shift(1))
    numbered = ordered.with_columns(number.alias("number"))
    first = pl.when(starts | (pl.col("number") == 0)).then("number").forward_fill()
    return numbered.filter(pl.col("number") - first == count - 1).select("group", "value", "tie", "row")

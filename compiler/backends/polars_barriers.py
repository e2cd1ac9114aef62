"""Quantiles and ranks as columns of the frame, over rows whose `reason` is null. Knows nothing of what reads them.

A row with several skills must pass in one: a comparison with a quantile or rank within skill is made once a skill,
then joined by `or`.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from ..expressions import Column, Expression, Operation, Quantile, Rank
from .polars_lowering import COMPARE, SKILL, Lowering, column_name

Known = Mapping[int, str]
"""The columns that have the value of parts of an expression, by the `id` of the part."""
_GROUPS = {"teacher": "teacher", "prompt": "prompt_id", "corpus": "corpus"}
_ONE_SKILL = "mixc:skill"


def settle(frame: pl.LazyFrame, e: Expression, tie: str, known: Known | None = None) -> tuple[pl.LazyFrame, Lowering]:
    """The frame with all that `e` needs of other rows as columns `mixc:…`, and a lowering that finds them there.

    `known`: parts of `e` that a column of the frame has already, for instance because it holds some of the rows only.
    """
    lowering = Lowering(frame.collect_schema(), {part: pl.col(name) for part, name in (known or {}).items()})
    if known:
        return frame, lowering
    for node in _barriers(e):
        frame = _settle_skills(frame, node.of, tie, lowering)
        if node.group != SKILL and id(node) not in lowering.known:
            name = lowering.new_name()
            frame = _attach(frame, node, tie, node.group and group_column(node.group), name, lowering)
            lowering.known[id(node)] = pl.col(name)
    return _settle_skills(frame, e, tie, lowering), lowering


def place(value: str, tie: str) -> pl.Expr:
    """1 for the highest value, then by the smaller hash and the smaller row id; nulls last."""
    order = pl.arg_sort_by([value, tie, "row_id"], descending=[True, False, False], nulls_last=True)
    return order.arg_sort().cast(pl.Int64) + 1


def looks_across(e: Expression) -> bool:
    """Whether it looks at rows of other prompts."""
    return any(node.group != Column("role", "prompt") for node in _barriers(e))


def looks_at_skills(e: Expression) -> bool:
    """Whether a quantile or rank in it is within skill."""
    return any(node.group == SKILL for node in _barriers(e))


def nodes(e: Expression) -> Iterator[Expression]:
    """Every part of an expression, the inner ones first."""
    if isinstance(e, Operation):
        for argument in e.arguments:
            yield from nodes(argument)
    elif isinstance(e, Quantile | Rank):
        yield from nodes(e.of)
    yield e


def _barriers(e: Expression) -> Iterator[Quantile | Rank]:
    return (node for node in nodes(e) if isinstance(node, Quantile | Rank))


def _attach(
    frame: pl.LazyFrame, node: Quantile | Rank, tie: str, group: str | None, name: str, lowering: Lowering
) -> pl.LazyFrame:
    value = f"{name}:of"
    alive = pl.when(pl.col("reason").is_null()).then(lowering.lower(node.of))
    found = _threshold(value, node.percent) if isinstance(node, Quantile) else _rank(value, tie)
    found = found.over(group) if group else found
    return frame.with_columns(alive.alias(value)).with_columns(found.alias(name))


def _threshold(value: str, percent: int) -> pl.Expr:
    """Nearest rank in integers: of n values not null the ceil(percent/100 n)-th smallest, at least the first."""
    position = (pl.col(value).count().cast(pl.Int64) * percent + 99) // 100 - 1
    return pl.col(value).drop_nulls().sort().get(pl.max_horizontal(position, 0), null_on_oob=True)


def _rank(value: str, tie: str) -> pl.Expr:
    return pl.when(pl.col(value).is_not_null()).then(place(value, tie))


def group_column(column: Column) -> str:
    """The name under which the frame holds what a quantile or rank is within."""
    return _GROUPS.get(column.name, column_name(column)) if column.source == "role" else column_name(column)


def _settle_skills(frame: pl.LazyFrame, e: Expression, tie: str, lowering: Lowering) -> pl.LazyFrame:
    for part in _by_skill(e):
        if id(part) not in lowering.known:
            name = lowering.new_name()
            frame = frame.join(_any_skill(frame, part, tie, name, lowering), on="row_id", how="left", maintain_order="left")
            lowering.known[id(part)] = pl.col(name)
    return frame


def _by_skill(e: Expression) -> Iterator[Expression]:
    """The smallest parts that have one answer per row and skill: comparisons, and ranks outside of any."""
    if not looks_at_skills(e):
        return
    if (isinstance(e, Rank) and e.group == SKILL) or (isinstance(e, Operation) and e.operator in (*COMPARE, "in")):
        yield e
    elif isinstance(e, Operation):
        for argument in e.arguments:
            yield from _by_skill(argument)


def _any_skill(frame: pl.LazyFrame, part: Expression, tie: str, name: str, lowering: Lowering) -> pl.LazyFrame:
    """For each row id whether the comparison holds in one of its skills; of a rank alone, the best of them."""
    frame = frame.with_columns(pl.col("skills").list.unique().alias(_ONE_SKILL)).explode(_ONE_SKILL, empty_as_null=True)
    inner = Lowering(lowering.schema, dict(lowering.known))
    for node in _outermost(part):
        if node.group == SKILL:
            column = lowering.new_name()
            frame = _attach(frame, node, tie, _ONE_SKILL, column, lowering)
            inner.known[id(node)] = pl.col(column)
    value = inner.lower(part)
    best = value.min() if isinstance(part, Rank) else value.any(ignore_nulls=False)
    return frame.group_by("row_id").agg(best.alias(name))


def _outermost(e: Expression) -> Iterator[Quantile | Rank]:
    if isinstance(e, Quantile | Rank):
        yield e
    elif isinstance(e, Operation):
        for argument in e.arguments:
            yield from _outermost(argument)

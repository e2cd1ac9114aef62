"""Filters of the plan over lazy frames, and what an expression means there. Knows nothing of files or scorers.

Nothing here depends on the order of rows, and it is kept: where an order matters it is total.
"""

from collections.abc import Mapping

import polars as pl

from ..diagnostics import Diagnostic, Fault, Label
from ..expressions import Expression, Operation, columns
from ..plan.stages import Keep, Where
from ..source import Span
from .polars_barriers import Known, nodes, settle
from .polars_cuts import with_cut
from .polars_lowering import Lowering, column_name, text_of
from .polars_reasons import why_false, why_null

__all__ = ["apply_keep", "apply_where", "column_name", "expression", "in_words", "refuse", "with_value"]


def expression(e: Expression, schema: Mapping[str, pl.DataType] | None = None) -> pl.Expr:
    """An expression that reads one row. Only with the frame's schema are NaN of a column and integer overflow null."""
    return Lowering(schema or {}).lower(e)


def with_value(frame: pl.LazyFrame, e: Expression, name: str, tie_column: str, known: Known | None = None) -> pl.LazyFrame:
    """The frame with the value of `e` as column `name`; ranks and quantiles are over rows whose `reason` is null, or as `known`."""
    settled, lowering = settle(frame, e, tie_column, known)
    return settled.with_columns(lowering.lower(e).alias(name)).select(*_names(frame, but=name), name)


def apply_where(frame: pl.LazyFrame, where: Where, seed_hash_column: str, known: Known | None = None) -> pl.LazyFrame:
    """Set `reason` on the rows without one for which the condition is not true. What is `known` of other rows is not worked out again.

    Fault MIX0311 for a pattern that is no regular expression, MIX0502 where a column's type does not fit.
    """
    refuse(where.condition, frame.collect_schema(), where.span)
    settled, lowering = settle(frame, where.condition, seed_hash_column, known)
    verdict = pl.col("mixc:verdict")
    judged = settled.with_columns(lowering.lower(where.condition).alias("mixc:verdict"))
    why = (
        pl.when(pl.col("reason").is_not_null()).then("reason")
        .when(verdict).then(None)
        .when(verdict.is_null()).then(why_null(where.text, where.condition, lowering))
        .otherwise(why_false(where.text, where.condition, lowering))
    )  # fmt: skip
    return judged.with_columns(why.cast(pl.String).alias("reason")).select(_names(frame))


def apply_keep(frame: pl.LazyFrame, keep: Keep, tie_column: str, known: Known | None = None) -> pl.LazyFrame:
    """Set `reason` on the rows that are not among the `count` best of their prompt.

    Best is highest `by`, ties by the smaller hash in `tie_column` (UInt64), then by row id. Faults as `apply_where`.
    """
    refuse(keep.by, frame.collect_schema(), keep.span)
    settled, lowering = settle(frame, keep.by, tie_column, known)
    name = lowering.new_name()
    cut = with_cut(settled, lowering.lower(keep.by), "prompt_id", keep.count, tie_column, name, large=False)
    kept = pl.col(f"{name}:kept")
    why = (
        pl.when(pl.col("reason").is_not_null()).then("reason")
        .when(kept.is_null()).then(why_null(keep.text, keep.by, lowering))
        .when(~kept).then(pl.concat_str(pl.lit(f"{keep.text}: beaten by "), pl.col(f"{name}:last").cast(pl.String)))
    )  # fmt: skip
    return cut.with_columns(why.cast(pl.String).alias("reason")).select(_names(frame))


def refuse(e: Expression, schema: Mapping[str, pl.DataType], span: Span) -> None:
    """Fault MIX0311 or MIX0502, before any row is read, if `e` cannot be evaluated over a frame with this schema."""
    for node in nodes(e):
        if isinstance(node, Operation) and node.operator == "matches":
            _refuse_pattern(text_of(node.arguments[1]), span)
    empty = pl.LazyFrame(schema={"row_id": pl.String, "mixc:tie": pl.UInt64, "reason": pl.String, **schema})
    try:
        with_value(empty, e, "mixc:value", "mixc:tie").collect()
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError, pl.exceptions.SchemaError) as error:
        read = sorted({column_name(c) for c in columns(e)} & set(schema))
        held = ", ".join(f"`{name.removeprefix('column:')}` holds {in_words(schema[name])}" for name in read)
        message = "the types of the columns do not fit this expression"
        help = "compare texts with texts in double quotes, and numbers with numbers"
        raise Fault(Diagnostic("MIX0502", message, Label(span, held), help=help)) from error


def in_words(dtype: pl.DataType) -> str:
    """What a column of this type holds, for messages: `texts`, `integers`, `lists of texts`, …"""
    if dtype.is_integer():
        return "integers"
    if dtype.is_numeric():
        return "numbers"
    if isinstance(dtype, pl.List | pl.Array):
        return f"lists of {in_words(dtype.inner)}"  # type: ignore[arg-type]
    names = {
        pl.String: "texts", pl.Boolean: "true and false", pl.Struct: "objects", pl.Null: "only nulls",
        pl.Binary: "bytes that are not marked as text",
    }  # fmt: skip
    return names.get(dtype.base_type(), f"values of type {dtype}")


def _refuse_pattern(pattern: str, span: Span) -> None:
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        found = [line.removeprefix("error: ") for line in str(error).splitlines() if line.startswith("error: ")]
        message = f"not a regular expression: {found[0] if found else 'too large once compiled'}"
        help = "patterns are those of Rust's regex crate"
        raise Fault(Diagnostic("MIX0311", message, Label(span, f"in `{pattern}`"), help=help)) from error


def _names(frame: pl.LazyFrame, but: str | None = None) -> list[str]:
    return [name for name in frame.collect_schema().names() if name != but]

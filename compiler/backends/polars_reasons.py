"""Why a filter dropped a row, as text worked out beside the filter. Knows nothing of other stages."""


import polars as pl

from ..expressions import Column, Expression, Operation, columns, conjuncts
from .polars_barriers import looks_at_skills
from .polars_lowering import Lowering, column_name

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def why_null(text: str, e: Expression, lowering: Lowering) -> pl.Expr:
    """Why a value is null: a score that is unknown first, else a score that says why it has none."""
    whys = [
        pl.when(lowering.lower(score).is_null()).then(f"{column_name(score)}:why")
        for score in sorted((c for c in columns(e) if c.source == "score"), key=column_name)
        if f"{column_name(score)}:why" in lowering.schema
    ]
    unknown = [pl.when(why.str.starts_with("unknown")).then(pl.concat_str(pl.lit(f"{text}: "), why)) for why in whys]
    other = [pl.concat_str(pl.lit(f"{text}: null ("), why, pl.lit(")")) for why in whys]
    return pl.coalesce(*unknown, *other, pl.lit(f"{text}: null"))


def why_false(text: str, e: Expression, lowering: Lowering) -> pl.Expr:
    """`TEXT: false`, with both sides of the first false part if it compares numbers: `TEXT: false (-2.31 < -1.98)`.

    Of a part that asks for the best of a group, in place of the sides the last row that is: `TEXT: false (beaten by ROW)`.
    """
    first, *rest = conjuncts(e)
    chain = pl.when(~lowering.lower(first)).then(_sides(first, lowering))
    for part in rest:
        chain = chain.when(~lowering.lower(part)).then(_sides(part, lowering))
    return pl.concat_str(pl.lit(f"{text}: false"), chain.otherwise(pl.lit("")).fill_null(""))


def _sides(e: Expression, lowering: Lowering) -> pl.Expr:
    if id(e) in lowering.last:
        return pl.concat_str(pl.lit(" (beaten by "), lowering.last[id(e)].cast(pl.String), pl.lit(")"))
    if id(e) in lowering.known or not isinstance(e, Operation) or e.operator not in _OPPOSITE or looks_at_skills(e):
        return pl.lit("")
    if Column("role", "skill") in e.arguments or not all(lowering.is_number(side) for side in e.arguments):
        return pl.lit("")
    values = [lowering.lower(side) for side in e.arguments]
    short = [_six_digits(value, lowering.is_whole(side)) for value, side in zip(values, e.arguments, strict=True)]
    alike = (short[0] == short[1]) if e.operator in ("==", "<=", ">=") else pl.lit(False)
    left, right = (
        pl.when(alike).then(value.cast(pl.String)).otherwise(digits)
        for value, digits in zip(values, short, strict=True)
    )
    return pl.concat_str(pl.lit(" ("), left, pl.lit(f" {_OPPOSITE[e.operator]} "), right, pl.lit(")"))


def _six_digits(value: pl.Expr, whole: bool) -> pl.Expr:
    if whole:
        return value.cast(pl.String)
    return value.cast(pl.Float64).round_sig_figs(6).cast(pl.String).str.strip_suffix(".0").replace("-0", "0")

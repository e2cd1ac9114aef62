"""`column(c)`: a corpus column as a score. It is read from the rows, never stored."""

import polars as pl

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Score

_COUNTED = ("tokens", "steps", "examples", "prompts")


def read(stage: Score, rows: pl.DataFrame) -> pl.DataFrame:
    """`value` and `why` for each row, in order, with the type that the plan promises, else Fault MIX0502."""
    (name,) = stage.reads
    column = rows[name]
    name = name.removeprefix("column:")
    value = _typed(stage, name, column)
    empty = pl.when(column.is_null()).then(pl.lit(f"no value in column `{name}`"))
    return pl.DataFrame({"value": value}).select("value", empty.otherwise(None).alias("why"))


def _typed(stage: Score, name: str, column: pl.Series) -> pl.Series:
    kind = column.dtype
    if column.null_count() == len(column):
        nothing = {"bool": pl.Boolean, "text": pl.String, "number": pl.Int64 if stage.unit in _COUNTED else pl.Float64}
        return pl.Series(column.name, [None] * len(column), dtype=nothing.get(stage.type, pl.Boolean))
    match stage.type:
        case "bool" if kind == pl.Boolean():
            return column
        case "bool" if kind.is_integer() and column.is_in([0, 1]).all():
            return column.cast(pl.Boolean)
        case "text" if kind in (pl.String(), pl.Categorical(), pl.Enum([])) or isinstance(kind, pl.Enum):
            return column.cast(pl.String)
        case "number" if kind.is_integer():
            return column.cast(pl.Int64)
        case "number" if kind.is_numeric() and stage.unit not in _COUNTED:
            return column.cast(pl.Float64)
        case "number" if kind.is_numeric():
            known = column.cast(pl.Float64).fill_nan(None)
            if bool((known == known.round()).all()) and bool((known.abs() < 2.0**63).all()):
                return known.cast(pl.Int64)
        case "unknown" if kind == pl.Boolean() or kind == pl.String() or kind.is_integer():
            return column.cast(pl.Int64) if kind.is_integer() else column
        case "unknown" if kind.is_numeric():
            return column.cast(pl.Float64)
    wanted = {"bool": "true and false", "text": "text", "number": "numbers"}.get(stage.type, "true and false, texts or numbers")
    if stage.unit in _COUNTED:
        wanted = f"whole numbers of {stage.unit}"
    label = Label(stage.span, f"its type is {kind}, for example {_example(column)}")
    help = f"give `column(…)` a column of {wanted}"
    raise Fault(Diagnostic("MIX0502", f"column `{name}` does not hold {wanted}", label, help=help))


def _example(column: pl.Series) -> str:
    values = column.drop_nulls()
    return repr(values[0])[:40] if len(values) else "null"

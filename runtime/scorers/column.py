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
    if kind == pl.Null():
        return column.cast({"bool": pl.Boolean, "text": pl.String}.get(stage.type, pl.Float64))
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
        case "number" if kind.is_numeric() and (column == column.round()).all():
            return column.cast(pl.Int64)
    wanted = {"bool": "true and false", "text": "text", "number": "numbers"}[stage.type]
    if stage.unit in _COUNTED:
        wanted = f"whole numbers of {stage.unit}"
    label = Label(stage.span, f"its type is {kind}, for example {_example(column)}")
    help = f"give `column(…)` a column of {wanted}"
    raise Fault(Diagnostic("MIX0502", f"column `{name}` does not hold {wanted}", label, help=help))


def _example(column: pl.Series) -> str:
    values = column.drop_nulls()
    return repr(values[0])[:40] if len(values) else "null"

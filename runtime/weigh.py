"""The weight of each selected row: what its loss is multiplied by. Knows columns of rows, no trainer."""

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Materialise, Plan, Score, Train
from ..compiler.source import Span

SHOWN = 3


def weight(plan: Plan, rows: pl.DataFrame) -> pl.Expr:
    """The column `weight` of selected rows: 1.0, or the score that `train` names; null where that has no number, or is not computed yet."""
    name = _score(plan)
    if name is None:
        return pl.lit(1.0).alias("weight")
    column = f"score:{name}"
    known = column in rows.columns and (rows.schema[column].is_numeric() or rows.schema[column] == pl.Boolean)
    return (pl.col(column).cast(pl.Float64) if known else pl.lit(None, pl.Float64)).alias("weight")


def refuse_weights(plan: Plan, chosen: pl.DataFrame) -> str | None:
    """Fault MIX0527 where a weight is no number, not finite or negative, or all are 0. The answer is what else is to be told of them."""
    name = _score(plan)
    if name is None:
        return None
    value = pl.col("weight")
    for bad, said in ((~value.is_finite().fill_null(value=False), "no finite number"), (value < 0, "a negative weight")):
        found = chosen.filter(bad)
        if found.height:
            raise Fault(_bad(plan, name, f"{_count(found.height, chosen.height)} {said} in `{name}`", found))
    nothing = chosen.filter(value == 0).height
    if nothing == chosen.height and nothing:
        raise Fault(_bad(plan, name, f"every selected row has the weight 0 in `{name}`: nothing would be learnt", chosen))
    return f"{_count(nothing, chosen.height)} the weight 0 in `{name}`: nothing is learnt from them" if nothing else None


def _score(plan: Plan) -> str | None:
    return next((stage.weight for stage in plan.stages if isinstance(stage, Materialise)), None)


def _count(some: int, of: int) -> str:
    return f"{some:,} of the {of:,} selected rows {'has' if some == 1 else 'have'}"


def _bad(plan: Plan, name: str, message: str, rows: pl.DataFrame) -> Diagnostic:
    spans: dict[type, Span] = {type(s): s.span for s in plan.stages if isinstance(s, Train) or (isinstance(s, Score) and s.name == name)}
    shown = [f"row {id} of {teacher}: {'none' if value is None else f'{value:g}'}" for id, teacher, value in rows.select("row_id", "teacher", "weight").head(SHOWN).iter_rows()]
    more = f" and {rows.height - SHOWN:,} more" if rows.height > SHOWN else ""
    return Diagnostic(
        "MIX0527",
        message,
        Label(spans.get(Score, spans[Train]), "a weight is a finite number, 0 or more, and one at least is above 0"),
        secondary=(Label(spans[Train], f"weighs its rows by `{name}`"),),
        notes=("; ".join(shown) + more,),
        help=f"name another score after `weight`, or leave those rows out by a `where` on `{name}`",
    )

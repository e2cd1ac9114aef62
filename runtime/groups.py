"""Which rows a quota's group counts."""

import numpy as np
import polars as pl

from ..compiler.plan.stages import Group


def group_rows(group: Group, rows: pl.DataFrame) -> np.ndarray:
    """bool[rows]: which rows a group counts. A skill counts its descendants' rows too."""
    return rows.select(group_expression(group, rows)).to_series().to_numpy()


def group_expression(group: Group, rows: pl.DataFrame) -> pl.Expr:
    """The same as an expression over frames with these columns and no other skills; never null."""
    match group.kind:
        case "skill":
            if "skills" not in rows.columns:
                return pl.repeat(value=False, n=pl.len(), dtype=pl.Boolean)
            names = rows["skills"].explode().drop_nulls().unique()
            inside = names.filter(names.str.split("->").list.contains(group.value)).to_list()
            found = pl.col("skills").list.eval(pl.element().is_in(inside)).list.any()
        case "teacher":
            found = pl.col("teacher") == group.value
        case "teacher_value":
            found = pl.col("teacher_value") == group.value
        case _:
            column = pl.col(f"column:{group.column}")
            if isinstance(rows.schema[f"column:{group.column}"], pl.List):
                found = column.list.eval(pl.element().cast(pl.String) == group.value).list.any()
            else:
                found = column.cast(pl.String) == group.value
    return found.fill_null(value=False)

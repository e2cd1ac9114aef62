"""Which rows a quota's group counts."""

import numpy as np
import polars as pl

from ..compiler.plan.stages import Group


def group_rows(group: Group, rows: pl.DataFrame) -> np.ndarray:
    """bool[rows]: which rows a group counts. A skill counts its descendants' rows too."""
    match group.kind:
        case "skill":
            if "skills" not in rows.columns:
                return np.zeros(rows.height, dtype=bool)
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
    return rows.select(found.fill_null(value=False)).to_series().to_numpy()

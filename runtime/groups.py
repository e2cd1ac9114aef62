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
            parts = pl.col("skills").list.eval(pl.element().str.split("->").list.contains(group.value)).list.any()
            return rows.select(parts.fill_null(value=False)).to_series().to_numpy()
        case "teacher":
            return rows.select((pl.col("teacher") == group.value).fill_null(value=False)).to_series().to_numpy()
        case "teacher_value":
            return rows.select((pl.col("teacher_value") == group.value).fill_null(value=False)).to_series().to_numpy()
        case _:
            column = pl.col(f"column:{group.column}")
            if isinstance(rows.schema[f"column:{group.column}"], pl.List):
                return (
                    rows.select(column.list.eval(pl.element().cast(pl.String) == group.value).list.any().fill_null(value=False))
                    .to_series()
                    .to_numpy()
                )
            return rows.select((column.cast(pl.String) == group.value).fill_null(value=False)).to_series().to_numpy()

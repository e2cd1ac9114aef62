"""A budget `up to`: as many rows as the other clauses allow, and of the selections with so many the best."""

from dataclasses import replace
from math import fsum, inf

import polars as pl

from ..problem import Infeasible
from ..table import Selected, Table
from .attempt import attempt
from .classes import Classes


def filled(table: Table, known: Classes, most: int) -> Selected | Infeasible:
    """The best selection of as many rows as there can be, at most `most`.

    Where it is not proven that no selection has more rows, `Selected.most` says how many there could be.
    """
    found = attempt(table, known, most)
    if isinstance(found, Selected):
        return found
    counted = replace(table, frame=table.frame.with_columns(objective=pl.lit(1.0)))
    reached = attempt(counted, replace(known, largest=1.0), None, counting=True)
    if isinstance(reached, Infeasible):
        return reached
    least = len(reached.rows)
    top = max(least, min(int(reached.bound), most - found.conflict.proven))
    for count in sorted({top, (least + top) // 2, least} - {most}, reverse=True):
        found = attempt(table, known, count)
        if isinstance(found, Selected):
            return found if count == top else replace(found, most=top)
    return _of(table, reached, None if least == top else top)


def _of(table: Table, reached: Selected, most: int | None) -> Selected:
    """The selection that was found when rows were counted, by its objective: no other of so many rows was found."""
    mine = table.frame.filter(pl.col("row").is_in(reached.rows.implode())).select("objective")
    best = table.frame.select(pl.col("objective").top_k(len(reached.rows)))
    objective, bound = (fsum(frame.collect(engine="streaming")["objective"]) for frame in (mine, best))
    gap = 0.0 if bound <= objective else (bound - objective) / abs(objective) if objective else inf
    free = (0.0,) * len(reached.prices)
    outcomes = tuple(replace(outcome, price=0.0) for outcome in reached.outcomes)
    return replace(reached, objective=objective, bound=max(bound, objective), gap=gap, prices=free, outcomes=outcomes, most=most)

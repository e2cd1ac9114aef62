"""The candidates of a selection as a solver takes them: arrays for the exact one, a lazy table for prices. Knows columns, not solvers."""

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Select
from .groups import group_expression, group_rows
from .selection.problem import Problem
from .selection.table import Table
from .soft import soft_targets

TIE, OBJECTIVE = "mixc:tie", "mixc:objective"
"""The seeded hash that breaks ties, and what a row is worth."""


def problem(stage: Select, live: pl.DataFrame) -> Problem:
    """The clauses that act together, over candidates with TIE and OBJECTIVE, sorted by row id. Fault MIX0502 for negative tokens."""
    return Problem(
        prompt=_prompts(live).to_numpy(),
        tokens=_tokens(stage, live).to_numpy(),
        objective=live[OBJECTIVE].to_numpy(),
        tie=live[TIE].to_numpy(),
        at_most=stage.at_most,
        quotas=stage.quotas,
        members=tuple(group_rows(q.group, live) for q in stage.quotas),
        budgets=stage.budgets,
        soft=soft_targets(stage, live),
    )


def table(stage: Select, live: pl.DataFrame, objective: pl.Series) -> Table:
    """The same as a table with `objective` in place of that of the rows; its `row` counts the candidates from 0. Faults as `problem`."""
    members = [group_expression(q.group, live).alias(f"member {i}") for i, q in enumerate(stage.quotas)]
    held = live.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), _prompts(live).alias("prompt"), _tokens(stage, live).alias("tokens"),
        objective.alias("objective"), pl.col(TIE).alias("tie"), *members,
    )  # fmt: skip
    names = tuple(pl.col(f"member {i}") for i in range(len(members)))
    return Table(frame=held.lazy(), at_most=stage.at_most, quotas=stage.quotas, members=names, budgets=stage.budgets)


def _prompts(live: pl.DataFrame) -> pl.Series:
    return live["prompt_id"].rank("dense").cast(pl.Int32) - 1 if live.height else pl.Series([], dtype=pl.Int32)


def _tokens(stage: Select, live: pl.DataFrame) -> pl.Series:
    tokens = live[f"score:{stage.tokens}"].cast(pl.Float64) if stage.tokens else pl.zeros(live.height, eager=True)
    whole = tokens.fill_null(0).round().cast(pl.Int64)
    if whole.len() and (whole.min() or 0) < 0:  # type: ignore[operator]
        message = f"`{stage.tokens}` counts tokens, but some counts are negative"
        raise Fault(Diagnostic("MIX0502", message, Label(stage.span, "selects by it")))
    return whole


def in_order(live: pl.DataFrame, stage: Select) -> np.ndarray:
    """What each candidate adds to the objective: c_r, times its tokens where they alone are budgeted."""
    value = live[OBJECTIVE].to_numpy()
    return value * _tokens(stage, live).to_numpy() if stage.fills_tokens else value

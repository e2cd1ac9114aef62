"""The candidates of a selection as a solver takes them: arrays for the exact one, a lazy table for prices. Knows columns, not solvers."""

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Group, Select
from .groups import group_rows
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
    """The same as a table with `objective` in place of that of the rows; its `row` counts the candidates from 0. Faults as `problem`.

    What groups read is a small number in it, one for each value there is: prices are then summed by few classes of rows.
    """
    sources = {_source(q.group): f"value {i}" for i, q in enumerate(stage.quotas)}
    coded = {source: _coded(live, source, name) for source, name in sources.items()}
    held = live.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), _prompts(live).alias("prompt"), _tokens(stage, live).alias("tokens"),
        objective.alias("objective"), pl.col(TIE).alias("tie"), *(codes for codes, _ in coded.values()),
    )  # fmt: skip
    members = []
    for quota in stage.quotas:
        codes, values = coded[_source(quota.group)]
        members.append(pl.col(codes.name).is_in(np.flatnonzero(group_rows(quota.group, values)).tolist()))
    return Table(frame=held.lazy(), at_most=stage.at_most, quotas=stage.quotas, members=tuple(members), budgets=stage.budgets)


def _source(group: Group) -> str:
    """The column that a group reads."""
    return {"skill": "skills", "teacher": "teacher", "teacher_value": "teacher_value"}.get(group.kind, f"column:{group.column}")


def _coded(live: pl.DataFrame, source: str, name: str) -> tuple[pl.Series, pl.DataFrame]:
    """For each candidate the number of its value in the column, and the values by their number, in the order of the candidates."""
    if source not in live.columns:
        return pl.zeros(live.height, dtype=pl.UInt32, eager=True).alias(name), pl.DataFrame({"no": [""]})
    value = pl.col(source)
    text = value.list.join("\x1f") if isinstance(live.schema[source], pl.List) else value.cast(pl.String)
    keys = live.select(source, text.alias("key"))
    values = keys.unique("key", keep="first", maintain_order=True)
    numbered = values.select("key", pl.int_range(pl.len(), dtype=pl.UInt32).alias(name))
    return keys.join(numbered, on="key", how="left", nulls_equal=True, maintain_order="left")[name], values.drop("key")


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

"""The candidates of a selection as a solver takes them: arrays for the exact one, a lazy table for prices. Knows columns, not solvers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Group, Select
from .groups import group_rows
from .rows import Rows
from .selection.problem import Problem
from .selection.table import Table
from .soft import soft_targets

TIE, OBJECTIVE = "mixc:tie", "mixc:objective"
"""The seeded hash that breaks ties, and what a row is worth."""
SORTED = 1_000_000
"""Up to so many candidates of several parts are sorted by row id, as those of one part are."""
_SKILLS = "skills"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """The rows that passed every filter, narrow: `frame` has prompt (Int32, from 0), tokens (Int64, w_r), objective (Float64, c_r), tie (UInt64).

    Of each column that a quota's group reads (`values`, by the column) `frame` has a small number for each value, and `values` the value by that
    number. `places`: the place of each candidate among those of all parts, one after the other; None where that is its own.
    """

    frame: pl.DataFrame
    values: Mapping[str, tuple[str, pl.DataFrame]]
    places: np.ndarray | None = None

    @property
    def size(self) -> int:
        return self.frame.height

    def members(self, group: Group) -> pl.Expr:
        """True for the rows of the frame that a group counts."""
        name, counts = self.counted(group)
        return pl.col(name).is_in(np.flatnonzero(counts).tolist())

    def counted(self, group: Group) -> tuple[str, np.ndarray]:
        """The column of the frame by which a group counts, and bool[values]: the numbers in it that it counts."""
        name, values = self.values[source(group)]
        return name, group_rows(group, values)

    def skills(self) -> pl.DataFrame:
        """The column `skills` as the rows have it; another column where they have none."""
        name, values = self.values[_SKILLS]
        return values[self.frame[name]]

    def in_parts(self, found: np.ndarray) -> np.ndarray:
        """What was found of each candidate, in the order of the parts."""
        if self.places is None:
            return found
        back = np.empty_like(found)
        back[self.places] = found
        return back


def candidates(stage: Select, rows: Rows) -> Candidates:
    """The candidates among rows with TIE and OBJECTIVE, sorted by row id where that is feasible. Fault MIX0502 for negative tokens."""
    sources = sorted({source(q.group) for q in stage.quotas} | ({_SKILLS} if stage.soft else set()))
    narrow, ids, known = [], [], {s: [] for s in sources}
    order = len(rows.parts) > 1 and rows.alive <= SORTED
    prompts = 0
    for live in rows.live(_read(stage, sources)):
        number = live["prompt_id"].rank("dense").cast(pl.Int32) - 1 + prompts if live.height else pl.Series([], dtype=pl.Int32)
        prompts += live["prompt_id"].n_unique()
        coded = [_coded(live, s, f"value {i}") for i, s in enumerate(sources)]
        for s, (_, values) in zip(sources, coded, strict=True):
            known[s].append(values)
        columns = [number.alias("prompt"), _tokens(stage, live).alias("tokens"), live[OBJECTIVE].alias("objective"), live[TIE].alias("tie")]
        narrow.append(pl.DataFrame([*columns, *(codes for codes, _ in coded)]))
        ids += [live.select("row_id", "prompt_id")] if order else []
    values = {}
    for i, s in enumerate(sources):
        whole, numbers = _one_code(known[s])
        values[s] = (f"value {i}", whole)
        narrow = [part.with_columns(to.gather(part[f"value {i}"]).alias(f"value {i}")) for part, to in zip(narrow, numbers, strict=True)]
    frame = pl.concat(narrow)
    if not order:
        return Candidates(frame=frame, values=values)
    named = pl.concat(ids)
    places = named["row_id"].arg_sort().to_numpy()
    frame = frame.with_columns((named["prompt_id"].rank("dense").cast(pl.Int32) - 1).alias("prompt"))
    return Candidates(frame=frame[places], values=values, places=places)


def problem(stage: Select, live: Candidates) -> Problem:
    """The clauses that act together over the candidates, for the exact solver."""
    held = live.frame
    inside = held.select(live.members(q.group).alias(f"member {i}") for i, q in enumerate(stage.quotas))
    return Problem(
        prompt=held["prompt"].to_numpy(),
        tokens=held["tokens"].to_numpy(),
        objective=held["objective"].to_numpy(),
        tie=held["tie"].to_numpy(),
        at_most=stage.at_most,
        quotas=stage.quotas,
        members=tuple(column.to_numpy() for column in inside.iter_columns()),
        budgets=stage.budgets,
        soft=soft_targets(stage, live.skills()) if stage.soft else None,
    )


def table(stage: Select, live: Candidates, objective: pl.Series) -> Table:
    """The same as a table with `objective` in place of that of the rows; its `row` counts the candidates from 0."""
    held = live.frame.with_columns(objective.alias("objective"), pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    members = tuple(live.members(quota.group) for quota in stage.quotas)
    return Table(frame=held.lazy(), at_most=stage.at_most, quotas=stage.quotas, members=members, budgets=stage.budgets)


def source(group: Group) -> str:
    """The column that a group reads."""
    return {"skill": _SKILLS, "teacher": "teacher", "teacher_value": "teacher_value"}.get(group.kind, f"column:{group.column}")


def grouped(stage: Select) -> list[str]:
    """The columns that the groups of a selection's quotas read."""
    return sorted({source(q.group) for q in stage.quotas})


def worth(stage: Select, live: Candidates) -> np.ndarray:
    """What each candidate adds to the objective: c_r, times its tokens where they alone are budgeted."""
    value = live.frame["objective"].to_numpy()
    return value * live.frame["tokens"].to_numpy() if stage.fills_tokens else value


def _read(stage: Select, sources: list[str]) -> list[str]:
    return ["row_id", "prompt_id", OBJECTIVE, TIE, *sources, *([f"score:{stage.tokens}"] if stage.tokens else [])]


def _coded(live: pl.DataFrame, source: str, name: str) -> tuple[pl.Series, pl.DataFrame]:
    """For each candidate the number of its value in the column, and the values, with a `key` each, by their number."""
    if source not in live.columns:
        return pl.zeros(live.height, dtype=pl.UInt32, eager=True).alias(name), pl.DataFrame({"key": [""], "no": [""]})
    value = pl.col(source)
    text = value.list.join("\x1f") if isinstance(live.schema[source], pl.List) else value.cast(pl.String)
    keys = live.select(source, text.alias("key"))
    values = keys.unique("key", keep="first", maintain_order=True)
    numbered = values.select("key", pl.int_range(pl.len(), dtype=pl.UInt32).alias(name))
    return keys.join(numbered, on="key", how="left", nulls_equal=True, maintain_order="left")[name], values


def _one_code(parts: list[pl.DataFrame]) -> tuple[pl.DataFrame, Iterator[pl.Series]]:
    """The values of all parts, each once, and for each part the number there of the values by its own numbers."""
    whole = pl.concat(parts).unique("key", keep="first", maintain_order=True)
    if len(parts) > 1:
        whole = whole.sort("key")
    numbered = whole.select("key", pl.int_range(pl.len(), dtype=pl.UInt32).alias("number"))
    numbers = (p.select("key").join(numbered, on="key", how="left", nulls_equal=True, maintain_order="left")["number"] for p in parts)
    return whole.drop("key"), numbers


def _tokens(stage: Select, live: pl.DataFrame) -> pl.Series:
    tokens = live[f"score:{stage.tokens}"].cast(pl.Float64) if stage.tokens else pl.zeros(live.height, eager=True)
    whole = tokens.fill_null(0).round().cast(pl.Int64)
    if whole.len() and (whole.min() or 0) < 0:  # type: ignore[operator]
        message = f"`{stage.tokens}` counts tokens, but some counts are negative"
        raise Fault(Diagnostic("MIX0502", message, Label(stage.span, "selects by it")))
    return whole

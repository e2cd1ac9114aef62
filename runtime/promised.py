"""What a selection promised of its rows, and what became of each promise once they were tokenised. Data; it knows no tokenizer."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..compiler.plan.stages import Budget, Quota, Select
from .candidates import grouped
from .groups import group_rows
from .identity import by_row_id
from .path import SELECTION
from .rows import Rows
from .select import DROPPED_AT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Promised:
    """The clauses that hold of the selected rows together, and the rows: `ids` sorted, `tokens` their w_r (0 where no clause counts them).

    `members`: of each quota the rows that it counts, bool[rows]. `longest`: the tokens of the longest candidate, by which `=` in tokens and a filled
    budget may miss. `counted_by`: the score that counts tokens.
    """

    ids: tuple[str, ...]
    tokens: np.ndarray
    quotas: tuple[Quota, ...] = ()
    members: tuple[np.ndarray, ...] = ()
    budgets: tuple[Budget, ...] = ()
    longest: int = 0
    counted_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One clause after tokenising; amounts are in `unit`, shares in per cent (None where the clause is none).

    `selected`: what it counted at the selection. `left`: the same count, each row by the share of its response that is trained on. `trained`: the tokens
    that carry loss (examples: those trained on), which `low` and `high` bound. `cut` and `dropped` rows are among the `rows` that it counts.
    """

    clause: Quota | Budget
    unit: str
    selected: int
    left: int
    trained: int
    low: int | None
    high: int | None
    selected_share: float | None
    trained_share: float | None
    rows: int
    cut: int
    dropped: int
    within: bool
    kept: bool

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values. `within`: the trained amount is within the bounds; `kept`: it is, or what is left of the selected tokens is."""
        names = ("unit", "selected", "left", "trained", "low", "high", "selected_share", "trained_share", "rows", "cut", "dropped", "within", "kept")
        return {"clause": self.clause.text, **{name: getattr(self, name) for name in names}}


def promised(stage: Select, rows: Rows) -> Promised:
    """What the quotas and budgets of the stage promise of the rows after `select` (those without a reason)."""
    column = f"score:{stage.tokens}"
    counts = stage.tokens is not None and column in rows.columns
    chosen = by_row_id(rows.candidates(["row_id", *grouped(stage), *([column] if counts else [])]))
    tokens = chosen[column].cast(pl.Float64).fill_null(0).round().cast(pl.Int64).to_numpy() if counts else np.zeros(chosen.height, np.int64)
    return Promised(
        ids=tuple(chosen["row_id"]),
        tokens=tokens,
        quotas=stage.quotas,
        members=tuple(group_rows(quota.group, chosen) for quota in stage.quotas),
        budgets=stage.budgets,
        longest=_longest(rows, column) if counts else 0,
        counted_by=stage.tokens if counts else None,
    )


def _longest(rows: Rows, column: str) -> int:
    """The most tokens of a row that no filter dropped."""
    longest = 0
    for part in rows.each(["reason", DROPPED_AT, column]):
        candidate = pl.col("reason").is_null()
        if DROPPED_AT in part.columns:
            candidate |= pl.col(DROPPED_AT) == SELECTION
        longest = max(longest, round(part.filter(candidate)[column].cast(pl.Float64).max() or 0))  # type: ignore[type-var]
    return longest

"""The row that another could be exchanged for, one for one, with every clause counting the same: the proof in the small of why one is in and one is out."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from .account import Rival
from .built import Built
from .charges import Priced


def exchange(build: Built, priced: Priced, place: int, row: Mapping[str, Any], candidate: pl.Series) -> Rival | None:
    """Of a row that is out the weakest that is in, of a row that is in the strongest candidate that is out; None where no row counts in the same clauses.

    Both count in the same groups, have as many tokens where any clause looks at them, and leave no prompt with more rows than may be kept.
    """
    ledger, chosen = build.ledger, row["status"] == "selected"
    objective, tie = build.column("objective"), build.column("tie")
    same = candidate & (ledger["status"] != row["status"]) & ledger[objective].is_not_null()
    for members in priced.members:
        if members is not None:
            same &= members == bool(members[place])
    if priced.counts_tokens:
        same &= (ledger["tokens"] == row["tokens"]).fill_null(value=False)
    if priced.stage.at_most is not None:
        same &= _room(ledger, row, chosen, priced.stage.at_most.count)
    others = ledger.filter(same)
    if others.is_empty() or row[objective] is None:
        return None
    other = others.sort(objective, tie, "row_id", descending=[chosen, not chosen, False]).row(0, named=True)
    ahead = row[objective] - other[objective]
    return Rival(row_id=other["row_id"], prompt_id=other["prompt_id"], teacher=other["teacher"], value=other[objective], ahead=ahead, tie=other[tie])


def _room(ledger: pl.DataFrame, row: Mapping[str, Any], chosen: bool, most: int) -> pl.Series:
    """Whether a prompt has room for the row that comes in once the other has gone."""
    mine = ledger["prompt_id"] == row["prompt_id"]
    inside = (ledger["status"] == "selected").cast(pl.Int32)
    if not chosen:
        full = int((inside * mine.cast(pl.Int32)).sum()) >= most
        return mine if full else pl.repeat(True, ledger.height, eager=True)
    taken = ledger.select(pl.Series("in", inside).sum().over("prompt_id")).to_series()
    return mine | (taken < most)

"""The row that another could be exchanged for, one for one, with every clause still held: the proof in the small of why one is in and one is out."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from ..compiler.plan.stages import Budget, Quota
from .account import Rival
from .built import Built
from .charges import Priced


def exchange(build: Built, priced: Priced, place: int, row: Mapping[str, Any], candidate: pl.Series) -> Rival | None:
    """Of a row that is out the weakest that is in, of a row that is in the strongest candidate that is out, of those with which it can change places.

    None where no exchange holds all clauses. `value` and `ahead` are of the objective, by the tokens where only tokens are budgeted.
    """
    ledger, chosen = build.ledger, row["status"] == "selected"
    tie = build.column("tie")
    worth = pl.col(build.column("objective")) * (pl.col("tokens") if priced.weighted else 1)
    valued = ledger.select("row_id", "prompt_id", "teacher", tie, worth.alias("worth"))
    mine = valued["worth"][place]
    allowed = (candidate & (ledger["status"] != row["status"]) & valued["worth"].is_not_null()).to_numpy().copy()
    if mine is None or not allowed.any():
        return None
    tokens = ledger["tokens"].fill_null(0).to_numpy() if priced.counts_tokens else np.zeros(ledger.height, np.int64)
    selected = (ledger["status"] == "selected").to_numpy()
    allowed &= _room(ledger, place, selected, priced.stage.at_most.count if priced.stage.at_most else None)
    coming = 1 if chosen else -1  # of the other row
    for clause, told, members in zip(priced.clauses, priced.told, priced.members, strict=True):
        if isinstance(clause, Quota | Budget) and told is not None:
            inside = np.ones(ledger.height, bool) if members is None else members.to_numpy()
            allowed &= _held(clause, told, inside, tokens, selected & candidate.to_numpy(), coming, place)
    if priced.soft is not None:
        allowed &= _as_near(priced.soft, ledger["skills"], tokens, coming, place)
    others = valued.filter(pl.Series(allowed))
    if others.is_empty():
        return None
    other = others.sort("worth", tie, "row_id", descending=[chosen, not chosen, False]).row(0, named=True)
    return Rival(
        row_id=other["row_id"], prompt_id=other["prompt_id"], teacher=other["teacher"], value=other["worth"], ahead=mine - other["worth"], tie=other[tie]
    )


def _held(
    clause: Quota | Budget, told: Mapping[str, Any], inside: np.ndarray, tokens: np.ndarray, selected: np.ndarray, coming: int, place: int
) -> np.ndarray:
    """bool[rows]: whether the clause holds when the row at `place` and each other row change places."""
    each = tokens if "tokens" in clause.unit else np.ones(len(tokens), np.int64)
    mine = np.where(inside, each, 0)
    amount = told["amount"] + coming * (mine - mine[place])
    if clause.unit != "% of tokens":
        return _at_least(amount, told["low"]) & _at_least(-amount, None if told["high"] is None else -told["high"])
    total = int(tokens[selected].sum()) + coming * (tokens - tokens[place])
    miss = int(tokens.max(initial=0)) if isinstance(clause, Quota) and clause.equal else 0
    held = np.ones(len(tokens), bool)
    for bound, sign in ((clause.low, 1), (clause.high, -1)) if isinstance(clause, Quota) else ():
        if bound is not None:
            share = Fraction(str(bound)) / 100
            held &= sign * (amount * share.denominator - total * share.numerator) >= -miss * share.denominator
    return held


def _as_near(soft: Mapping[str, Any], skills: pl.Series, tokens: np.ndarray, coming: int, place: int) -> np.ndarray:
    """bool[rows]: whether the targets of a soft quota are missed by no more in all when the row at `place` and each other row change places."""
    each = tokens if soft["unit"] == "tokens" else np.ones(len(tokens), np.int64)
    lacking = np.zeros(len(tokens), np.int64)
    for leaf in soft["leaves"]:
        mine = np.where(skills.list.contains(leaf["leaf"]).fill_null(False).to_numpy(), each, 0)
        lacking += np.maximum(leaf["target"] - leaf["amount"] - coming * (mine - mine[place]), 0)
    return lacking <= soft["shortfall"]


def _at_least(amount: np.ndarray, bound: int | None) -> np.ndarray:
    return np.ones(len(amount), bool) if bound is None else amount >= bound


def _room(ledger: pl.DataFrame, place: int, selected: np.ndarray, most: int | None) -> np.ndarray:
    """bool[rows]: whether no prompt has more than `most` rows once the two have changed places."""
    if most is None:
        return np.ones(ledger.height, bool)
    own = (ledger["prompt_id"] == ledger["prompt_id"][place]).to_numpy()
    taken = ledger.select((pl.col("status") == "selected").sum().over("prompt_id")).to_series().to_numpy()
    return own | (taken < most if selected[place] else np.full(ledger.height, taken[place] < most))

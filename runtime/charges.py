"""What the prices of a selection do to one row: of each clause that counts it, and of all together. It reads the manifest and the ledger's row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum
from typing import Any

import numpy as np
import polars as pl

from ..compiler.plan.stages import AtMost, Budget, Quota, Select
from .account import Charge
from .built import Built
from .groups import group_rows
from .tie_share import tie_share

NOISE = 1e-8
"""Below this share of the largest objective a sum of prices is rounding: differences below 2e-9 of it count as none in a selection."""
Clauses = tuple[AtMost | Quota | Budget, ...]


@dataclass(frozen=True, slots=True)
class Priced:
    """The clauses that act together, what the manifest tells of each, and which row of the ledger each quota counts; `soft`: what it tells of the soft quota. `drawn`: of the
    leaves that rows were drawn from, None where they were not drawn.

    `rounding`: the objective below which amounts are shown as none; `tie`: the same for the seeded hash where that was part of the objective, by each
    token where only tokens are budgeted.
    """

    stage: Select
    clauses: Clauses
    told: tuple[Mapping[str, Any] | None, ...]
    members: tuple[pl.Series | None, ...]
    soft: Mapping[str, Any] | None = None
    drawn: tuple[Mapping[str, Any], ...] | None = None
    rounding: float = 0.0
    tie: float = 0.0

    def noise(self, row: Mapping[str, Any]) -> float:
        """What counts as nothing for the row, in units of the objective."""
        return max(self.rounding, self.tie * (row["tokens"] or 0 if self.weighted else 1))

    @property
    def weighted(self) -> bool:
        """Whether each row counts by its tokens, for they alone are budgeted."""
        return self.stage.fills_tokens

    @property
    def counted(self) -> bool:
        """Whether a budget fixes the number of rows, so that a share of them is a number."""
        return any(isinstance(c, Budget) and c.unit == "examples" for c in self.clauses)

    @property
    def counts_tokens(self) -> bool:
        """Whether any clause looks at the tokens of a row."""
        return any("tokens" in c.unit for c in (*self.stage.quotas, *self.stage.budgets))


def priced(build: Built) -> Priced:
    """The selection of a build with its prices."""
    stage = next(s for s in build.plan.stages if isinstance(s, Select))
    clauses: Clauses = (*((stage.at_most,) if stage.at_most else ()), *stage.quotas, *stage.budgets)
    selection = build.manifest["selection"] or {}
    told = {each["clause"]: each for each in selection.get("clauses", ())}
    frame = build.ledger.rename({name: _role(name) for name in build.ledger.columns if name == "teacher value" or name.startswith("column ")})
    if "teacher_value" not in frame.columns:
        frame = frame.with_columns(teacher_value="teacher")
    members = tuple(pl.Series(group_rows(c.group, frame)) if isinstance(c, Quota) else None for c in clauses)
    drawn = tuple(selection.get("drawn") or ()) if selection.get("method") == "paper" else None
    found = Priced(stage, clauses, tuple(told.get(c.text) for c in clauses), members, selection.get("soft"), drawn)
    valued = build.ledger.filter(pl.col(build.column("advantage")).is_not_null())
    objective = valued[build.column("objective")].cast(pl.Float64)
    worth = objective * valued["tokens"] if found.weighted else objective
    tie = tie_share(objective) if selection.get("method") == "prices" and valued.height else 0.0
    return replace(found, rounding=NOISE * float(worth.abs().max() or 0.0), tie=tie)  # type: ignore[arg-type]


def _role(name: str) -> str:
    return "teacher_value" if name == "teacher value" else f"column:{name.removeprefix('column ')}"


def charges(priced: Priced, place: int, row: Mapping[str, Any], advantage: float | None, value: float) -> tuple[tuple[Charge, ...], float]:
    """What each clause with a price adds to the row at `place` of the ledger, and its advantage: `advantage` if that is known.

    The price of `keep at most` differs from prompt to prompt: it is what is left between `value`, all other charges and `advantage`.
    """
    tokens = row["tokens"] or 0
    found: list[Charge] = []
    for clause, told, members in zip(priced.clauses, priced.told, priced.members, strict=True):
        if isinstance(clause, AtMost) or told is None or not told["price"]:
            continue
        price, side = told["price"], told["side"]
        inside = members is None or bool(members[place])
        amount = float(taken(clause, np.array([inside]), np.array([tokens]), side, priced.counted)[0])
        if amount:
            cost = price if side == "high" else -price
            found.append(Charge(clause=clause.text, amount=-cost * amount, price=price, unit="token" if "tokens" in clause.unit else "example", side=side))
    if priced.soft is not None:
        found += _aimed(priced.soft, row)
    noise = priced.noise(row)
    found = [c for c in found if abs(c.amount) > noise]
    rest = fsum((value, *(c.amount for c in found)))
    if advantage is None:
        return tuple(found), rest if abs(rest) > noise else 0.0
    if priced.stage.at_most is not None and abs(advantage - rest) > noise:
        found.append(Charge(clause=priced.stage.at_most.text, amount=advantage - rest, price=0.0, unit="prompt", side="high"))
    return tuple(found), advantage if abs(advantage) > noise else 0.0


def _aimed(soft: Mapping[str, Any], row: Mapping[str, Any]) -> list[Charge]:
    """What a soft quota adds to a row of the leaves whose targets hold others out: the prices of these targets."""
    price = fsum(leaf.get("price", 0.0) for leaf in soft["leaves"] if leaf["leaf"] in (row["skills"] or ()))
    by_token = soft["unit"] == "tokens"
    amount = price * row["tokens"] if by_token else price
    return [Charge(clause=soft["clause"], amount=amount, price=price, unit="token" if by_token else "example", side="low")] if amount else []


def taken(clause: Quota | Budget, inside: np.ndarray, tokens: np.ndarray, side: str | None, counted: bool) -> np.ndarray:
    """f64[rows]: how many units of the clause's bound each row takes: of a share also what it adds to the whole that the share is of.

    `inside` (bool[rows]) says which rows the clause counts; `counted`: whether the number of rows is fixed, as `Priced.counted`.
    """
    each = tokens if "tokens" in clause.unit else np.ones(len(tokens), np.int64)
    if isinstance(clause, Budget) or "%" not in clause.unit or (clause.unit == "%" and counted):
        return np.where(inside, each, 0).astype(float)
    share = (clause.low if side == "low" or clause.high is None else clause.high) or 0.0
    return each * (np.where(inside, 1.0, 0.0) - share / 100)

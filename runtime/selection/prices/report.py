"""What became of each clause in a selection from a table, and what there is for clauses that cannot be met, from counts of classes."""

import numpy as np
import polars as pl

from ....compiler.plan.stages import AtMost, Budget, Quota
from ..outcomes import outcome
from ..problem import Clause, ConflictMember, Outcome, unit
from ..table import Table
from .classes import Classes
from .constraints import limits


def reported(
    table: Table, known: Classes, counts: np.ndarray, amounts: np.ndarray, fullest: int, prices: tuple[float, ...]
) -> tuple[Outcome, ...]:
    """The outcome of every clause where `counts` rows with `amounts` tokens of each class are chosen, at most `fullest` of a prompt."""
    return tuple(
        outcome(clause, *_measured(table, known, i, clause, counts if unit(clause) == "examples" else amounts, fullest), prices[i])
        for i, clause in enumerate(table.clauses)
    )


def _measured(
    table: Table, known: Classes, i: int, clause: Clause, of: np.ndarray, fullest: int
) -> tuple[int, int | None, int | None, float | None]:
    match clause:
        case AtMost():
            return fullest, None, clause.count, None
        case Budget(unit="examples"):
            return int(of.sum()), None if clause.up_to else clause.amount, clause.amount, None
        case Budget():
            return int(of.sum()), clause.amount - known.most_tokens + 1 if table.fills_tokens else None, clause.amount, None
        case Quota():
            amount, total = int(of[known.members[i - (table.at_most is not None)]].sum()), int(of.sum())
            if "%" not in clause.unit:
                return amount, *limits(clause, known.most_tokens), None
            return amount, *limits(clause, known.most_tokens, total), 100 * amount / total if total else None


def member(table: Table, known: Classes, i: int) -> ConflictMember:
    """What there is for clause `i`; of `keep at most`, a pass counts what it leaves."""
    clause = table.clauses[i]
    quota = i - (table.at_most is not None)
    inside = known.members[quota] if isinstance(clause, Quota) else np.ones(len(known.rows), bool)
    rows, tokens = int(known.rows[inside].sum()), int(known.tokens[inside].sum())
    counted = unit(clause)
    available = rows if counted == "examples" else tokens
    if isinstance(clause, AtMost):
        left = table.frame.group_by("prompt").len().select(pl.col("len").clip(upper_bound=clause.count).sum())
        available = int(left.collect(engine="streaming").item() or 0)
    return ConflictMember(clause=clause, unit=counted, available=available, rows=rows, tokens=tokens)

"""Soft targets as floors of an ordinary table: what each leaf is to reach, beside the hard clauses."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ....compiler.plan.stages import Budget, Group, Quota
from ..matrix import NONE
from ..problem import Problem, Soft
from ..table import Selected, Table
from .kinds import Kinds
from .lines import Line
from .proof import Prices

SPARE = 2.0
"""How many times the greatest value of a row a leaf is given in advance of which all rows are taken: no price is to be looked for then."""
DEVIATIONS = 2.5
"""How far a sample may have less of a leaf than its part."""


@dataclass(frozen=True, slots=True, eq=False)
class Floors:
    """`amount`: what each leaf is to reach. `given`: what each row of the leaf, or each of its tokens, is worth more."""

    amount: np.ndarray
    given: np.ndarray


def floors(soft: Soft[np.ndarray], lacking: np.ndarray, supply: np.ndarray, worth: np.ndarray) -> Floors:
    """The floors of leaves that lack so much. A leaf of which all there is must be taken is paid in advance: that is the same for every selection."""
    amount = np.maximum(np.array(soft.targets, np.int64) - lacking, 0)
    most = float(np.ptp(worth)) if len(worth) else 0.0
    return Floors(amount, np.where((amount > 0) & (amount >= supply), SPARE * most, 0.0))


def easy(full: Floors, supply: np.ndarray, longest: int, part: float, spare: int) -> Floors:
    """Floors that a sample of a `part` of the prompts can meet too: those near to all there is are lower, and of all there is none is asked.
    All are lower by `spare`.
    """
    noise = DEVIATIONS * np.sqrt(supply * float(longest) / part)
    amount = np.minimum(full.amount, np.maximum(supply - noise, 0).astype(np.int64))
    return Floors(np.where(full.given > 0, 0, np.maximum(amount - spare, 0)), full.given)


def hard(problem: Problem, known: Kinds, worth: np.ndarray) -> Table:
    """The hard clauses as a table with `worth` as its objective; its `row` is the index of the candidate."""
    frame = pl.DataFrame(
        {
            "row": pl.int_range(problem.size, dtype=pl.UInt32, eager=True), "prompt": problem.prompt, "tokens": problem.tokens,
            "objective": worth, "tie": problem.tie, "kind": known.of.astype(np.uint32),
        }
    )  # fmt: skip
    return Table(
        frame=frame.lazy(), at_most=problem.at_most, quotas=problem.quotas, budgets=problem.budgets, members=tuple(_inside(each) for each in known.quotas)
    )


def floored(problem: Problem, soft: Soft[np.ndarray], known: Kinds, worth: np.ndarray, floor: Floors) -> Table:
    """The same with the floors."""
    more = np.einsum("i,ij->j", floor.given, known.leaves.astype(float))
    plain = hard(problem, known, worth + more[known.of])
    asked = np.flatnonzero(floor.amount)
    quotas = tuple(_floor(soft, i, int(floor.amount[i])) for i in asked)
    members = tuple(_inside(known.leaves[i]) for i in asked)
    return Table(
        frame=plain.frame, at_most=plain.at_most, quotas=(*plain.quotas, *quotas), members=(*plain.members, *members), budgets=plain.budgets
    )  # fmt: skip


def prices(problem: Problem, floor: Floors, lines: list[Line], answer: Selected) -> Prices:
    """The prices of lines and leaves, where the table with the floors was answered."""
    first = problem.at_most is not None
    of_clauses = np.zeros(len(problem.clauses))
    hard_quotas, asked = len(problem.quotas), np.flatnonzero(floor.amount)
    found = np.array(answer.prices)
    of_clauses[: first + hard_quotas] = found[: first + hard_quotas]
    of_clauses[first + hard_quotas :] = found[len(found) - len(problem.budgets) :]
    leaves = floor.given.copy()
    leaves[asked] -= found[first + hard_quotas : len(found) - len(problem.budgets)]
    return Prices(np.array([of_clauses[line.clause] / float(line.scale) if _is_of(line, of_clauses[line.clause]) else 0.0 for line in lines]), leaves)


def _is_of(line: Line, price: float) -> bool:
    return abs(line.high if price > 0 else line.low) != NONE


def _floor(soft: Soft[np.ndarray], i: int, amount: int) -> Quota:
    group = Group(kind="skill", value=soft.leaves[i])
    return Quota(text=soft.clause.text, group=group, low=float(amount), high=None, unit=soft.unit, span=soft.clause.span)


def _inside(kinds: np.ndarray) -> pl.Expr:
    return pl.col("kind").is_in(np.flatnonzero(kinds).tolist())


def counted(problem: Problem, count: int) -> Problem:
    """The problem with exactly `count` examples in place of a budget `up to`."""
    made = tuple(replace(b, amount=count, up_to=False) if isinstance(b, Budget) and b.up_to else b for b in problem.budgets)
    return replace(problem, budgets=made)

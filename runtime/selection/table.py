"""The selection as a problem over a lazy table: what a solver reads that never holds all candidates, and the step from there to the arrays
of the exact solver. It knows no files.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ...compiler.plan.stages import AtMost, Budget, Quota
from .problem import Clause, Outcome, Problem

COLUMNS = ("row", "prompt", "tokens", "objective", "tie")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Candidates in any order, and the clauses that act on them together.

    `frame`: columns `row` (unique, stable: integers or strings), `prompt` (integers or strings), `tokens` (Int64, w_r, not negative),
    `objective` (Float64, c_r, finite), `tie` (UInt64, the seeded hash, smaller wins), and those that `members` read.
    `members`: for each quota a boolean expression, true for the rows it counts; it must depend on its own row alone.
    """

    frame: pl.LazyFrame
    at_most: AtMost | None = None
    quotas: tuple[Quota, ...] = ()
    members: tuple[pl.Expr, ...] = ()
    budgets: tuple[Budget, ...] = ()

    def __post_init__(self) -> None:
        if len(self.members) != len(self.quotas):
            raise ValueError(f"{len(self.quotas)} quotas, {len(self.members)} groups")
        if any(b.up_to and b.unit != "examples" for b in self.budgets):
            raise ValueError("`up to` goes with a budget in examples")

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, in the order of `Problem.clauses`."""
        return (*((self.at_most,) if self.at_most else ()), *self.quotas, *self.budgets)

    @property
    def fills_tokens(self) -> bool:
        """Whether tokens alone are the budget: then it is filled, and each row counts by its tokens."""
        return bool(self.budgets) and all(b.unit == "tokens" for b in self.budgets)

    @property
    def count(self) -> int | None:
        """How many rows are selected, where a budget says so exactly."""
        return min((b.amount for b in self.budgets if b.unit == "examples" and not b.up_to), default=None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selected:
    """The rows chosen from a table, as `Solution` says it of a problem.

    `rows`: the chosen values of `row`, sorted. No selection has an objective above `bound`; `gap` is the distance to it, relative to the
    objective. `prices`: of each clause as in `Outcome`, above zero where its high bound costs, below where its low bound does.
    `passes`: how often the table was read. `most`: where a budget `up to` took fewer rows than there might be, how many there could be at
    most; the objective and its bound are then those of selections with as many rows. None where it is proven that there are no more.
    """

    rows: pl.Series
    objective: float
    bound: float
    gap: float
    resolution: float
    method: str
    outcomes: tuple[Outcome, ...]
    prices: tuple[float, ...]
    passes: int
    most: int | None = None


def as_problem(table: Table) -> tuple[Problem, pl.Series]:
    """The table as arrays, for the exact solver, and the `row` of each of its candidates (sorted)."""
    groups = [expression.fill_null(value=False).alias(f"member {i}") for i, expression in enumerate(table.members)]
    held = table.frame.select(*COLUMNS, *groups).sort("row").collect()
    problem = Problem(
        prompt=held["prompt"].rank("dense").cast(pl.Int32).to_numpy() - 1 if held.height else np.zeros(0, np.int32),
        tokens=held["tokens"].to_numpy(),
        objective=held["objective"].to_numpy(),
        tie=held["tie"].to_numpy(),
        at_most=table.at_most,
        quotas=table.quotas,
        members=tuple(held[f"member {i}"].to_numpy() for i in range(len(table.members))),
        budgets=table.budgets,
    )
    return problem, held["row"]


def as_table(problem: Problem) -> Table:
    """The clauses of a problem over its candidates as a table: rows that quotas count alike have one number in `counted`."""
    inside = np.zeros((problem.size, max(len(problem.quotas), 1)), bool)
    for i, members in enumerate(problem.members):
        inside[members, i] = True
    patterns, counted = np.unique(np.packbits(inside, axis=1), axis=0, return_inverse=True)
    counts = np.unpackbits(patterns, axis=1).astype(bool)
    held = {
        "row": np.arange(problem.size, dtype=np.uint32), "prompt": problem.prompt, "tokens": problem.tokens, "objective": problem.objective,
        "tie": problem.tie, "counted": counted.reshape(-1).astype(np.uint32),
    }  # fmt: skip
    members = tuple(pl.col("counted").is_in(np.flatnonzero(counts[:, i]).tolist()) for i in range(len(problem.quotas)))
    return Table(frame=pl.DataFrame(held).lazy(), at_most=problem.at_most, quotas=problem.quotas, members=members, budgets=problem.budgets)

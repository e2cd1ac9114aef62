"""The selection as a problem in numbers: candidates, what each clause counts, and what a solver answers. It knows no
names of columns, files or frames.

Rows are indices into arrays sorted by row id. A clause is the `AtMost`, `Quota` or `Budget` of the plan's Select stage,
with its text and span.
"""

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from ...compiler.plan.stages import AtMost, Budget, Quota, SoftQuota

Clause = AtMost | Quota | Budget
Members = TypeVar("Members")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Soft(Generic[Members]):
    """The targets of a soft quota: a leaf of the skills should have at least its target; what it lacks is its shortfall.

    `targets` are in `unit` (`examples` or `tokens`), the leaves in the order of their names. `members`: for each leaf the
    rows that it counts, as a solver takes them (a bool array or indices, or an expression). A row may count in several.
    """

    clause: SoftQuota
    leaves: tuple[str, ...]
    targets: tuple[int, ...]
    members: tuple[Members, ...]
    unit: str = "examples"

    def __post_init__(self) -> None:
        if not len(self.leaves) == len(self.targets) == len(self.members):
            raise ValueError(f"{len(self.leaves)} leaves, {len(self.targets)} targets, {len(self.members)} groups")
        if any(t < 0 for t in self.targets):
            raise ValueError("targets must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Candidates sorted by row id, one entry of each array a row, and the clauses that act on them together.

    `prompt`: index of the row's prompt. `tokens`: w_r. `objective`: c_r, finite. `tie`: the seeded hash, smaller wins.
    `members`: for each quota the rows it counts, as a bool array or as indices; kept as sorted indices.
    """

    prompt: np.ndarray
    tokens: np.ndarray
    objective: np.ndarray
    tie: np.ndarray
    at_most: AtMost | None = None
    quotas: tuple[Quota, ...] = ()
    members: tuple[np.ndarray, ...] = ()
    budgets: tuple[Budget, ...] = ()
    soft: Soft[np.ndarray] | None = None

    def __post_init__(self) -> None:
        wanted = {"prompt": np.int32, "tokens": np.int64, "objective": np.float64, "tie": np.uint64}
        for name, dtype in wanted.items():
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if column.shape != (len(self.tokens),):
                raise ValueError(f"{name} has shape {column.shape}, there are {len(self.tokens)} candidates")
            object.__setattr__(self, name, column)
        if not np.isfinite(self.objective).all() or (self.size and self.tokens.min() < 0):
            raise ValueError("objectives must be finite and tokens not negative")
        if len(self.members) != len(self.quotas):
            raise ValueError(f"{len(self.quotas)} quotas, {len(self.members)} groups")
        if any(b.up_to and b.unit != "examples" for b in self.budgets):
            raise ValueError("`up to` goes with a budget in examples")
        object.__setattr__(self, "members", tuple(_indices(m) for m in self.members))
        if self.soft is not None:
            object.__setattr__(self, "soft", replace(self.soft, members=tuple(_indices(m) for m in self.soft.members)))

    @property
    def size(self) -> int:
        """How many candidates there are."""
        return len(self.tokens)

    @property
    def longest(self) -> int:
        """Tokens of the longest candidate, 0 where there is none."""
        return int(self.tokens.max(initial=0))

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every hard clause: `keep at most`, then quotas, then budgets. Solutions and conflicts number them by their
        place here.
        """
        return (*((self.at_most,) if self.at_most else ()), *self.quotas, *self.budgets)

    @property
    def fills_tokens(self) -> bool:
        """Whether tokens alone are the budget: then it is filled, and each row counts by its tokens."""
        return bool(self.budgets) and all(b.unit == "tokens" for b in self.budgets)

    def counted(self, clause: int) -> np.ndarray:
        """The rows that clause number `clause` counts, as indices."""
        quota = clause - (self.at_most is not None)
        return self.members[quota] if 0 <= quota < len(self.quotas) else np.arange(self.size)


def with_clause(problem: Problem, i: int, clause: Clause) -> Problem:
    """The problem with clause number `i` replaced by another of its kind."""
    if isinstance(clause, AtMost):
        return replace(problem, at_most=clause)
    clauses = [*problem.quotas, *problem.budgets]
    clauses[i - (problem.at_most is not None)] = clause
    quotas = tuple(c for c in clauses if isinstance(c, Quota))
    return replace(problem, quotas=quotas, budgets=tuple(c for c in clauses if isinstance(c, Budget)))


def _indices(members: np.ndarray) -> np.ndarray:
    members = np.asarray(members)
    return np.flatnonzero(members) if members.dtype == bool else np.unique(members.astype(np.int64))


def unit(clause: Clause) -> str:
    """What a clause counts: `examples` or `tokens` (a share counts what it is a share of)."""
    if isinstance(clause, AtMost):
        return "examples"
    return "tokens" if "tokens" in clause.unit else "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one clause.

    `amount`, `low`, `high`, `slack` are in `unit` (`examples` or `tokens`), shares resolved against what was selected;
    `share` is the amount in per cent where the clause is a share. Of `keep at most` the amount is that of the fullest
    prompt. `slack` is the distance to the nearer bound. `price` is never negative: what the objective would gain, by
    the LP relaxation, if the bound on `side` (`low` or `high`) gave way by one `unit` (for `keep at most`: by one row
    in every prompt). `binding`: it has a price, or the amount stands at a bound.
    """

    clause: Clause
    unit: str
    amount: int
    low: int | None
    high: int | None
    share: float | None = None
    slack: int | None
    binding: bool
    price: float = 0.0
    side: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What became of one leaf of a soft quota: `amount` of it was selected, `shortfall` is max(0, target - amount), and
    the candidates have `available` of it. `price`, never negative: what the objective would gain, by the LP relaxation, if the target were one lower
    and nothing else changed; each row of the leaf is worth so much more by it (times its tokens where targets are in tokens).
    """

    leaf: str
    target: int
    amount: int
    shortfall: int
    available: int
    price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftOutcome:
    """What became of a soft quota, its leaves in order; amounts are in `unit`. `price`, never negative: what the objective
    would gain, by the LP relaxation, if the sum of the shortfalls might be one `unit` more. `least`: no selection has a
    smaller sum; where tokens count it may lie below `shortfall`, and then the two say how near to the least it is proven to be.
    """

    clause: SoftQuota
    unit: str
    targets: tuple[Target, ...]
    shortfall: int
    least: int
    price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """A leaf of the published sampler: its `weight`, the share of the first draw that this is (`chance`; 0 where no candidate has the leaf), and
    how many candidates are `available`.
    """

    leaf: str
    weight: float
    chance: float
    available: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """The rows chosen and the proof. `objective` is the exact sum of c_r (w_r c_r where only tokens are budgeted) over
    them, rounded once.

    `bound`: no selection has a higher objective, where values that differ by less than `resolution` a row count as
    equal. `method`: `all` (no budget), `sorted` (nothing couples the rows) or `milp`. `advantage`: c_r less the prices
    of all clauses that count row r, in objective units; None without prices. `soft`: what became of the soft quota, whose
    shortfall is the least that the clauses allow as far as it says so; the bound is of the selections that lack no more. `drawn`: where rows were drawn
    (`method` is `paper`) and nothing was maximised, the leaves that were drawn from. `most`: where a budget `up to` took fewer rows than there
    might be, how many there could be at most; None where it is proven that there are no more.
    """

    chosen: np.ndarray
    objective: float
    bound: float
    gap: float
    resolution: float
    method: str
    outcomes: tuple[Outcome, ...]
    advantage: np.ndarray | None = field(default=None, repr=False)
    soft: SoftOutcome | None = None
    drawn: tuple[Chance, ...] = ()
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictMember:
    """One clause of a conflict and what there is for it: `rows` and `tokens` of the candidates it counts, `available`
    the same in the clause's unit.

    Of `keep at most k`, `available` is how many rows it leaves selectable. `selectable`: of a quota in conflict with it, how
    many of the group's rows that are; None elsewhere.
    """

    clause: Clause
    unit: str
    available: int
    rows: int
    tokens: int
    selectable: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The nearest bound that ends the conflict when every other clause stays: `clause` becomes `changed`, its text
    rewritten.

    `bound` is `low`, `high`, `equal`, `amount` (of a budget) or `count` (of `keep at most`); `old` and `new` are in the
    clause's own unit. `enough`: the whole problem is then feasible; where it is False another conflict remains after
    this one. `nearest`: proven to be the nearest; where it is False the effort ran out between this value, which is
    feasible, and one that is known not to be. `whole` is False where fractions of rows satisfy the clauses, and whole rows were not searched.
    """

    clause: Clause
    changed: Clause
    bound: str
    old: float
    new: float
    enough: bool = True
    nearest: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A set of clauses that no selection satisfies together, while any of them left out would make the rest of the set
    satisfiable.

    `changes` come nearest first; of `unsearched` clauses no bound was looked at, for by the proof of the conflict
    they are not likelier to be nearer. `all_selected`: there is no budget, every candidate is selected and quotas are only checked.
    `proven` is False where no selection was found, none was proven impossible, and the set need not be minimal. `left_out`: what is proven to satisfy
    the others where one of the clauses is left out: `rows`, `fractions` of rows, or, of one of them at least, nothing (`open`).
    """

    members: tuple[ConflictMember, ...]
    changes: tuple[Change, ...]
    all_selected: bool = False
    unsearched: int = 0
    proven: bool = True
    left_out: str = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """No selection satisfies the problem."""

    conflict: Conflict

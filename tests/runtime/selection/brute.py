"""The selection problem solved by trying every subset, written from the language's definition and sharing no code with
the solver.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from mixc.compiler.plan.stages import AtMost, Budget, Group, Quota
from mixc.compiler.source import Span
from mixc.runtime.selection.problem import Change, Clause, Problem

SPAN = Span("t.mix", 0, 1)


def quota(low: float | None = None, high: float | None = None, unit: str = "examples", equal: bool = False, name: str = "G") -> Quota:
    return Quota(
        text=f"quota {name} {low} {high} {unit} {equal}",
        group=Group(kind="skill", value=name),
        low=low,
        high=high,
        unit=unit,
        equal=equal,
        span=SPAN,
    )


def budget(amount: int, unit: str = "examples", up_to: bool = False) -> Budget:
    return Budget(text=f"budget {up_to} {amount} {unit}", amount=amount, unit=unit, up_to=up_to, span=SPAN)


def at_most(count: int) -> AtMost:
    return AtMost(text=f"keep at most {count} per prompt", count=count, span=SPAN)


def subsets(n: int) -> np.ndarray:
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def satisfied(problem: Problem, clauses: Sequence[int] | None = None) -> np.ndarray:
    """For every subset of the candidates: whether it satisfies the clauses (`up to` as a mere cap), by their
    definition.
    """
    n = problem.size
    sets = subsets(n)
    good = np.ones(len(sets), bool)
    for i in range(len(problem.clauses)) if clauses is None else clauses:
        good &= np.array([_holds(problem, i, np.flatnonzero(s)) for s in sets], bool)
    if not problem.budgets:
        good &= sets.all(axis=1)
    return good


def _holds(problem: Problem, i: int, chosen: np.ndarray) -> bool:
    clause = problem.clauses[i]
    w = [int(t) for t in problem.tokens]
    longest = max(w, default=0)
    rows, total = len(chosen), sum(w[r] for r in chosen)
    if isinstance(clause, AtMost):
        return all(list(problem.prompt[chosen]).count(p) <= clause.count for p in set(problem.prompt))
    if isinstance(clause, Budget):
        if clause.unit == "examples":
            return rows <= clause.amount if clause.up_to else rows == clause.amount
        alone = all(b.unit == "tokens" for b in problem.budgets)
        return total <= clause.amount and (not alone or total > clause.amount - longest)
    members = {int(r) for r in problem.counted(i)}
    inside = [r for r in chosen if int(r) in members]
    amount = len(inside) if clause.unit in ("examples", "%") else sum(w[r] for r in inside)
    low, high = (None if b is None else Fraction(str(b)) for b in (clause.low, clause.high))
    of = {"%": rows, "% of tokens": total}.get(clause.unit)
    if of is not None:
        low, high = (None if b is None else b * of / 100 for b in (low, high))
    if clause.equal and low is not None:
        miss = {"examples": 0, "%": 1}.get(clause.unit, longest)
        return abs(amount - low) <= miss
    return (low is None or amount >= low) and (high is None or amount <= high)


def best(problem: Problem) -> tuple[Fraction | None, list[np.ndarray]]:
    """The objective of the best subset in exact integers or fractions, and all subsets that reach it; (None, []) where
    none is feasible.
    """
    sets = subsets(problem.size)
    good = satisfied(problem)
    alone = bool(problem.budgets) and all(b.unit == "tokens" for b in problem.budgets)
    for b in problem.budgets:
        if b.up_to and good.any():
            size = sets.sum(axis=1)
            good &= size == size[good].max()
    if not good.any():
        return None, []
    value = [Fraction(float(c)) * (int(w) if alone else 1) for c, w in zip(problem.objective, problem.tokens, strict=True)]
    reached = {i: sum((value[r] for r in np.flatnonzero(sets[i])), Fraction(0)) for i in np.flatnonzero(good)}
    top = max(reached.values())
    return top, [sets[i].astype(bool) for i in reached if reached[i] == top]


def objective_of(problem: Problem, chosen: np.ndarray) -> Fraction:
    """The objective of a selection, exactly."""
    alone = bool(problem.budgets) and all(b.unit == "tokens" for b in problem.budgets)
    rows = np.flatnonzero(chosen)
    return sum((Fraction(float(problem.objective[r])) * (int(problem.tokens[r]) if alone else 1) for r in rows), Fraction(0))


def sample(rng: np.random.Generator) -> Problem:
    """A random small problem that uses every clause, unit and bound form now and then."""
    n = int(rng.integers(1, 9))
    tokens = rng.integers(1, 12, n)
    style = rng.integers(3)
    objective = (
        rng.integers(-3, 4, n) / 4 if style == 0 else rng.integers(0, 2, n) * 1.0 if style == 1 else rng.integers(-500, 500, n) / 128
    )
    quotas, members = [], []
    for _ in range(rng.integers(0, 4)):
        unit = ["examples", "tokens", "%", "% of tokens"][rng.integers(4)]
        most = {"examples": n, "tokens": int(tokens.sum())}.get(unit, 100)
        a, b = sorted(int(v) for v in rng.integers(0, most + 1, 2))
        a, b = (float(a), float(b)) if rng.integers(2) or "%" not in unit else (a + 0.5, b + 0.5)
        form = rng.integers(4)
        low, high = [(a, None), (None, b), (a, b), (a, a)][form]
        quotas.append(quota(low, high, unit, bool(form == 3)))
        members.append(rng.integers(0, 2, n).astype(bool))
    budgets = []
    kind = rng.integers(7)
    if kind in (1, 2, 3, 4):
        budgets.append(budget(int(rng.integers(1, n + 1)), up_to=bool(rng.integers(2))))
    if kind in (3, 4, 5, 6):
        budgets.append(budget(int(rng.integers(1, tokens.sum() + 4)), "tokens"))
    return Problem(
        prompt=np.sort(rng.integers(0, max(1, n // 2), n)),
        tokens=tokens,
        objective=objective,
        tie=rng.integers(0, 2**64, n, dtype=np.uint64),
        at_most=at_most(int(rng.integers(1, 3))) if rng.integers(3) == 0 else None,
        quotas=tuple(quotas),
        members=tuple(members),
        budgets=tuple(budgets),
    )


def nearer(change: Change) -> Iterator[Clause]:
    """The clause with every value between the proposed one and the one that was written: tenths of a per cent for
    shares, else whole numbers.
    """
    clause = change.clause
    parts = 10 if "%" in getattr(clause, "unit", "") else 1
    low, high = sorted((Fraction(str(change.old)) * parts, Fraction(str(change.new)) * parts))
    steps = [Fraction(s, parts) for s in range(int(low) - 1, int(high) + 2) if low < s < high]
    for step in steps:
        yield replaced(clause, change.bound, float(step))


def replaced(clause: Clause, bound: str, value: float) -> Clause:
    """The clause with one bound set to `value`."""
    match bound:
        case "equal":
            return replace(clause, low=value, high=value)
        case "low" | "high":
            return replace(clause, **{bound: value})
        case _:
            return replace(clause, **{bound: int(value)})

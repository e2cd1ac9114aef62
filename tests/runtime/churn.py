"""Tables of candidates on which a selection can be changed a little, and the least that a change could have moved. Imported as `mixc.tests.runtime.churn`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mixc.runtime.identity import seeded_hash
from mixc.runtime.selection.exact import solve
from mixc.runtime.selection.integer import maximise
from mixc.runtime.selection.matrix import stacked
from mixc.runtime.selection.objective import objective
from mixc.runtime.selection.problem import Infeasible, Problem, Solution
from mixc.runtime.selection.rows import Row, rows
from mixc.tests.runtime.selection.brute import at_most, budget, quota

Table = Mapping[str, np.ndarray]
KINDS = ("random", "continuous", "tenths", "binary")
"""Objectives: the seeded hash, a score without ties, one with many, one with hardly anything but ties."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows that a change moved in or out, and the fewest that any best selection of the changed problem would have moved."""

    change: str
    mine: int
    least: int


def table(seed: int, kind: str, teachers: int = 3, prompts: int = 80) -> Table:
    """Rows sorted by id; each teacher answers by a generator of its own, so that one more changes nothing of the others."""
    skill = np.random.default_rng([seed, 99]).integers(0, 5, prompts)
    parts = []
    for teacher in range(teachers):
        rng = np.random.default_rng([seed, teacher])
        there = np.flatnonzero(rng.random(prompts) < 0.9)
        tokens, value = rng.integers(20, 400, prompts)[there], rng.normal(size=prompts)[there]
        ids = np.array([f"{prompt:04}-{teacher}" for prompt in there])
        parts.append({"id": ids, "prompt": there, "teacher": np.full(len(there), teacher), "skill": skill[there], "tokens": tokens, "value": value})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined["id"])
    found = {name: column[order] for name, column in joined.items()}
    tie = seeded_hash(3, found["id"].tolist())
    value = found.pop("value")
    values = {"random": tie / 2.0**64, "continuous": value, "tenths": np.round(value, 1), "binary": (value > 0).astype(float)}
    return found | {"tie": tie, "objective": values[kind]}


def problem(rows: Table, examples: int = 40, tokens: int | None = 6500, floor: int = 11, cap: float = 45.0) -> Problem:
    """A floor and a cap on skills, caps on teachers by tokens, one row a prompt, one or two budgets: all of them near to binding."""
    skill, teacher = rows["skill"], rows["teacher"]
    quotas = [quota(floor, None, name="s0"), quota(6, None, name="s1"), quota(None, 7, name="s2")]
    members = [skill == 0, skill == 1, skill == 2]
    for each in range(int(teacher.max()) + 1):
        quotas.append(quota(None, cap, "% of tokens", name=f"t{each}"))
        members.append(teacher == each)
    budgets = [budget(examples)] + ([budget(tokens, "tokens")] if tokens else [])
    return Problem(
        prompt=rows["prompt"], tokens=rows["tokens"], objective=rows["objective"], tie=rows["tie"], at_most=at_most(1),
        quotas=tuple(quotas), members=tuple(members), budgets=tuple(budgets),
    )  # fmt: skip


def moved(change: str, old: frozenset[str], ids: np.ndarray, new: Problem) -> Moved | None:
    """What solving `new` moves from the ids `old`, against the nearest of all its best selections; None where it has none."""
    answer = solve(new)
    if isinstance(answer, Infeasible):
        return None
    return Moved(change, len(old ^ chosen(ids, answer)), len(old ^ nearest(new, answer, old, ids)))


def chosen(ids: np.ndarray, answer: Solution) -> frozenset[str]:
    return frozenset(ids[answer.chosen].tolist())


def nearest(problem: Problem, answer: Solution, old: frozenset[str], ids: np.ndarray) -> frozenset[str]:
    """Of all selections of the objective that `answer` has reached the one that keeps most of `old`: an integer program of its own, over the
    columns in which best selections can differ at all.
    """
    value = objective(problem.objective).value
    matrix = stacked(rows(problem), problem.size)
    best = maximise(matrix, value)
    assert best is not None and best.value == int(value[answer.chosen].sum())
    free, reached = best.open, int(value[best.open][answer.chosen[best.open]].sum())
    part = matrix.restricted(free, answer.chosen).with_row(Row(np.arange(len(free)), value[free], reached, reached))
    found = maximise(part, 2 * np.isin(ids[free], sorted(old)).astype(np.int64) - 1)
    assert found is not None
    chosen = answer.chosen.copy()
    chosen[free] = found.chosen
    return frozenset(ids[chosen].tolist())

"""A soft quota over candidates: its leaves, their targets and rows for a solver, or the rows that the published sampler draws."""

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Select, SoftQuota
from .selection.outcomes import outcomes
from .selection.problem import Chance, Problem, Soft, Solution
from .selection.published import Drawn, draw
from .selection.targets import by_chain, leaves, published, targets, weights

MOST = 0.5
"""The share of the draws above which one leaf is told of."""


def soft_targets(stage: Select, live: pl.DataFrame) -> Soft[np.ndarray] | None:
    """The leaves that have a target, and their rows among the candidates; None without a soft quota, and for the published sampler."""
    soft = stage.soft
    if soft is None or soft.shape == "paper" or not stage.budgets:
        return None
    tallies = by_chain(_measured(stage, soft) if soft.shape == "weakness" else (), stage.tree)
    names = leaves(stage.tree, [*_values(live), *tallies])
    found, unit = targets(weights(names, tallies, soft), stage.quotas, stage.budgets)
    aimed = tuple(sorted(found))
    return Soft(clause=soft, leaves=aimed, targets=tuple(found[n] for n in aimed), members=_members(aimed, live), unit=unit)


def draw_rows(stage: Select, soft: SoftQuota, live: pl.DataFrame, problem: Problem) -> tuple[Solution, tuple[str, ...]]:
    """The rows that the published sampler draws, and what is to be told of it. Fault MIX0401 where its leaves have fewer rows than the budget."""
    tallies = by_chain(_measured(stage, soft), stage.tree)
    names = leaves(stage.tree, [*_values(live), *tallies])
    weight = published(names, tallies, soft)
    members = _members(tuple(weight), live)
    drawn = draw(list(weight.values()), members, problem.tie, stage.budgets[0].amount)
    if drawn.pool < stage.budgets[0].amount:
        raise Fault(_too_few(stage, soft, drawn.pool, live.height))
    done = outcomes(problem, drawn.chosen)
    leaves_drawn = tuple(
        Chance(leaf=leaf, weight=float(w), chance=chance, available=len(of))
        for (leaf, w), chance, of in zip(weight.items(), drawn.chance, members, strict=True)
    )
    answer = Solution(
        chosen=drawn.chosen, objective=0.0, bound=0.0, gap=0.0, resolution=0.0, method="paper", outcomes=done, drawn=leaves_drawn
    )  # fmt: skip
    return answer, _hazard(soft, tuple(weight), drawn)


def _too_few(stage: Select, soft: SoftQuota, pool: int, rows: int) -> Diagnostic:
    budget = stage.budgets[0]
    return Diagnostic(
        "MIX0401",
        f"`{budget.text}` cannot be satisfied: the leaves that the profile tried have {pool:,} candidates",
        Label(budget.span, f"{pool:,} examples available"),
        (Label(soft.span, "draws from leaves with attempts alone"),),
        (f"{rows - pool:,} of {rows:,} candidates have no skill that the profile of `{soft.student}` tried",),
        help=f"the nearest change: `budget {pool} examples`" if pool else "measure the profile on the skills that the rows have",
    )


def _hazard(soft: SoftQuota, names: tuple[str, ...], drawn: Drawn) -> tuple[str, ...]:
    first = max(range(len(names)), key=lambda i: drawn.chance[i], default=None)
    if first is None or drawn.chance[first] <= MOST:
        return ()
    return (
        f"`{soft.text}` draws {drawn.chance[first]:.0%} of its rows from `{names[first]}` until they run out; `quota skill weakness` bounds and smooths such weights",
    )


def _measured(stage: Select, soft: SoftQuota) -> tuple:
    if stage.tallies is None:
        raise RuntimeError(f"`{soft.text}` is reached before its profile is known; this is a bug in mixc")
    return stage.tallies


def _values(live: pl.DataFrame) -> list[str]:
    return live["skills"].explode().drop_nulls().unique().to_list() if "skills" in live.columns else []


def _members(names: tuple[str, ...], live: pl.DataFrame) -> tuple[np.ndarray, ...]:
    """For each leaf the rows that are tagged with it, as indices into the candidates."""
    tagged = live.select("skills").with_row_index("row").explode("skills", empty_as_null=True).drop_nulls("skills")
    rows = {name: part["row"].to_numpy().astype(np.int64) for (name,), part in tagged.group_by("skills", maintain_order=True)}
    return tuple(rows.get(name, np.zeros(0, np.int64)) for name in names)

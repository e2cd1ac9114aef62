"""The arms of an evaluation as stages of their own: the recipe at each seed, and what each baseline would select of the same candidates."""

from collections.abc import Iterator

from ..clauses import Keep, Where
from ..expressions import Column, Constant, Expression, Operation, columns, conjuncts
from ..semantics import ir
from .express import express
from .passes import PASSES
from .stages import Arm, Select

RECIPE = "recipe"
RANDOM = "random"
OTHER_TIES = 2**32
"""Above every seed of a spec: what a random arm breaks ties by has nothing to do with what it draws."""


def arms(mixture: ir.Mixture, select: Select, seed: int) -> tuple[Arm, ...]:
    """The trained arms in their order: `after`, the recipe at its other seeds, then each baseline at every seed; none where nothing is trained.

    `seed` is that of the training where `evaluate` names none.
    """
    measured = mixture.evaluate
    if measured is None or mixture.train is None:
        return ()
    seeds = measured.seeds or (seed,)
    found = [Arm(name="after" if number == 0 else f"{RECIPE}-{each}", recipe=RECIPE, seed=each, span=measured.span) for number, each in enumerate(seeds)]
    for baseline in measured.baselines:
        found += [
            Arm(name=f"{baseline.by}-{each}", recipe=baseline.by, seed=each, select=_select(mixture, select, baseline, each), span=baseline.span)
            for each in seeds
        ]
    return tuple(found)


def likelihoods(mixture: ir.Mixture) -> frozenset[str]:
    """The scores that a student's log-probabilities make: a baseline is no baseline if it filters by them."""
    return frozenset(score.name for score in mixture.scores if score.scorer in PASSES)


def reads_likelihood(condition: Expression, mixture: ir.Mixture) -> bool:
    """Whether a part of a filter (of those that it joins by `and`) goes by a student's log-probabilities."""
    return bool({c.name for c in columns(condition) if c.source == "score"} & likelihoods(mixture))


def _select(mixture: ir.Mixture, recipe: Select, baseline: ir.Baseline, seed: int) -> Select:
    """The selection of a baseline: budgets and `keep at most` as in the recipe, no quotas, `keep best` and the objective by the baseline's own order."""
    is_random = baseline.by == RANDOM
    by: Expression = Constant(0) if is_random else Column("score", baseline.by)
    return Select(
        id=f"select:{baseline.by}-{seed}" if is_random else f"select:{baseline.by}",
        inputs=recipe.inputs[:1],
        steps=tuple(_steps(recipe, mixture, baseline.by, by)),
        at_most=recipe.at_most,
        budgets=recipe.budgets,
        objective=None if is_random else by,
        objective_text=baseline.by,
        tokens=recipe.tokens,
        solver=recipe.solver,
        seed=seed + OTHER_TIES if is_random else recipe.seed,
        draw=seed if is_random else None,
        span=baseline.span,
    )


def _steps(recipe: Select, mixture: ir.Mixture, name: str, by: Expression) -> Iterator[Where | Keep]:
    for step in recipe.steps:
        if isinstance(step, Keep):
            yield Keep(text=f"keep best {step.count} per prompt by {name}", count=step.count, by=by, span=step.span)
            continue
        kept = [part for part in conjuncts(step.condition) if not reads_likelihood(part, mixture)]
        if kept:
            condition = kept[0] if len(kept) == 1 else Operation("and", tuple(kept))
            whole = len(kept) == len(conjuncts(step.condition))
            yield step if whole else Where(text=f"where {express(condition)}", condition=condition, span=step.span)

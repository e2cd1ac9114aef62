"""The targets of a soft quota: how weak the student is at each leaf, and what each leaf should have of the budget. Exact, in
fractions; it knows accuracies as values, not where they were measured, and no rows.

A node of the skills is named by its chain from the root's child, `A->B->C`; the root is the empty chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, lcm

from ...compiler.clauses import Budget, Quota, SoftQuota, Tally
from ..skill_accuracy import ARROW, Prior, skill_accuracies
from .rows import exact


def leaves(tree: Sequence[tuple[str, str]] | None, used: Iterable[str]) -> tuple[str, ...]:
    """The leaves by name of their chains: those of the tree, or, without one, every value of `used`."""
    if tree is None:
        return tuple(sorted(set(used)))
    chains = {chain for _, chain in tree}
    return tuple(sorted(chains - {chain.rpartition(ARROW)[0] for chain in chains}))


def by_chain(tallies: Iterable[tuple[str, Tally]], tree: Sequence[tuple[str, str]] | None) -> dict[str, Tally]:
    """The tallies by chain, where they are named by node or by chain; without a tree a name is a chain of its own."""
    chains = dict(tree or ())
    found: dict[str, Tally] = {}
    for name, tally in tallies:
        chain = chains.get(name, name)
        known = found.get(chain, Tally(attempts=0, correct=0))
        found[chain] = Tally(attempts=known.attempts + tally.attempts, correct=known.correct + tally.correct)
    return found


def accuracies(names: Sequence[str], tallies: Mapping[str, Tally], soft: SoftQuota) -> dict[str, Fraction | None]:
    """The accuracy of each leaf, drawn to its parent's from the root down; None where no leaf was attempted and there is no prior.

    Counts of an inner node are the sums over its children. A leaf below `min_support` attempts has its parent's accuracy, and so has a
    node that was never attempted where there is no prior.
    """
    found = skill_accuracies(names, tallies, prior_of(soft))
    return {name: found[name].accuracy for name in names}


def prior_of(soft: SoftQuota) -> Prior:
    """How the clause draws accuracies together."""
    return Prior(exact(soft.alpha or 0), exact(soft.beta or 0), soft.min_support or 0)


def weights(names: Sequence[str], tallies: Mapping[str, Tally], soft: SoftQuota) -> dict[str, Fraction]:
    """The weight of each leaf, min(1 / accuracy, `max_weight`); 1 each where the shape is `uniform` or nothing was ever attempted."""
    if soft.shape == "uniform":
        return dict.fromkeys(names, Fraction(1))
    most = exact(soft.max_weight or 1)
    return {name: _weight(acc, most) for name, acc in accuracies(names, tallies, soft).items()}


def published(names: Sequence[str], tallies: Mapping[str, Tally], soft: SoftQuota) -> dict[str, Fraction]:
    """The weights of the published sampler (Zhang et al., 2601.10109): the leaves' own counts alone, and none for a leaf that was never tried."""
    most = exact(soft.max_weight or 1)
    tried = {name: tally for name in names if (tally := tallies.get(name)) and tally.attempts}
    return {name: _weight(Fraction(tally.correct, tally.attempts), most) for name, tally in tried.items()}


def shares(weights: Mapping[str, Fraction], amount: int) -> dict[str, int]:
    """`amount` shared out by the weights in whole numbers, by largest remainder; equal remainders go by name."""
    whole = lcm(*(w.denominator for w in weights.values()))
    parts = {name: w.numerator * (whole // w.denominator) for name, w in weights.items()}
    total = sum(parts.values())
    if not total:
        return dict.fromkeys(weights, 0)
    found = {name: amount * part // total for name, part in parts.items()}
    last = sorted(parts, key=lambda name: (-(amount * parts[name] % total), name))
    for name in last[: amount - sum(found.values())]:
        found[name] += 1
    return found


def targets(weights: Mapping[str, Fraction], quotas: Sequence[Quota], budgets: Sequence[Budget]) -> tuple[dict[str, int], str]:
    """The target of each leaf that no quota names, and their unit.

    They share the examples budget, or the token budget where there is no other, less the floors of the named leaves. A floor counts where it
    is in the budget's unit or a share of it; of several on a leaf the highest does.
    """
    budget = next((b for b in budgets if b.unit == "examples"), None) or budgets[0]
    named = {q.group.value: 0 for q in quotas if q.group.kind == "skill"}
    for quota in quotas:
        if quota.group.kind == "skill" and quota.low is not None:
            named[quota.group.value] = max(named[quota.group.value], _floor(quota, budget))
    taken = {name: found for name in weights if (found := _named(name, named)) is not None}
    rest = max(0, budget.amount - sum(taken.values()))
    return shares({name: w for name, w in weights.items() if name not in taken}, rest), budget.unit


def _named(leaf: str, named: Mapping[str, int]) -> int | None:
    """The floor of a leaf that a quota names, by its own name; None where none does."""
    return named.get(leaf.rpartition(ARROW)[2])


def _floor(quota: Quota, budget: Budget) -> int:
    whole = "%" if budget.unit == "examples" else "% of tokens"
    if quota.unit == budget.unit:
        return ceil(exact(quota.low or 0))
    return ceil(exact(quota.low or 0) * budget.amount / 100) if quota.unit == whole else 0


def _weight(accuracy: Fraction | None, most: Fraction) -> Fraction:
    if accuracy is None:
        return Fraction(1)
    return min(1 / accuracy, most) if accuracy else most

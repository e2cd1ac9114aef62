"""How often a student is right at each skill of a tree, from its attempts at the leaves: one definition for targets, coverage and profiles.

Exact, in fractions; it knows counts, not where they were measured. A node is named by its chain from the root's child; the root is the empty chain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..compiler.clauses import Tally
from .proportions import credible, wilson

ARROW = "->"
ROOT = ""


@dataclass(frozen=True, slots=True)
class Prior:
    """beta(`alpha`, `beta`), both 0 for none: the root's prior, and by its strength alpha + beta how far each node is drawn to the one above it. A leaf
    with fewer attempts than `least` has its parent's accuracy."""

    alpha: Fraction = Fraction(1)
    beta: Fraction = Fraction(1)
    least: int = 0

    @property
    def strength(self) -> Fraction:
        """What the prior counts for, in attempts."""
        return self.alpha + self.beta


@dataclass(frozen=True, slots=True)
class SkillAccuracy:
    """Of one node: its `attempts` and the `correct` ones among them, those of its leaves together.

    `accuracy` is drawn to the parent's: (correct + (a+b) accuracy_parent) / (attempts + a + b), the mean of the posterior beta(`a`, `b`) here below; None
    where nothing was attempted and there is no prior. `borrowed`: it is the parent's, for there are too few attempts, or none and no prior. `a` and
    `b` are None with the accuracy.
    """

    attempts: int
    correct: int
    accuracy: Fraction | None
    a: Fraction | None
    b: Fraction | None
    borrowed: bool = False

    @property
    def share(self) -> Fraction | None:
        """The share that is right of its own attempts; None without any."""
        return Fraction(self.correct, self.attempts) if self.attempts else None

    @property
    def wilson(self) -> tuple[float, float] | None:
        """The Wilson 95 % interval of the share; None without attempts."""
        return wilson(self.correct, self.attempts) if self.attempts else None

    @property
    def credible(self) -> tuple[float, float] | None:
        """The middle 95 % of the posterior; None where it is none, as without a prior where all attempts are right, or all wrong."""
        return credible(float(self.a), float(self.b)) if self.a and self.b else None


def skill_accuracies(leaves: Sequence[str], tallies: Mapping[str, Tally], prior: Prior = Prior()) -> dict[str, SkillAccuracy]:
    """Every node at and above the `leaves` (chains), the root first and each after its parent.

    `tallies` are by chain; counts of an inner node are the sums over its leaves, and what a tally says of one itself is left out. Where there is
    no prior, a node that was never attempted has its parent's accuracy.
    """
    tried, right = _sums(leaves, tallies)
    strength, ends = prior.strength, frozenset(leaves)
    found: dict[str, SkillAccuracy] = {}
    for node in sorted(tried, key=lambda chain: (chain.count(ARROW) if chain else -1)):
        above = found[parent(node)] if node else None
        expected = above.accuracy if above is not None else prior.alpha / strength if strength else None
        thin = node in ends and tried[node] < prior.least and node != ROOT
        if thin or tried[node] + strength == 0:
            a, b = (above.a, above.b) if above is not None else (None, None)
            found[node] = SkillAccuracy(tried[node], right[node], expected, a, b, borrowed=node != ROOT)
            continue
        a = right[node] + (strength * expected if expected is not None else Fraction(0))
        b = tried[node] - right[node] + (strength * (1 - expected) if expected is not None else Fraction(0))
        found[node] = SkillAccuracy(tried[node], right[node], a / (a + b), a, b)
    return found


def parent(node: str) -> str:
    """The chain above one; the root's own is the root."""
    return node.rpartition(ARROW)[0]


def _sums(leaves: Sequence[str], tallies: Mapping[str, Tally]) -> tuple[dict[str, int], dict[str, int]]:
    """Attempts and correct answers of every node at and above the leaves."""
    tried, right = {ROOT: 0}, {ROOT: 0}
    for leaf in leaves:
        tally = tallies.get(leaf, Tally(attempts=0, correct=0))
        node = leaf
        while True:
            tried[node] = tried.get(node, 0) + tally.attempts
            right[node] = right.get(node, 0) + tally.correct
            if node == ROOT:
                break
            node = parent(node)
    return tried, right

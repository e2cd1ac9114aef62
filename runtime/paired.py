"""Two recipes on the same problems: means with intervals, differences with intervals and exact tests. Arrays in, numbers out; no files.

Scores stand in a table `runs x problems`: a row for each seed that a recipe was trained with, float64. A cell is the share of the samples of a
problem that are right (Avg@k), or a number such as the nats a token of a held-out row. Every answer depends on its arguments alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .proportions import Z, wilson
from .statistics import draws, generator, interval, times

STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Of Student's t, two-sided 95 %, by degrees of freedom from 1 on."""
ENUMERATED = 14
"""So many problems that tell two recipes apart have all their sign flips counted; of more, FLIPS are drawn."""
FLIPS = 10_000


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over `runs` runs and `problems` problems, and its 95 % interval; with one run the spread between runs is not in it."""

    value: float
    low: float
    high: float
    runs: int
    problems: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of one recipe less that of another, with its 95 % interval, and `p` (two-sided) by the `test` of that name.

    `higher` and `lower`: on how many problems the first is above and below the second. `runs`: of each.
    """

    value: float
    low: float
    high: float
    p: float
    test: str
    problems: int
    higher: int
    lower: int
    runs: tuple[int, int]

    @property
    def told(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def mean_share(scores: np.ndarray, samples: int = 1) -> Mean:
    """Avg@k over runs and problems: `scores` are shares of `samples` samples. The interval is Wilson's at the effective number of answers.

    That number is a (1 - a) / V for the mean a and its variance V over problems and runs (Korn and Graubard 1998): the number of problems for
    one greedy run, where it is Wilson's own interval, at most one an answer, and one a problem where all answers are alike.
    """
    runs, problems = scores.shape
    value = _mean(scores)
    spread = _widened(*_parts(scores), runs - 1)
    if value in (0.0, 1.0):
        answers = float(problems)
    elif spread == 0.0:
        answers = float(runs * problems * samples)
    else:
        answers = min(value * (1 - value) / spread, float(runs * problems * samples))
    low, high = wilson(value * answers, answers)
    return Mean(value, low, high, runs, problems)


def mean_value(scores: np.ndarray) -> Mean:
    """The mean of any numbers over runs and problems, with a bootstrap interval (see `difference`)."""
    drawn = _drawn(scores.mean(0)) + _runs(scores, _factor(scores.shape[0] - 1), "first")
    return Mean(_mean(scores), *interval(drawn), *scores.shape)


def _mean(scores: np.ndarray) -> float:
    """To the last bit what a sum in plain Python gives."""
    return math.fsum(scores.ravel().tolist()) / scores.size


def difference(first: np.ndarray, second: np.ndarray, *, shares: bool = True) -> Difference:
    """The mean of `first` less that of `second`: tables with the same problems in the same columns, and as many runs as each has.

    The interval is the middle 95 % of `times(problems)` bootstrap draws. A draw takes as many problems as there are, with replacement, each with
    the difference of its two means over runs, and adds for each recipe of several runs what its runs are apart beyond the chance of their
    answers: R - 1 of its R run effects, with replacement. An effect is the run's mean less the recipe's, shrunk by
    sqrt(max(0, 1 - MSE / MSR)) (mean squares of the table by runs and problems, so that the noise of the answers, which the draw of problems
    has already, is not counted twice), and widened by Student's t over the normal quantile, since a few runs tell little of their spread.
    Where no problem and no run tells the two apart, `shares` have what 0 of n problems allow: 0.025^(1/n) = 1 - high.

    `p`: McNemar's exact test for one run each of zeros and ones, the permutation test for one run each of anything else; for several runs the
    smallest level at which the bootstrap interval leaves 0 out.
    """
    if first.shape[1] != second.shape[1] or not first.shape[1]:
        raise ValueError("both tables need the same problems, at least one")
    gaps = first.mean(0) - second.mean(0)
    runs = (first.shape[0], second.shape[0])
    higher, lower = int((gaps > 0).sum()), int((gaps < 0).sum())
    factor = _factor(sum(runs) - 2 if min(runs) > 1 else max(runs) - 1)
    drawn = _drawn(gaps) + _runs(first, factor, "first") - _runs(second, factor, "second")
    low, high = interval(drawn)
    if runs != (1, 1):
        test, p = "bootstrap", _level(drawn)
    elif np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all():
        test, p = "mcnemar", mcnemar(higher, lower)
    else:
        test, p = "permutation", permutation(gaps)
    if shares and low == high == 0.0:
        high = 1 - 0.025 ** (1 / len(gaps))
        low = -high
    return Difference(float(gaps.mean()), low, high, p, test, len(gaps), higher, lower, runs)


def mcnemar(higher: int, lower: int) -> float:
    """The exact two-sided p of McNemar's test: of the problems that only one of two solved, `higher` by the first and `lower` by the second."""
    told = higher + lower
    tail = sum(math.comb(told, i) for i in range(min(higher, lower) + 1))
    return min(1.0, 2 * tail / 2**told)


def permutation(gaps: np.ndarray) -> float:
    """The two-sided p of the sign-flip permutation test of paired differences: how often a sum of the differences with random signs is as far from 0.

    All sign flips are counted of up to ENUMERATED differences that are not 0; of more, FLIPS are drawn, and the one observed counts among them.
    """
    told = gaps[gaps != 0]
    observed = abs(float(told.sum())) * (1 - 1e-12)
    if len(told) <= ENUMERATED:
        flips = 1.0 - 2.0 * (np.arange(2 ** len(told))[:, None] >> np.arange(len(told)) & 1)
        return float((np.abs((flips * told).sum(1)) >= observed).mean())
    chance, hits = generator(0, "permutation"), 1
    for first in range(0, FLIPS, 500):
        flips = 1.0 - 2.0 * chance.integers(0, 2, size=(min(500, FLIPS - first), len(told)))
        hits += int((np.abs((flips * told).sum(1)) >= observed).sum())
    return hits / (FLIPS + 1)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p of each of several comparisons, in their order: the i-th smallest (from 0) times n - i, never below a smaller one's."""
    adjusted, most = [0.0] * len(ps), 0.0
    for i, place in enumerate(sorted(range(len(ps)), key=lambda each: ps[each])):
        most = max(most, min(1.0, ps[place] * (len(ps) - i)))
        adjusted[place] = most
    return adjusted


def pass_at_k(n: int, correct: int, k: int) -> float:
    """The unbiased estimate that one of `k` samples is right, of `n` samples with `correct` right: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, eq. 1)."""
    if not 1 <= k <= n or not 0 <= correct <= n:
        raise ValueError(f"pass@{k} of {n} samples, {correct} right")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)


def _parts(scores: np.ndarray) -> tuple[float, float]:
    """The variance of the mean that problems make, and what runs add to it beyond the chance of their answers."""
    runs, problems = scores.shape
    by_problem = scores.mean(0)
    effects = _effects(scores)
    between = float((effects**2).sum()) / (runs * (runs - 1)) if runs > 1 else 0.0
    return float(((by_problem - by_problem.mean()) ** 2).sum()) / problems**2, between


def _effects(scores: np.ndarray) -> np.ndarray:
    """What each run is apart from the mean of all, shrunk by what the chance of the answers explains of it."""
    runs, problems = scores.shape
    whole, by_run, by_problem = scores.mean(), scores.mean(1), scores.mean(0)
    apart = by_run - whole
    between = problems * float((apart**2).sum()) / max(runs - 1, 1)
    if runs < 2 or between == 0.0:
        return np.zeros(runs)
    rest = scores - by_run[:, None] - by_problem[None, :] + whole
    noise = float((rest**2).sum()) / ((runs - 1) * (problems - 1)) if problems > 1 else 0.0
    return apart * math.sqrt(max(0.0, 1 - noise / between))


def _factor(freedom: int) -> float:
    """How much wider Student's t is than the normal distribution, two-sided 95 %."""
    return 1.0 if freedom < 1 else STUDENT[freedom - 1] / Z if freedom <= len(STUDENT) else 1.0


def _widened(problems: float, runs: float, freedom: int) -> float:
    return problems + runs * _factor(freedom) ** 2


def _drawn(values: np.ndarray) -> np.ndarray:
    """The bootstrap means of one number a problem."""
    return np.concatenate([values[table].mean(1) for table in draws(0, "problems", len(values))])


def _runs(scores: np.ndarray, factor: float, label: str) -> np.ndarray | float:
    """What each draw of runs adds: the mean of R - 1 of the R run effects, whose variance is without bias that of the mean over runs."""
    effects = _effects(scores) * factor
    if not effects.any():
        return 0.0
    chosen = generator(0, label).integers(0, len(effects), size=(times(scores.shape[1]), len(effects) - 1))
    return effects[chosen].mean(1)


def _level(drawn: np.ndarray) -> float:
    """The smallest level at which the interval of these draws leaves 0 out."""
    least = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * max(1, least) / len(drawn))

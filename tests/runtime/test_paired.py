"""Paired statistics against definitions in plain Python, and what their intervals cover on simulated runs."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.runtime.paired import (
    ENUMERATED,
    STUDENT,
    difference,
    holm,
    mcnemar,
    mean_share,
    mean_value,
    pass_at_k,
    permutation,
)
from mixc.runtime.proportions import Z, wilson
from mixc.runtime.statistics import draws, generator, times


def table(*runs: list[float]) -> np.ndarray:
    return np.array(runs, np.float64)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def slow_effects(scores: list[list[float]]) -> list[float]:
    runs, problems = len(scores), len(scores[0])
    whole = mean([v for run in scores for v in run])
    by_run = [mean(run) for run in scores]
    by_problem = [mean([run[p] for run in scores]) for p in range(problems)]
    msr = problems * sum((v - whole) ** 2 for v in by_run) / (runs - 1)
    rest = sum((scores[r][p] - by_run[r] - by_problem[p] + whole) ** 2 for r in range(runs) for p in range(problems))
    mse = rest / ((runs - 1) * (problems - 1))
    return [(v - whole) * math.sqrt(max(0.0, 1 - mse / msr)) if msr else 0.0 for v in by_run]


def slow_interval(first: list[list[float]], second: list[list[float]]) -> tuple[float, float]:
    """Draw by draw, as the docstring of `difference` says it; the random numbers are the same ones."""
    problems = len(first[0])
    gaps = [mean([run[p] for run in first]) - mean([run[p] for run in second]) for p in range(problems)]
    counts = [len(first), len(second)]
    freedom = sum(counts) - 2 if min(counts) > 1 else max(counts) - 1
    wider = STUDENT[freedom - 1] / Z if freedom else 1.0
    drawn = [mean([gaps[p] for p in row]) for part in draws(0, "problems", problems) for row in part.tolist()]
    for scores, sign, label in ((first, 1, "first"), (second, -1, "second")):
        effects = slow_effects(scores) if len(scores) > 1 else [0.0]
        if any(effects):
            chosen = generator(0, label).integers(0, len(effects), size=(times(problems), len(effects) - 1)).tolist()
            drawn = [value + sign * wider * mean([effects[r] for r in row]) for value, row in zip(drawn, chosen, strict=True)]
    ordered = sorted(drawn)
    return ordered[math.ceil(0.025 * len(ordered)) - 1], ordered[math.ceil(0.975 * len(ordered)) - 1]


@pytest.mark.parametrize(("runs", "others"), [(1, 1), (3, 3), (3, 1), (2, 4)])
def test_the_interval_of_a_difference_is_that_of_its_definition(runs: int, others: int) -> None:
    chance = random.Random(runs * 10 + others)
    first = [[float(chance.random() < 0.4 + 0.1 * r) for _ in range(30)] for r in range(runs)]
    second = [[chance.choice([0.0, 0.25, 1.0]) for _ in range(30)] for _ in range(others)]
    found = difference(table(*first), table(*second))
    assert (found.low, found.high) == pytest.approx(slow_interval(first, second), abs=1e-12)
    assert found.value == pytest.approx(mean([v for run in first for v in run]) - mean([v for run in second for v in run]))
    assert found.runs == (runs, others) and found.problems == 30


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_the_interval_of_a_mean_is_wilsons_at_the_effective_number_of_answers(runs: int) -> None:
    chance = random.Random(runs)
    scores = [[chance.choice([0.0, 0.25, 0.5, 1.0]) * (1 if r else 0.6) for _ in range(25)] for r in range(runs)]
    value = mean([v for run in scores for v in run])
    by_problem = [mean([run[p] for run in scores]) for p in range(25)]
    spread = sum((v - value) ** 2 for v in by_problem) / 25**2
    if runs > 1:
        spread += (STUDENT[runs - 2] / Z) ** 2 * sum(e**2 for e in slow_effects(scores)) / (runs * (runs - 1))
    found = mean_share(table(*scores), samples=4)
    answers = min(value * (1 - value) / spread, runs * 25 * 4)
    assert (found.value, found.low, found.high) == pytest.approx((value, *wilson(value * answers, answers)))


@given(st.integers(0, 12), st.integers(0, 12))
def test_mcnemar_is_the_share_of_coins_as_far_from_the_middle(higher: int, lower: int) -> None:
    n = higher + lower
    slow = sum(math.comb(n, i) for i in range(n + 1) if abs(2 * i - n) >= abs(higher - lower)) / 2**n
    assert mcnemar(higher, lower) == pytest.approx(slow)


@given(st.lists(st.integers(-6, 6).map(lambda n: n / 4), max_size=8))
def test_the_permutation_test_counts_all_signs(gaps: list[float]) -> None:
    flips = [abs(sum(s * g for s, g in zip(signs, gaps, strict=True))) for signs in itertools.product((1, -1), repeat=len(gaps))]
    assert permutation(np.array(gaps)) == pytest.approx(mean([float(f >= abs(sum(gaps)) - 1e-9) for f in flips]))


def test_of_zeros_and_ones_the_permutation_test_is_mcnemars() -> None:
    gaps = [1.0] * 8 + [-1.0] * 3 + [0.0] * 50
    assert permutation(np.array(gaps)) == pytest.approx(mcnemar(8, 3))
    many = np.array([1.0] * 70 + [-1.0] * 40)
    assert len(many) > ENUMERATED and permutation(many) == permutation(many) == pytest.approx(mcnemar(70, 40), abs=0.002)


@given(st.integers(1, 7), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(n: int, data: st.DataObject) -> None:
    correct, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    picked = list(itertools.combinations([True] * correct + [False] * (n - correct), k))
    assert pass_at_k(n, correct, k) == pytest.approx(mean([float(any(each)) for each in picked]))


def test_pass_at_k_of_fewer_samples_is_an_error() -> None:
    for asked in ((3, 1, 4), (3, 4, 1), (3, 1, 0)):
        with pytest.raises(ValueError, match="pass@"):
            pass_at_k(*asked)


@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_rejects_what_the_step_down_rejects(ps: list[float]) -> None:
    """At any level: the smallest p against level / n, the next against level / (n - 1), until one fails."""
    for level in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for i, place in enumerate(sorted(range(len(ps)), key=lambda each: ps[each])):
            if ps[place] * (len(ps) - i) > level:
                break
            rejected.add(place)
        assert {i for i, p in enumerate(holm(ps)) if p <= level} == rejected


def test_one_greedy_run_has_wilsons_interval() -> None:
    for right in (0, 1, 13, 40):
        found = mean_share(table([1.0] * right + [0.0] * (40 - right)))
        assert (found.low, found.high) == pytest.approx(wilson(right, 40), abs=1e-12)


def test_runs_and_samples_that_agree_add_nothing() -> None:
    alike = [1.0] * 13 + [0.0] * 27
    one, three = mean_share(table(alike)), mean_share(table(alike, alike, alike), samples=5)
    assert (one.value, one.low, one.high) == pytest.approx((three.value, three.low, three.high))
    halves = mean_share(np.full((2, 10), 0.5), samples=4)  # no problem and no run is apart: as many answers as there are
    assert (halves.low, halves.high) == pytest.approx(wilson(40, 80))


def test_what_no_problem_tells_apart_is_not_told() -> None:
    both = difference(table([1.0, 0.0] * 20), table([1.0, 0.0] * 20))
    assert (both.value, both.p, both.told) == (0.0, 1.0, False)
    assert both.high == -both.low == pytest.approx(1 - 0.025 ** (1 / 40))
    nats = difference(table([2.0, 3.0]), table([2.0, 3.0]), shares=False)
    assert (nats.low, nats.high) == (0.0, 0.0)


def test_each_difference_has_the_test_that_fits_it() -> None:
    ones, shares = [1.0] * 9 + [0.0], [0.5] * 9 + [0.0]
    assert difference(table(ones), table([0.0] * 10)).test == "mcnemar"
    assert difference(table(ones), table([0.0] * 10)).p == 2 / 2**9
    assert difference(table(shares), table([0.0] * 10)).test == "permutation"
    several = difference(table(ones, ones), table([0.0] * 10))
    assert (several.test, several.p, several.told, several.higher, several.lower) == ("bootstrap", 2 / times(10), True, 9, 0)
    with pytest.raises(ValueError, match="same problems"):
        difference(table([1.0]), table([1.0, 0.0]))


def test_students_quantiles_leave_a_fortieth_above_them() -> None:
    for freedom, quantile in enumerate(STUDENT, 1):
        scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
        steps = 20_000
        inside = sum((1 + (quantile * (i + 0.5) / steps) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(steps)) * quantile / steps
        assert scale * inside == pytest.approx(0.475, abs=4e-5)


def simulate(runs: int, problems: int, apart: float, seed: int) -> tuple[float, float]:
    """The share of 240 simulated comparisons whose interval covers: of the difference, which is 0, and of a recipe's mean.

    Problems differ in how hard they are, and each run is better or worse as a whole by `apart` (standard deviation, in logits).
    """
    chance = np.random.default_rng(seed)
    reached = chance.normal(0, 1.5, 400_000) + chance.normal(0, apart, 400_000)
    truth = float((1 / (1 + np.exp(-reached))).mean())
    covered = [0, 0]
    for _ in range(240):
        hard = chance.normal(0, 1.5, problems)
        arms = []
        for _ in range(2):
            logits = hard[None, :] + chance.normal(0, apart, runs)[:, None]
            arms.append((chance.random((runs, problems)) < 1 / (1 + np.exp(-logits))).astype(float))
        found, alone = difference(*arms), mean_share(arms[0])
        covered[0] += found.low <= 0 <= found.high
        covered[1] += alone.low <= truth <= alone.high
    return covered[0] / 240, covered[1] / 240


@pytest.mark.parametrize(("runs", "apart"), [(1, 0.0), (3, 0.0), (3, 0.2), (3, 0.6), (5, 0.4)])
def test_intervals_cover_what_they_say(runs: int, apart: float) -> None:
    """About 95 %: of 240 between 0.92 and 0.995. Draws of problems alone would cover 0.5 of the differences at 3 runs that are 0.6 apart."""
    gap, alone = simulate(runs, 80, apart, seed=7)
    assert 0.92 <= gap <= 0.995 and 0.92 <= alone <= 0.995


def test_the_mean_of_nats_is_covered_too() -> None:
    chance = np.random.default_rng(3)
    held = [mean_value(chance.normal(2.0, 0.5, 60)[None, :] + chance.normal(0, 0.02, (3, 1)) + chance.normal(0, 0.05, (3, 60))) for _ in range(240)]
    assert 0.92 <= mean([float(each.low <= 2.0 <= each.high) for each in held]) <= 0.99

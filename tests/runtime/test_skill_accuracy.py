"""The student's accuracy at each skill, against the definition in exact fractions; intervals against exact sums and slow integrals."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mixc.compiler.clauses import Tally
from mixc.runtime.proportions import beta_cdf, beta_quantile, credible, wilson
from mixc.runtime.skill_accuracy import ROOT, Prior, skill_accuracies

LEAVES = ("a->x", "a->y", "a->z->p", "a->z->q", "b")
COUNTS = st.dictionaries(st.sampled_from(LEAVES), st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: (max(pair), min(pair))))
PRIORS = st.sampled_from([Prior(), Prior(Fraction(0), Fraction(0)), Prior(Fraction(1, 2), Fraction(3)), Prior(Fraction(2), Fraction(1), 4), Prior(Fraction(0), Fraction(0), 5)])


def binomial(x: Fraction, a: int, b: int) -> Fraction:
    """I_x(a, b) of whole a and b, exactly: the chance of at least a successes in a + b - 1 trials (DLMF 8.17.5)."""
    n = a + b - 1
    return sum((math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1)), start=Fraction(0))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.fractions(0, 1, max_denominator=1_000))
def test_the_distribution_of_whole_counts_is_a_sum_of_binomials(a: int, b: int, x: Fraction) -> None:
    assert beta_cdf(float(x), a, b) == pytest.approx(float(binomial(x, a, b)), abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(1.5, 2.25), (1.0, 3.5), (7.3, 1.2), (120.5, 31.4)])
def test_of_others_it_is_the_integral_of_the_density(a: float, b: float) -> None:
    steps = 20_000
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    density = [front * (i / steps) ** (a - 1) * (1 - i / steps) ** (b - 1) for i in range(steps + 1)]
    for end in (steps // 10, steps // 2, 9 * steps // 10):
        simpson = sum(density[i] * (1 if i in (0, end) else 4 if i % 2 else 2) for i in range(end + 1)) / (3 * steps)
        assert beta_cdf(end / steps, a, b) == pytest.approx(simpson, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.3, 300), st.floats(0.3, 300))
def test_a_quantile_has_its_share_below_it(share: float, a: float, b: float) -> None:
    found = beta_quantile(share, a, b)
    assume(1e-12 < found < 1 - 1e-12)
    assert beta_cdf(found, a, b) == pytest.approx(share, abs=1e-8)


def test_known_intervals() -> None:
    assert credible(1, 1) == pytest.approx((0.025, 0.975))
    assert credible(1, 2) == pytest.approx((1 - math.sqrt(0.975), 1 - math.sqrt(0.025)))
    assert wilson(0, 10)[0] == 0 and wilson(10, 10)[1] == 1 and wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def slow(node: str, counts: dict[str, tuple[int, int]], prior: Prior) -> Fraction | None:
    """language.md, section 4, read top to bottom."""
    own = [(t, c) for leaf, (t, c) in counts.items() if node in (ROOT, leaf) or leaf.startswith(f"{node}->")]
    tried, right = sum(t for t, _ in own), sum(c for _, c in own)
    ab = prior.alpha + prior.beta
    if node == ROOT:
        above = prior.alpha / ab if ab else None
    else:
        above = slow(node.rpartition("->")[0], counts, prior)
        if node in LEAVES and tried < prior.least:
            return above
    if tried + ab == 0:
        return above
    return (right + (ab * above if above is not None else 0)) / (tried + ab)


@settings(max_examples=200, deadline=None)
@given(COUNTS, PRIORS)
def test_every_node_has_the_accuracy_of_the_definition(counts: dict[str, tuple[int, int]], prior: Prior) -> None:
    found = skill_accuracies(LEAVES, {leaf: Tally(attempts=t, correct=c) for leaf, (t, c) in counts.items()}, prior)
    assert set(found) == {ROOT, "a", "a->z", *LEAVES} and next(iter(found)) == ROOT
    for node, each in found.items():
        wanted = slow(node, counts, prior)
        assert each.accuracy == wanted
        assert (each.a is None) == (wanted is None) and (each.a is None or each.b is None or each.a / (each.a + each.b) == wanted), "it is the mean of its posterior"
        assert each.share == (Fraction(each.correct, each.attempts) if each.attempts else None) and (each.wilson is None) == (not each.attempts)
        if (ends := each.credible) is not None and wanted is not None:
            assert 0 <= ends[0] <= ends[1] <= 1
    assert found["a"].attempts == sum(t for leaf, (t, _) in counts.items() if leaf != "b")


def test_attempts_narrow_the_interval_and_draw_away_from_the_parent() -> None:
    few, many = (skill_accuracies(("a", "b"), {"a": Tally(attempts=n, correct=0), "b": Tally(attempts=n, correct=n)}) for n in (4, 400))
    assert few["a"].accuracy == Fraction(1, 6) and many["a"].accuracy == Fraction(1, 402)
    widths = [ends[1] - ends[0] for each in (few, many) if (ends := each["a"].credible)]
    assert widths[0] > 10 * widths[1]


def test_a_leaf_of_few_attempts_borrows_and_says_so() -> None:
    found = skill_accuracies(("a", "b"), {"a": Tally(attempts=3, correct=3), "b": Tally(attempts=90, correct=0)}, Prior(least=10))
    assert found["a"].borrowed and found["a"].accuracy == found[ROOT].accuracy == Fraction(4, 95) and found["a"].credible == found[ROOT].credible
    assert not found["b"].borrowed and found["a"].share == 1
    bare = skill_accuracies(("a",), {"a": Tally(attempts=3, correct=3)}, Prior(Fraction(0), Fraction(0)))
    assert bare["a"].accuracy == 1 and bare["a"].credible is None and bare["a"].wilson is not None
    assert skill_accuracies(("a",), {}, Prior(Fraction(0), Fraction(0)))["a"].accuracy is None

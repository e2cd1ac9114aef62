"""The published sampler: its weights, its hazards, and its rows against the procedure as it was published."""

from fractions import Fraction

import numpy as np
import pytest
from mixc.compiler.clauses import SoftQuota, Tally
from mixc.runtime.selection.published import draw
from mixc.runtime.selection.targets import published
from mixc.tests.runtime.selection.brute import SPAN

PAPER = SoftQuota(text="quota skill weakness(paper)", shape="paper", max_weight=1000.0, alpha=0, beta=0, min_support=0, span=SPAN)


def hashes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def as_published(weights: list[float], members: list[np.ndarray], count: int, seed: int) -> tuple[list[int], np.ndarray]:
    """Draw a leaf, draw one of its rows, reject what was drawn before: the rows, and how often each leaf was drawn."""
    rng = np.random.Generator(np.random.PCG64(seed))
    share = np.array(weights) / sum(weights)
    taken: list[int] = []
    drawn = np.zeros(len(weights), int)
    seen: set[int] = set()
    while len(taken) < count:
        leaf = rng.choice(len(share), p=share)
        drawn[leaf] += 1
        row = int(rng.choice(members[leaf]))
        if row not in seen:
            seen.add(row)
            taken.append(row)
    return taken, drawn


def test_the_published_weights() -> None:
    tallies = {"a": Tally(attempts=10, correct=5), "b": Tally(attempts=3, correct=0), "c": Tally(attempts=9000, correct=1), "d": Tally(attempts=0, correct=0)}
    assert published(("a", "b", "c", "d", "e"), tallies, PAPER) == {"a": 2, "b": 1000, "c": 1000}, "leaves that were never tried are not drawn"


def test_one_leaf_of_118_that_was_never_solved_takes_86_per_cent_while_it_lasts() -> None:
    tallies = {f"leaf {i:03}": Tally(attempts=1000, correct=741 if i else 0) for i in range(118)}  # 1 / 0.741 = 1.35
    weight = published(tuple(tallies), tallies, PAPER)
    members = [np.arange(i * 2000, (i + 1) * 2000) for i in range(118)]
    found = draw(list(weight.values()), members, hashes(118 * 2000), 500)
    assert found.chance[0] == pytest.approx(0.86, abs=0.005) and found.pool == 118 * 2000
    assert found.chosen[:2000].sum() / 500 == pytest.approx(0.86, abs=0.06), "of 2,000 rows hardly any are drawn twice"
    all_of_them = draw(list(weight.values()), members, hashes(118 * 2000), 30_000)
    assert all_of_them.chosen[:2000].all(), "its rows are exhausted"
    three = {**tallies, "leaf 001": tallies["leaf 000"], "leaf 002": tallies["leaf 000"]}
    heavy = list(published(tuple(three), three, PAPER).values())
    assert sum(draw(heavy, members, hashes(118 * 2000), 1).chance[:3]) == pytest.approx(0.95, abs=0.005)


def test_rows_come_as_often_as_in_the_published_procedure() -> None:
    """Rows of several leaves, leaves of different sizes, some exhausted: the chance of every row to be among the first four."""
    members = [np.array([0, 1]), np.array([1, 2, 3, 4]), np.array([4, 5, 6, 7, 8, 9])]
    weights = [5.0, 2.0, 1.5]
    runs = 4000
    slow, fast = np.zeros(10), np.zeros(10)
    for seed in range(runs):
        slow[as_published(weights, members, 4, seed)[0]] += 1
        fast += draw([Fraction(w) for w in weights], members, hashes(10, seed + 10**6), 4).chosen
    spread = 4.5 * np.sqrt(slow / runs * (1 - slow / runs) * 2 / runs)
    assert (np.abs(slow - fast) / runs <= spread).all(), (slow / runs, fast / runs)


def test_only_the_hash_of_a_row_decides() -> None:
    weights, members, tie = [Fraction(3), Fraction(1)], [np.arange(50), np.arange(40, 120)], hashes(120)
    shuffle = np.random.default_rng(2).permutation(120)
    place = np.argsort(shuffle)
    one = draw(weights, members, tie, 30).chosen
    two = draw(weights, [place[m] for m in members], tie[shuffle], 30).chosen
    assert np.array_equal(one[shuffle], two) and one.sum() == 30
    assert (draw(weights, members, tie, 20).chosen <= one).all(), "a larger budget keeps the rows of a smaller one"


def test_a_row_of_no_leaf_is_never_drawn_and_a_leaf_without_rows_has_no_chance() -> None:
    found = draw([Fraction(1), Fraction(1000)], [np.array([1, 2]), np.zeros(0, np.int64)], hashes(5), 5)
    assert list(np.flatnonzero(found.chosen)) == [1, 2] and found.chance == (1.0, 0.0) and found.pool == 2

"""Correlations, shares and draws against definitions written out in plain Python."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.runtime.proportions import wilson
from mixc.runtime.statistics import DRAWS, FEWEST, draws, explained, explained_within, interval, pearson, ranks, spearman, times

TENTHS = st.integers(-20, 20).map(lambda n: n / 10)
ROWS = st.lists(st.tuples(TENTHS, TENTHS, st.integers(0, 3), st.integers(0, 5)), max_size=24)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def slow_pearson(x: list[float], y: list[float]) -> float | None:
    if len(set(x)) < 2 or len(set(y)) < 2:
        return None
    a, b = mean(x), mean(y)
    both = sum((p - a) * (q - b) for p, q in zip(x, y, strict=True))
    return both / math.sqrt(sum((p - a) ** 2 for p in x) * sum((q - b) ** 2 for q in y))


def slow_ranks(x: list[float]) -> list[float]:
    return [sum(other < one for other in x) + (sum(other == one for other in x) + 1) / 2 for one in x]


def slow_explained(x: list[float], groups: list[int]) -> float | None:
    if len(set(x)) < 2 or len(set(groups)) < 2:
        return None
    by = {g: [v for v, own in zip(x, groups, strict=True) if own == g] for g in groups}
    return sum(len(v) * (mean(v) - mean(x)) ** 2 for v in by.values()) / sum((v - mean(x)) ** 2 for v in x)


def off_means(x: list[float], of: list[int]) -> list[float]:
    return [v - mean([w for w, own in zip(x, of, strict=True) if own == mine]) for v, mine in zip(x, of, strict=True)]


def slow_within(x: list[float], groups: list[int], blocks: list[int]) -> float | None:
    """Takes off the means of blocks and of groups in turn until nothing changes: what is then left is what both together cannot explain."""
    left = off_means(x, blocks) if x else []
    total = sum(v * v for v in left)
    together = any(b == c and g != h for g, b in zip(groups, blocks, strict=True) for h, c in zip(groups, blocks, strict=True))
    if total < 1e-12 or not together:
        return None
    rest = left
    for _ in range(4_000):
        rest = off_means(off_means(rest, groups), blocks)
    return 1 - sum(v * v for v in rest) / total


def same(found: float | None, slow: float | None) -> bool:
    return found is slow if found is None or slow is None else abs(found - slow) < 2e-6


@given(ROWS)
def test_correlations_are_those_of_the_definition(rows: list[tuple[float, float, int, int]]) -> None:
    x, y = [r[0] for r in rows], [r[1] for r in rows]
    assert same(pearson(np.array(x), np.array(y)), slow_pearson(x, y))
    assert ranks(np.array(x)).tolist() == slow_ranks(x)
    assert same(spearman(np.array(x), np.array(y)), slow_pearson(slow_ranks(x), slow_ranks(y)))


@given(ROWS)
def test_the_share_that_groups_explain_is_that_of_the_definition(rows: list[tuple[float, float, int, int]]) -> None:
    x, groups = [r[0] for r in rows], [r[2] for r in rows]
    assert same(explained(np.array(x), np.array(groups, np.int64)), slow_explained(x, groups))


@pytest.mark.parametrize("seed", range(12))
def test_the_share_within_blocks_is_what_taking_off_means_in_turn_comes_to(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(2, 22)
    x = [chance.choice([0.0, 0.5, 1.0, chance.random()]) for _ in range(count)]
    groups, blocks = ([chance.randint(0, most) for _ in range(count)] for most in (3, 6))
    assert same(explained_within(np.array(x), np.array(groups), np.array(blocks)), slow_within(x, groups, blocks))


def test_teachers_of_uneven_prompts_explain_all_that_they_make() -> None:
    """A simple eta squared of what the prompts leave would be 0.75 here: the prompts' means carry the teachers with them."""
    groups, blocks = [0, 0, 0, 1, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]
    x = [5.0 * b + (1.0 if g == 0 else 0.0) for g, b in zip(groups, blocks, strict=True)]
    assert explained_within(np.array(x), np.array(groups), np.array(blocks)) == 1.0


def test_many_blocks_are_taken_in_parts() -> None:
    chance = np.random.default_rng(1)
    blocks, groups = np.repeat(np.arange(5_000), 3), np.tile(np.arange(3), 5_000)
    x = chance.normal(size=15_000) + blocks + groups
    left = x - np.repeat(x.reshape(-1, 3).mean(1), 3)
    found = explained_within(x, groups, blocks)
    assert found is not None and same(found, explained(left, groups))


@pytest.mark.parametrize("x", [[], [1.0], [0.1] * 7, [1e300, 1e300]])
def test_what_is_not_defined_is_null(x: list[float]) -> None:
    column, groups = np.array(x), np.arange(len(x)) % 2
    assert pearson(column, column) is spearman(column, column) is explained(column, groups) is None
    assert explained_within(column, groups, np.zeros(len(x), np.int64)) is None


def test_a_constant_within_each_block_leaves_nothing_to_explain() -> None:
    x = np.array([0.1, 0.1, 0.1, 0.7, 0.7, 0.7])
    assert explained_within(x, np.array([0, 1, 2, 0, 1, 2]), np.array([0, 0, 0, 1, 1, 1])) is None


def test_perfect_lines_are_exactly_one() -> None:
    x = np.arange(50) / 7
    assert (pearson(x, 3 - 2 * x), spearman(x, np.exp(x))) == (-1.0, 1.0)


def test_draws_depend_on_seed_label_and_count_alone() -> None:
    first, again, other, seeded = (np.concatenate(list(draws(*asked))) for asked in ((3, "a", 40), (3, "a", 40), (3, "b", 40), (4, "a", 40)))
    assert first.shape == (DRAWS, 40) and (first == again).all() and first.min() == 0 and first.max() == 39
    assert (first != other).any() and (first != seeded).any()


def test_there_are_fewer_draws_of_many_units() -> None:
    assert [times(n) for n in (1, 10_000, 20_000, 10_000_000)] == [DRAWS, DRAWS, DRAWS // 2, FEWEST]
    assert sum(len(table) for table in draws(0, "many", 150_000)) == times(150_000)


def test_the_interval_is_by_nearest_rank() -> None:
    assert interval(np.arange(2_000)[::-1] + 1.0) == (50.0, 1_950.0)
    assert interval(np.array([3.0])) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (61, 200, 0.2453, 0.3720)],
)
def test_intervals_of_shares_are_wilsons(correct: int, n: int, low: float, high: float) -> None:
    assert wilson(correct, n) == pytest.approx((low, high), abs=1e-4)

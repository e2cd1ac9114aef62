"""Targets of a soft quota against a slow recursion in fractions, and by hand where the language says what they are."""

from fractions import Fraction
from random import Random

import pytest
from mixc.compiler.clauses import SoftQuota, Tally
from mixc.runtime.selection.targets import accuracies, by_chain, leaves, shares, targets, weights
from mixc.tests.runtime.selection.brute import SPAN, budget, quota


def soft(max_weight: float = 20.0, alpha: float = 1.0, beta: float = 1.0, min_support: int = 0, shape: str = "weakness") -> SoftQuota:
    if shape == "uniform":
        return SoftQuota(text="uniform", shape=shape, span=SPAN)
    return SoftQuota(text=shape, shape=shape, max_weight=max_weight, alpha=alpha, beta=beta, min_support=min_support, span=SPAN)


def tree(chance: Random, depth: int = 3) -> dict[str, dict]:
    """A tree of names, each its children."""
    names = iter(f"n{i}" for i in range(1000))

    def grow(left: int) -> dict[str, dict]:
        return {next(names): grow(left - 1) if left and chance.random() < 0.6 else {} for _ in range(chance.randint(1, 4))}

    return grow(depth)


def pairs(grown: dict[str, dict], above: str = "") -> list[tuple[str, str]]:
    found = []
    for name, below in grown.items():
        chain = f"{above}->{name}" if above else name
        found += [(name, chain), *pairs(below, chain)]
    return found


def slow(grown: dict[str, dict], counts: dict[str, tuple[int, int]], a: Fraction, b: Fraction, support: int) -> dict[str, Fraction | None]:
    """The accuracy of each leaf by name, by the words of the language: counts summed over children, then from the root down."""

    def summed(name: str, below: dict[str, dict]) -> tuple[int, int]:
        if not below:
            return counts.get(name, (0, 0))
        parts = [summed(n, c) for n, c in below.items()]
        return sum(p[0] for p in parts), sum(p[1] for p in parts)

    found: dict[str, Fraction | None] = {}

    def down(name: str, below: dict[str, dict], parent: Fraction | None) -> None:
        tried, right = summed(name, below)
        acc = parent
        if (below or tried >= support) and tried + a + b:
            acc = (right + (a + b) * (parent if parent is not None else Fraction(0))) / (tried + a + b)
        if not below:
            found[name] = acc
        for n, c in below.items():
            down(n, c, acc)

    down("", grown, a / (a + b) if a + b else None)
    return found


def parted(parts: dict[str, Fraction], amount: int) -> dict[str, int]:
    """Largest remainder, one unit after another."""
    total = sum(parts.values())
    ideal = {n: amount * w / total for n, w in parts.items()}
    given = {n: int(i) for n, i in ideal.items()}
    for name in sorted(parts, key=lambda n: (given[n] - ideal[n], n)):
        if sum(given.values()) == amount:
            break
        given[name] += 1
    return given


@pytest.mark.parametrize("seed", range(300))
def test_targets_are_those_of_a_slow_recursion(seed: int) -> None:
    chance = Random(seed)
    grown = tree(chance)
    named = pairs(grown)
    inner = {name for name, chain in named if any(c.startswith(f"{chain}->") for _, c in named)}
    counts = {}
    for name, _ in named:
        if name not in inner and chance.random() < 0.9:
            tried = chance.choice((0, 1, 5, 40, 200))
            counts[name] = (tried, chance.randint(0, tried))
    alpha, beta = chance.choice(((1.0, 1.0), (0.0, 0.0), (2.5, 0.1), (1.0, 9.0)))
    support, most = chance.choice((0, 0, 3, 50)), chance.choice((1.0, 2.5, 20.0, 1000.0))
    clause = soft(most, alpha, beta, support)
    tallies = by_chain([(n, Tally(attempts=t, correct=c)) for n, (t, c) in counts.items()], named)
    chain = dict(named)
    names = leaves(named, ())
    assert set(names) == {chain[n] for n, _ in named if n not in inner}
    expected = slow(grown, counts, Fraction(str(alpha)), Fraction(str(beta)), support)
    found = accuracies(names, tallies, clause)
    assert found == {chain[n]: a for n, a in expected.items()}
    heavy = {chain[n]: Fraction(1) if a is None else min(1 / a, Fraction(str(most))) if a else Fraction(str(most)) for n, a in expected.items()}
    assert weights(names, tallies, clause) == heavy
    size = chance.choice((1, 7, 100, 2_000_000))
    assert shares(heavy, size) == parted(heavy, size)
    assert sum(shares(heavy, size).values()) == size


def test_without_a_tree_every_value_is_a_child_of_one_root() -> None:
    counts = by_chain([("a", Tally(attempts=8, correct=4)), ("b", Tally(attempts=0, correct=0))], None)
    assert leaves(None, ["c", "a", "b", "a"]) == ("a", "b", "c")
    root = Fraction(4 + 1, 8 + 2)
    assert accuracies(("a", "b", "c"), counts, soft()) == {"a": (4 + 2 * root) / 10, "b": root, "c": root}
    assert accuracies(("a", "b"), counts, soft(alpha=0, beta=0)) == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


def test_a_profile_may_name_nodes_by_their_chains() -> None:
    named = [("A", "A"), ("x", "A->x")]
    assert by_chain([("A->x", Tally(attempts=2, correct=1))], named) == by_chain([("x", Tally(attempts=2, correct=1))], named)


def test_equal_targets_and_the_first_of_equal_remainders_by_name() -> None:
    assert shares(weights(("c", "a", "b"), {}, soft(shape="uniform")), 7) == {"a": 3, "b": 2, "c": 2}
    assert weights(("a", "b"), {}, soft(alpha=0, beta=0)) == {"a": 1, "b": 1}, "nothing was ever attempted"
    assert shares({}, 5) == {}


SHARED_OUT = {
    "examples": ([], [budget(12)], {"A->x": 4, "A->y": 4, "z": 4}, "examples"),
    "examples before tokens": ([], [budget(9000, "tokens"), budget(12)], {"A->x": 4, "A->y": 4, "z": 4}, "examples"),
    "tokens alone": ([], [budget(3001, "tokens")], {"A->x": 1001, "A->y": 1000, "z": 1000}, "tokens"),
    "a floor": ([quota(5.0, name="x")], [budget(12)], {"A->y": 4, "z": 3}, "examples"),
    "the highest of two floors": ([quota(2.0, name="x"), quota(5.0, 9.0, name="x")], [budget(12)], {"A->y": 4, "z": 3}, "examples"),
    "a share": ([quota(30.0, unit="%", name="x")], [budget(11)], {"A->y": 4, "z": 3}, "examples"),
    "a cap has no floor": ([quota(None, 2.0, name="x")], [budget(12)], {"A->y": 6, "z": 6}, "examples"),
    "tokens are no examples": ([quota(900.0, unit="tokens", name="x")], [budget(12)], {"A->y": 6, "z": 6}, "examples"),
    "a share of tokens": ([quota(10.0, unit="% of tokens", name="z")], [budget(1000, "tokens")], {"A->x": 450, "A->y": 450}, "tokens"),
    "an inner node names no leaf": ([quota(6.0, name="A")], [budget(12)], {"A->x": 4, "A->y": 4, "z": 4}, "examples"),
    "floors above the budget": ([quota(20.0, name="x")], [budget(12)], {"A->y": 0, "z": 0}, "examples"),
}


@pytest.mark.parametrize("case", SHARED_OUT)
def test_leaves_that_no_quota_names_share_what_the_floors_leave(case: str) -> None:
    quotas, budgets, expected, unit = SHARED_OUT[case]
    assert targets(dict.fromkeys(("A->x", "A->y", "z"), Fraction(1)), quotas, budgets) == (expected, unit)

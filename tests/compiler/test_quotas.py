"""Quotas that are said to be impossible are: tried on every composition of a few rows. And what a person would see is seen."""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.clauses import Budget, Group, Quota
from mixc.compiler.reason.quotas import Kinship, conflicts
from mixc.compiler.source import Span

TEACHERS = ("a", "b")
CHAINS = {"N": "N", "add": "N->add", "div": "N->div", "S": "S"}
MOST = 5
CELLS = tuple(itertools.product(TEACHERS, ("add", "div", "S"), (1, 2)))
"""Kinds of rows: teacher, skill, tokens."""


def spread(total: int, kinds: int) -> Iterator[tuple[int, ...]]:
    if kinds == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in spread(total - first, kinds - 1))


FEW = CELLS[::2] + CELLS[1:2] + CELLS[-1:]
SELECTIONS = [list(zip(FEW, counts, strict=True)) for n in range(1, MOST + 1) for counts in spread(n, len(FEW))]


def members(group: Group, selection: list) -> list:
    if group.kind == "teacher":
        return [(cell, n) for cell, n in selection if cell[0] == group.value]
    return [(cell, n) for cell, n in selection if group.value in CHAINS[cell[1]].split("->")]


def holds(quota: Quota, selection: list) -> bool:
    """From the definition of a quota."""
    tokens = "tokens" in quota.unit
    weigh = (lambda cell: cell[2]) if tokens else (lambda cell: 1)
    amount = sum(weigh(cell) * n for cell, n in members(quota.group, selection))
    total = sum(weigh(cell) * n for cell, n in selection)
    factor = Fraction(total, 100) if "%" in quota.unit else Fraction(1)
    longest = max(cell[2] for cell in FEW)
    miss = 0 if not quota.equal or quota.unit == "examples" else 1 if quota.unit == "%" else longest
    low = None if quota.low is None else Fraction(str(quota.low)) * factor - miss
    high = None if quota.high is None else Fraction(str(quota.high)) * factor + miss
    return (low is None or amount >= low) and (high is None or amount <= high)


def fits(budget: Budget, selection: list) -> bool:
    rows, tokens = sum(n for _, n in selection), sum(cell[2] * n for cell, n in selection)
    if budget.unit == "tokens":
        return tokens <= budget.amount
    return rows <= budget.amount if budget.up_to else rows == budget.amount


def quota(group: Group, unit: str, low: float | None, high: float | None, *, equal: bool = False, at: int = 0) -> Quota:
    return Quota(text="q", group=group, low=low, high=high, unit=unit, equal=equal, span=Span("", at, at + 1))


GROUPS = [*(Group(kind="teacher", value=t) for t in TEACHERS), *(Group(kind="skill", value=s) for s in CHAINS)]
AMOUNTS = {"examples": (0, 1, 2, 3, 4), "tokens": (0, 1, 3, 5, 7), "%": (0, 10, 33.3, 40, 50, 60.5, 80, 100), "% of tokens": (0, 20, 50, 70, 100)}


@st.composite
def quotas(draw: st.DrawFn) -> Quota:
    unit = draw(st.sampled_from(list(AMOUNTS)))
    low, high = sorted(draw(st.lists(st.sampled_from(AMOUNTS[unit]), min_size=2, max_size=2)))
    shape = draw(st.sampled_from(["low", "high", "both", "equal"]))
    group = draw(st.sampled_from(GROUPS))
    if shape == "equal":
        return quota(group, unit, low, low, equal=True)
    return quota(group, unit, None if shape == "high" else low, None if shape == "low" else high)


BUDGETS = st.one_of(
    st.just(()),
    st.builds(lambda n, u: (Budget(text="b", amount=n, unit="examples", up_to=u, span=Span("", 0, 1)),), st.integers(1, MOST), st.booleans()),
    st.builds(lambda n: (Budget(text="b", amount=n, unit="tokens", span=Span("", 0, 1)),), st.integers(1, MOST)),
)
KIN = Kinship(teachers=TEACHERS, chains=CHAINS, one_skill=True)


@settings(max_examples=400, deadline=None)
@given(st.lists(quotas(), min_size=1, max_size=5), BUDGETS)
def test_what_is_refused_cannot_be_satisfied(asked: list[Quota], budgets: tuple[Budget, ...]) -> None:
    for conflict in conflicts(asked, budgets, KIN):
        blamed = (*conflict.floors, *conflict.caps)
        those = (conflict.budget,) if conflict.budget else ()
        assert not any(all(holds(q, s) for q in blamed) and all(fits(b, s) for b in those) for s in SELECTIONS)


@settings(max_examples=400, deadline=None)
@given(st.lists(quotas().filter(lambda q: q.group.kind == "teacher" and "tokens" not in q.unit), min_size=1, max_size=5), st.integers(1, MOST))
def test_what_teachers_and_an_exact_budget_cannot_satisfy_is_refused(asked: list[Quota], amount: int) -> None:
    budget = Budget(text="b", amount=amount, unit="examples", span=Span("", 0, 1))
    possible = any(fits(budget, s) and all(holds(q, s) for q in asked) for s in SELECTIONS)
    assert bool(conflicts(asked, (budget,), KIN)) is not possible


SKILL = {s: Group(kind="skill", value=s) for s in CHAINS}
LISTED = Kinship(teachers=TEACHERS, chains=CHAINS, one_skill=False)


def test_rows_with_several_skills_may_meet_two_floors_at_once() -> None:
    floors = [quota(SKILL["add"], "%", 60, None), quota(SKILL["div"], "%", 60, None)]
    assert conflicts(floors, (), KIN)
    assert not conflicts(floors, (), LISTED)
    assert conflicts([*floors, quota(SKILL["N"], "%", None, 50)], (), LISTED)


def test_the_sum_is_exact() -> None:
    thirds = [quota(Group(kind="column", value=v, column="c"), "%", 33.333333333, None) for v in "xyz"]
    tenths = [quota(Group(kind="column", value=str(v), column="c"), "%", 0.1, None) for v in range(1000)]
    kin = Kinship(single=frozenset("c"))
    assert not conflicts(thirds, (), kin)
    assert not conflicts(tenths, (), kin)
    assert [c.sum for c in conflicts([*tenths[:3], quota(Group(kind="column", value="x", column="c"), "%", 99.8, None)], (), kin)] == [
        "0.1% + 0.1% + 0.1% + 99.8% = 100.1%"
    ]


@pytest.mark.parametrize("single", [frozenset(), frozenset("c")])
def test_values_of_a_list_may_meet(single: frozenset[str]) -> None:
    floors = [quota(Group(kind="column", value=v, column="c"), "%", 60, None) for v in "xy"]
    assert bool(conflicts(floors, (), Kinship(single=single))) is bool(single)

"""What is proven of conditions holds of every row, tried on all rows of small values; and what a person would see is proven."""

import itertools
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.expressions import Column, Constant, Constants, Expression, Operation, Rank
from mixc.compiler.reason.assume import SKILL, is_certain, never_false
from mixc.compiler.reason.domain import Domain
from mixc.compiler.reason.rows import Origin, Premise, excluding, is_possible, told
from mixc.compiler.source import Span

N, M, T, B = Column("column", "n"), Column("column", "m"), Column("column", "t"), Column("column", "b")
TEACHER = Column("role", "teacher")
VALUES = {N: (None, -1, 0, 1, 2, 2.5), M: (None, 0, 1, 2), T: (None, "a", "ab", "b"), B: (None, True, False), SKILL: ((), ("A",), ("A", "B"))}
ROWS = [dict(zip(VALUES, row, strict=True)) for row in itertools.product(*VALUES.values())]
COMPARE = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def value(e: Expression, row: dict):
    """The value of an expression, from the language's definition: None is null, logic is Kleene's."""
    match e:
        case Column():
            return row[T if e == TEACHER else e]
        case Constant(v):
            return v
        case Operation("not", (inner,)):
            found = value(inner, row)
            return None if found is None else not found
        case Operation("and" | "or" as name, sides):
            found = [value(s, row) for s in sides]
            decisive = name == "or"
            return decisive if decisive in found else None if None in found else not decisive
        case Operation("negate", (inner,)):
            found = value(inner, row)
            return None if found is None else -found
        case Operation("in", (left, Constants(values))):
            if left == SKILL:
                return any(v in row[SKILL] for v in values)
            found = value(left, row)
            return False if not values else None if found is None else found in values
        case Operation(name, (left, right)) if left == SKILL:
            return (value(right, row) in row[SKILL]) is (name == "==")
        case Operation(name, (left, right)):
            a, b = value(left, row), value(right, row)
            if a is None or b is None:
                return None
            return b in a if name == "contains" else a + b if name == "+" else COMPARE[name](a, b)
    raise TypeError(e)


NUMBERS = st.sampled_from([Constant(v) for v in (-1, 0, 1, 1.5, 2, 3)])
NUMERIC = st.sampled_from([N, M, Operation("negate", (N,)), Operation("+", (N, M))])
TEXTS = st.sampled_from([Constant(v) for v in ("a", "ab", "b", "c")])
COMPARISON = st.sampled_from(list(COMPARE))
SOME_TEXTS = st.lists(st.sampled_from(["a", "ab", "b", "c"]), max_size=3).map(lambda v: Constants(tuple(v)))
SOME_NUMBERS = st.lists(st.sampled_from([0, 1, 2.5]), max_size=2).map(lambda v: Constants(tuple(v)))
SKILLS = st.sampled_from(["A", "B", "C"])
ATOMS = st.one_of(
    st.just(B),
    st.builds(lambda o, a, b: Operation(o, (a, b)), COMPARISON, NUMERIC, NUMBERS),
    st.builds(lambda o, a, b: Operation(o, (b, a)), COMPARISON, NUMERIC, NUMBERS),
    st.builds(lambda o, a, b: Operation(o, (a, b)), COMPARISON, NUMERIC, NUMERIC),
    st.builds(lambda o, a, b: Operation(o, (a, b)), COMPARISON, st.sampled_from([T, TEACHER]), TEXTS),
    st.builds(lambda o, a, b: Operation(o, (a, b)), COMPARISON, NUMBERS, NUMBERS),
    st.builds(lambda a, b: Operation("contains", (a, b)), st.sampled_from([T, TEACHER]), TEXTS),
    st.builds(lambda a, b: Operation("in", (a, b)), st.sampled_from([T, TEACHER]), SOME_TEXTS),
    st.builds(lambda a, b: Operation("in", (a, b)), st.sampled_from([N, M]), SOME_NUMBERS),
    st.builds(lambda o, v: Operation(o, (B, Constant(v))), st.sampled_from(["==", "!="]), st.booleans()),
    st.builds(lambda o, v: Operation(o, (SKILL, Constant(v))), st.sampled_from(["==", "!="]), SKILLS),
    st.builds(lambda v: Operation("in", (SKILL, Constants(tuple(v)))), st.lists(SKILLS, max_size=2)),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda o, a, b: Operation(o, (a, b)), st.sampled_from(["and", "or"]), inner, inner),
        st.builds(lambda a: Operation("not", (a,)), inner),
    ),
    max_leaves=5,
)
RANGES = {M: Domain("number", low=0, whole=True)}
ORIGIN = Origin(ranges=dict(RANGES), alias={TEACHER: T})


def premises(conditions: list[Expression]) -> list[Premise]:
    return [Premise(c, Span("", i, i + 1), i) for i, c in enumerate(conditions)]


@settings(max_examples=300, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=4), CONDITIONS)
def test_what_is_proven_holds_of_every_row(conditions: list[Expression], more: Expression) -> None:
    passing = [row for row in ROWS if all(value(c, row) is True for c in conditions)]
    made = premises(conditions)
    facts = told(ORIGIN, made)
    if facts is None:
        assert not passing
        used = excluding(ORIGIN, made[:-1], made[-1]) if told(ORIGIN, made[:-1]) is not None else ()
        kept = [p.condition for p in (*used, made[-1])] if used else conditions
        assert not [row for row in ROWS if all(value(c, row) is True for c in kept)]
        return
    if is_certain(more, facts, 99):
        assert all(value(more, row) is True for row in passing)
    if never_false(more, facts, 99):
        assert not [row for row in passing if value(more, row) is False]
    assert is_possible(Premise(more, Span("", 0, 1), 99), facts) or not [row for row in passing if value(more, row) is True]


def compare(left: Expression, name: str, right: object) -> Operation:
    return Operation(name, (left, Constant(right)))  # type: ignore[arg-type]


def both(a: Expression, b: Expression) -> Operation:
    return Operation("and", (a, b))


LENGTH, GOOD = Column("score", "length"), Column("score", "good")
EXCLUDED = {
    "a number on both sides": [compare(N, "<=", 100), compare(N, ">=", 200)],
    "true and not true": [both(GOOD, Operation("not", (GOOD,)))],
    "true and == false": [GOOD, compare(GOOD, "==", False)],
    "two values": [compare(T, "==", "a"), compare(T, "==", "b")],
    "a value that the list has not": [Operation("in", (T, Constants(("a", "b")))), compare(T, "==", "c")],
    "an empty list": [Operation("in", (T, Constants(())))],
    "both ways of an or": [Operation("or", (compare(T, "==", "a"), compare(T, "==", "b"))), compare(T, "==", "c")],
    "an or whose ways are closed before": [compare(N, ">", 5), Operation("or", (compare(N, "<", 3), compare(N, "==", 4)))],
    "whole numbers between 3 and 4": [compare(M, ">", 3), compare(M, "<", 4)],
    "below the range": [compare(M, "<", 0)],
    "a negated term": [compare(Operation("negate", (N,)), ">", 3), compare(N, ">", 0)],
    "a term and itself": [Operation("<", (N, N))],
    "two terms in two orders": [Operation("<", (N, M)), Operation("<=", (M, N))],
    "a rank below the first": [compare(Rank(N), "<", 1)],
    "a rank twice in a clause": [both(compare(Rank(N), "<", 3), compare(Rank(N), ">", 5))],
    "a constant": [compare(Constant(3), ">", 4)],
    "the role and its column": [compare(TEACHER, "==", "a"), compare(T, "==", "b")],
}


@pytest.mark.parametrize("name", EXCLUDED)
def test_a_person_sees_that_no_row_passes_and_so_does_the_proof(name: str) -> None:
    assert told(ORIGIN, premises(EXCLUDED[name])) is None


POSSIBLE = {
    "a row of two skills": [compare(SKILL, "==", "A"), compare(SKILL, "==", "B")],
    "ranks of two clauses": [compare(Rank(N), "<", 3), compare(Rank(N), ">", 5)],
    "ranks within skill": [both(compare(Rank(N, SKILL), "<", 3), compare(Rank(N, SKILL), ">", 5))],
    "numbers too large to tell": [compare(N, ">=", 2**53 + 1), compare(N, "<=", float(2**53))],
    "a column of two kinds": [compare(N, "==", True), compare(N, "==", 1)],
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_nothing_is_said_of_what_may_be(name: str) -> None:
    assert told(ORIGIN, premises(POSSIBLE[name])) is not None


def test_the_clauses_named_are_those_that_are_needed() -> None:
    made = premises([compare(N, "<=", 100), compare(T, "==", "a"), compare(N, "<=", 50), compare(N, ">=", 200)])
    assert excluding(ORIGIN, made[:-1], made[-1]) == (made[0],)

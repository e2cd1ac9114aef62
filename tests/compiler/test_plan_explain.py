"""The plan in words: every stage has a line, and what is known of it stands in one column."""

import pytest
from mixc.compiler.expressions import Column, Constant, Constants, Expression, Operation, Quantile, Rank
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.express import express

from .plans import whole

KNOWN = {"scan:traces": "12,400 rows", "score:length": "412 to score, 188 from the store", "select": "1,000 rows"}


def test_every_stage_has_a_line_in_plan_order():
    plan = whole()
    verbs = [line.split()[0] for line in explain(plan).splitlines()[1:] if line[2] != " "]
    assert verbs == [type(stage).__name__.lower() for stage in plan.stages]


def test_clauses_and_what_is_not_done_yet_stand_below_their_stage():
    shown = explain(whole())
    select = shown[shown.index("\n  select") : shown.index("\n  materialise")]
    for clause in ('quota skill "Geometry" >= 15%', "keep at most 1 per prompt", "budget 2M tokens"):
        assert f"\n                  {clause}\n" in select
    assert "not done yet: `quota skill weakness`" in select
    assert "strong from traces where model in" in shown
    assert "gpt-4o" in shown


def test_what_is_known_stands_in_one_column_and_below_only_what_is_too_long():
    lines = explain(whole(), KNOWN, 100).splitlines()
    places = {line.index(known) for known in KNOWN.values() for line in lines if line.endswith(known)}
    assert len(places) == 1
    for width in (20, 60, 100, 200):
        shown = explain(whole(), KNOWN | {"decontaminate": "nothing found"}, width)
        assert all(known in shown for known in KNOWN.values())
        assert len({line.index(k) for k in KNOWN.values() for line in shown.splitlines() if line.endswith(k)}) == 1
    narrow = explain(whole(), KNOWN, 60).splitlines()
    at = next(i for i, line in enumerate(narrow) if line.strip() == KNOWN["scan:traces"])
    assert narrow[at - 1].endswith("data/traces/*.parquet")


A, B, C = (Column("score", name) for name in "abc")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Operation("and", (Operation("or", (A, B)), C)), "(a or b) and c"),
        (Operation("or", (Operation("and", (A, B)), C)), "a and b or c"),
        (Operation("not", (Operation("and", (A, B)),)), "not (a and b)"),
        (Operation("not", (Operation("in", (A, Constants(("x", 1, None, True)))),)), 'a not in ["x", 1, none, true]'),
        (Operation("-", (A, Operation("-", (B, C)))), "a - (b - c)"),
        (Operation("-", (Operation("-", (A, B)), C)), "a - b - c"),
        (Operation("*", (Operation("+", (A, B)), C)), "(a + b) * c"),
        (Operation("negate", (Operation("+", (A, B)),)), "-(a + b)"),
        (Operation(">=", (A, Quantile(A, 20, Column("role", "teacher")))), "a >= p20 within teacher"),
        (Operation("<", (A, Quantile(A, 5))), "a < p05"),
        (Operation("<=", (Rank(A), Constant(0.30000000000000004))), "rank(a) <= 0.30000000000000004"),
        (Operation("matches", (A, Constant('say "hi"\\.'))), r'a matches "say \"hi\"\\."'),
    ],
)
def test_expressions_read_as_they_are_written(expression: Expression, expected: str):
    assert express(expression) == expected

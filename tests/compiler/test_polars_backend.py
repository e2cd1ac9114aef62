"""The Polars backend against an obvious reading of the language in plain Python, on random frames and expressions."""

import math
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.backends.polars import apply_keep, apply_where, expression, with_value
from mixc.compiler.diagnostics import Fault
from mixc.compiler.expressions import Column, Constant, Constants, Operation, Quantile, Rank
from mixc.compiler.plan.stages import Keep, Where
from mixc.compiler.source import Span

SPAN = Span("a.mix", 0, 5)
SCHEMA = {
    "row_id": pl.String, "prompt_id": pl.String, "corpus": pl.String, "prompt": pl.String, "response": pl.String,
    "reference": pl.String, "teacher_value": pl.String, "teacher": pl.String, "skills": pl.List(pl.String),
    "column:level": pl.String, "column:size": pl.Int64, "score:good": pl.Boolean, "score:nat": pl.Float64,
    "score:nat:why": pl.String, "score:len": pl.Int64, "reason": pl.String, "tie": pl.UInt64,
}  # fmt: skip
NAT, LEN, GOOD = Column("score", "nat"), Column("score", "len"), Column("score", "good")
SIZE, LEVEL = Column("column", "size"), Column("column", "level")
SKILL, TEACHER = Column("role", "skill"), Column("role", "teacher")
GROUPS = [None, TEACHER, Column("role", "prompt"), Column("role", "corpus"), LEVEL, SKILL]

floats = st.none() | st.sampled_from([0.0, -0.0, 1.0, -1.5, 2.25, -2.3123456789, -2.3123456788, math.nan, math.inf, -math.inf])
ints = st.none() | st.integers(-3, 3)
words = st.none() | st.sampled_from(["", "a", "ab", "Ab", "ß", "b\nc", "a.c", "zz"])
chains = st.none() | st.lists(st.sampled_from(["Algebra", "Algebra->Linear", "Geometry->Circles", "Circles", "a"]), max_size=3)


@st.composite
def frames(draw):
    n = draw(st.integers(0, 12))
    rows = []
    for i in range(n):
        nat = draw(floats)
        rows.append({
            "row_id": f"{i:02}", "prompt_id": draw(st.sampled_from("pqr")), "corpus": draw(st.sampled_from("cd")), "prompt": "x",
            "response": draw(words), "reference": draw(words), "teacher_value": draw(words), "teacher": draw(st.sampled_from(["s", "t", None])),
            "skills": draw(chains), "column:level": draw(words), "column:size": draw(ints), "score:good": draw(st.sampled_from([True, False, None])),
            "score:nat": nat, "score:nat:why": draw(st.sampled_from([None, "unknown: timed out after 5 s", "no reference"])) if nat is None else None,
            "score:len": draw(ints), "reason": draw(st.sampled_from([None, None, None, "gone"])), "tie": draw(st.integers(0, 3)),
        })  # fmt: skip
    return rows


def operation(op, *arguments):
    return Operation(op, arguments)


numbers = st.recursive(
    st.sampled_from([NAT, LEN, SIZE, Constant(0), Constant(1.5), Constant(-2)]),
    lambda inner: st.builds(operation, st.sampled_from("+-*/"), inner, inner) | st.builds(operation, st.just("negate"), inner)
    | st.builds(Rank, inner, st.sampled_from(GROUPS)),
    max_leaves=3,
)  # fmt: skip
texts = st.sampled_from([LEVEL, TEACHER, Column("role", "response"), Column("role", "reference"), Constant("ab")])
ORDER = ["==", "!=", "<", "<=", ">", ">="]
leaves = (
    st.builds(operation, st.sampled_from(ORDER), numbers, numbers)
    | st.builds(operation, st.sampled_from(ORDER), texts, texts)
    | st.builds(lambda e, p, g, op: operation(op, e, Quantile(e, p, g)), numbers, st.integers(0, 100), st.sampled_from(GROUPS), st.sampled_from(ORDER[2:]))
    | st.builds(lambda e, v: operation("in", e, Constants(tuple(v))), numbers, st.lists(st.sampled_from([0, 1, 1.5, -2, None]), max_size=3))
    | st.builds(lambda e, v: operation("in", e, Constants(tuple(v))), texts, st.lists(st.sampled_from(["a", "ab", "", None]), max_size=3))
    | st.builds(lambda e, op, v: operation(op, e, Constant(v)), texts, st.sampled_from(["matches", "contains"]), st.sampled_from(["a", "^a", "b$", "a.c", ""]))
    | st.builds(lambda op, v: operation(op, SKILL, Constant(v)), st.sampled_from(["==", "!=", "contains", "matches"]), st.sampled_from(["Algebra", "Circles", "a", "zz"]))
    | st.builds(lambda v: operation("in", SKILL, Constants(tuple(v))), st.lists(st.sampled_from(["Algebra", "Linear", "zz"]), max_size=2))
    | st.sampled_from([GOOD, Constant(True), Constant(False), operation("==", GOOD, Constant(True))])
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(operation, st.sampled_from(["and", "or"]), inner, inner) | st.builds(operation, st.just("not"), inner),
    max_leaves=4,
)  # fmt: skip

NAMES = {"teacher": "teacher_value", "skill": "skills", "id": "prompt_id"}
IN_GROUP = {"teacher": "teacher", "prompt": "prompt_id", "corpus": "corpus"}


def known(value):
    return None if isinstance(value, float) and math.isnan(value) else value


class Reference:
    """One row at a time, everything from the definition. `skill` is the one skill that a comparison within skill looks at."""

    def __init__(self, rows):
        self.rows = rows

    def value(self, e, row, skill=None):
        match e:
            case Column(source, name):
                return known(row[NAMES.get(name, name) if source == "role" else f"{source}:{name}"])
            case Constant(value):
                return value
            case Operation("and" | "or" as op, (a, b)):
                sides = [self.value(a, row, skill), self.value(b, row, skill)]
                decides = op == "or"
                return decides if decides in sides else None if None in sides else not decides
            case Operation("not", (a,)):
                inner = self.value(a, row, skill)
                return None if inner is None else not inner
            case Operation("negate", (a,)):
                return self.value(Operation("-", (Constant(0), a)), row, skill)
            case Operation(op) if skill is None and within_skill(e) and (op in ORDER or op == "in"):
                return either([self.value(e, row, s) for s in skills_of(row)])
            case Operation(op, (a, b)) if a == SKILL:
                return None if row["skills"] is None else either([False, *(self.compare(op, x, b) for c in row["skills"] for x in c.split("->"))], op)
            case Operation(op, (a, b)):
                return self.compare(op, self.value(a, row, skill), b, row, skill)
            case Quantile(of, percent, group):
                values = sorted(v for v, _ in self.alive(of, row, group, skill))
                return values[max(0, math.ceil(percent * len(values) / 100) - 1)] if values else None
            case Rank(_, group) if group == SKILL and skill is None:
                return min((r for s in skills_of(row) if (r := self.value(e, row, s)) is not None), default=None)
            case Rank(of, group):
                order = sorted(self.alive(of, row, group, skill), key=lambda x: (-x[0], x[1]["tie"], x[1]["row_id"]))
                return next((i for i, (_, r) in enumerate(order, 1) if r["row_id"] == row["row_id"]), None)

    def alive(self, of, row, group, skill):
        for other in self.rows:
            if other["reason"] is None and (v := self.value(of, other)) is not None:
                key = IN_GROUP.get(group.name, f"column:{group.name}") if group else None
                if skill in skills_of(other) if group == SKILL else group is None or other[key] == row[key]:
                    yield v, other

    def compare(self, op, left, b, row=None, skill=None):
        if op == "in":
            return either([False, *(None if left is None or v is None else left == v for v in b.values)])
        right = b.value if isinstance(b, Constant) else self.value(b, row, skill)
        if left is None or right is None:
            return None
        if op in ("matches", "contains"):
            return bool(re.search(right, left)) if op == "matches" else right in left
        if op == "/":
            return None if right == 0 else known(left / right)
        arithmetic = {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}
        if op in arithmetic:
            return known(arithmetic[op]())
        return {"==": left == right, "!=": left != right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


NONE = "no skill"


def skills_of(row):
    return row["skills"] or [NONE]


def within_skill(e):
    match e:
        case Operation(_, arguments):
            return any(within_skill(a) for a in arguments)
        case Quantile(_, _, group) | Rank(_, group):
            return group == SKILL
    return False


def either(values, op="or"):
    if op == "!=":
        return all(v is not False or i == 0 for i, v in enumerate(values))
    return True if True in values else None if None in values else False


def lazy(rows, shuffled=0):
    return pl.DataFrame(rows, schema=SCHEMA).sample(fraction=1, shuffle=True, seed=shuffled).lazy()


def reasons(frame, engine="auto"):
    return dict(frame.select("row_id", "reason").collect(engine=engine).iter_rows())


def where(condition):
    return Where(text="where C", condition=condition, span=SPAN)


@settings(max_examples=300, deadline=None)
@given(frames(), conditions)
def test_where_keeps_what_the_language_says_in_every_engine(rows, condition):
    verdict = {r["row_id"]: Reference(rows).value(condition, r) for r in rows}
    results = [reasons(apply_where(lazy(rows, seed), where(condition), "tie"), engine) for seed, engine in enumerate(["in-memory", "streaming"])]
    assert results[0] == results[1]
    for row in rows:
        reason = results[0][row["row_id"]]
        if row["reason"]:
            assert reason == "gone"
        elif verdict[row["row_id"]] is None:
            assert reason.startswith(("where C: null", "where C: unknown"))
        else:
            assert (reason is None) if verdict[row["row_id"]] else reason.startswith("where C: false")


@settings(max_examples=200, deadline=None)
@given(frames(), numbers, st.integers(1, 3))
def test_keep_takes_the_best_of_each_prompt_in_every_engine(rows, by, count):
    keep = Keep(text="keep K", count=count, by=by, span=SPAN)
    expected = {}
    for prompt in {r["prompt_id"] for r in rows}:
        values = [(Reference(rows).value(by, r), r) for r in rows if r["prompt_id"] == prompt and r["reason"] is None]
        order = sorted(((v, r) for v, r in values if v is not None), key=lambda x: (-x[0], x[1]["tie"], x[1]["row_id"]))
        expected |= {r["row_id"]: None for _, r in order[:count]}
        expected |= {r["row_id"]: f"keep K: beaten by {order[count - 1][1]['row_id']}" for _, r in order[count:]}
    results = [reasons(apply_keep(lazy(rows, seed), keep, "tie"), engine) for seed, engine in enumerate(["in-memory", "streaming"])]
    assert results[0] == results[1]
    for row in rows:
        reason = results[0][row["row_id"]]
        if row["reason"]:
            assert reason == "gone"
        elif row["row_id"] in expected:
            assert reason == expected[row["row_id"]]
        else:
            assert reason.startswith(("keep K: null", "keep K: unknown"))


@settings(max_examples=100, deadline=None)
@given(frames(), numbers)
def test_a_value_is_the_same_as_in_plain_python(rows, e):
    result = with_value(lazy(rows), e, "v", "tie").collect()
    assert dict(result.select("row_id", "v").iter_rows()) == {r["row_id"]: Reference(rows).value(e, r) for r in rows}


def one(**values):
    base = dict.fromkeys(SCHEMA) | {"row_id": "00", "prompt_id": "p", "corpus": "c", "skills": [], "tie": 0}
    return base | values


def reason_of(condition, *rows):
    return list(reasons(apply_where(lazy([r | {"row_id": f"{i:02}"} for i, r in enumerate(rows)]), where(condition), "tie").sort("row_id")).values())


def test_a_false_comparison_shows_both_numbers():
    rows = [one(**{"score:nat": -2.31}), one(**{"score:nat": -1.98}), one(**{"score:nat": -1.5})]
    assert reason_of(operation(">=", NAT, Quantile(NAT, 60)), *rows) == ["where C: false (-2.31 < -1.98)", None, None]
    assert reason_of(operation("<=", LEN, Constant(4096)), one(**{"score:len": 123456789})) == ["where C: false (123456789 > 4096)"]


def test_numbers_that_differ_after_six_digits_are_shown_in_full():
    assert reason_of(operation(">=", NAT, Constant(-1.9800001)), one(**{"score:nat": -1.9800002})) == ["where C: false (-1.9800002 < -1.9800001)"]


def test_the_first_false_part_of_an_and_is_shown():
    both = operation("and", operation("<=", LEN, Constant(5)), operation(">=", NAT, Constant(0)))
    rows = [one(**{"score:len": 9, "score:nat": -1.0}), one(**{"score:len": 1, "score:nat": -1.0}), one(**{"score:nat": -1.0})]
    assert reason_of(both, *rows) == ["where C: false (9 > 5)", "where C: false (-1 < 0)", "where C: false (-1 < 0)"]


def test_null_and_unknown_have_reasons_of_their_own():
    c = operation(">", NAT, Constant(0))
    whys = ["unknown: timed out after 5 s", "no reference", None]
    assert reason_of(c, *(one(**{"score:nat:why": w}) for w in whys)) == ["where C: unknown: timed out after 5 s", "where C: null (no reference)", "where C: null"]


def test_a_null_score_that_the_clause_does_not_read_drops_nothing():
    assert reason_of(operation(">", LEN, Constant(0)), one(**{"score:len": 1, "score:nat:why": "unknown: x"})) == [None]


def test_a_row_of_several_skills_passes_in_one():
    hard = operation(">=", NAT, Quantile(NAT, 100, SKILL))
    rows = [one(skills=["A"], **{"score:nat": 3.0}), one(skills=["A", "B"], **{"score:nat": 2.0}), one(skills=["B"], **{"score:nat": 1.0})]
    assert reason_of(hard, *rows) == [None, None, "where C: false"]


def test_a_quantile_is_exact_where_floats_are_not():
    rows = [one(**{"score:nat": float(i)}) for i in range(1, 101)]
    for percent, smallest in ((0, 1), (1, 1), (7, 7), (29, 29), (57, 57), (58, 58), (100, 100)):
        kept = reason_of(operation(">=", NAT, Quantile(NAT, percent)), *rows)
        assert kept.count(None) == 101 - smallest


def test_integers_that_overflow_are_null_and_not_wrong():
    big = 2**62
    assert reason_of(operation("<", operation("*", SIZE, Constant(4)), Constant(0)), one(**{"column:size": big})) == ["where C: null"]
    small = pl.DataFrame({"score:len": pl.Series([1, 2], dtype=pl.UInt32)})
    assert small.select(expression(operation("negate", LEN), small.schema)).to_series().to_list() == [-1, -2]


def test_division_is_of_real_numbers_and_by_zero_null():
    frame = pl.DataFrame({"score:len": [1, 2, None], "column:size": [2, 0, 1]})
    assert frame.select(expression(operation("/", LEN, SIZE))).to_series().to_list() == [0.5, None, None]


def test_a_pattern_that_is_no_regular_expression_is_the_users_fault_at_its_clause():
    for pattern in ("(?=a)", "(", r"(a)\1", "a{1000}{1000}{1000}"):
        with pytest.raises(Fault) as fault:
            apply_where(lazy([one()]), where(operation("matches", LEVEL, Constant(pattern))), "tie")
        diagnostic = fault.value.diagnostics[0]
        assert (diagnostic.code, diagnostic.primary.span) == ("MIX0311", SPAN)


def test_a_column_of_another_type_is_the_users_fault_at_its_clause():
    for condition in (operation("==", LEVEL, Constant(3)), operation(">", SIZE, Constant("3")), operation("matches", SIZE, Constant("3"))):
        with pytest.raises(Fault) as fault:
            apply_where(lazy([one()]), where(condition), "tie")
        assert fault.value.diagnostics[0].code == "MIX0502"


def test_filters_leave_no_column_of_their_own_behind():
    frame = apply_where(lazy([one()]), where(operation("<=", Rank(NAT, SKILL), Constant(1))), "tie")
    assert apply_keep(frame, Keep(text="keep", count=1, by=NAT, span=SPAN), "tie").collect_schema().names() == list(SCHEMA)

"""The rules of expressions and units, one line each: a condition of `select`, and the code of the error (None: it is legal)."""

import pytest
from mixc.compiler.expressions import Column, Operation, Quantile, Rank
from mixc.compiler.plan.stages import Filter, Score, Select
from mixc.tests.compiler.rules import SCORED, chosen, errors, plan

CONDITIONS = {
    # logic
    "good_one and not good_one or good": None,
    "not (good_one or good)": None,
    "ratio": "MIX0308",
    "good_one and ratio": "MIX0308",
    'not "a"': "MIX0308",
    "true": None,
    # a name is a score, else a role, else a column
    "nothing > 3": "MIX0201",
    'prompt == "a" and response != "b" and reference == "c" and teacher == "d" and id == "e"': None,
    'topic == "Algebra"': None,
    # comparisons
    "length >= 3 tokens": None,
    "length >= 3 nats": "MIX0304",
    "length >= 3": "MIX0309",
    "length >= ratio": "MIX0304",
    "length >= natural": "MIX0304",
    "ratio >= 3 tokens": "MIX0304",
    "ratio >= 30%": "MIX0304",
    "natural >= -1.5 nats": None,
    "natural >= -1.5": "MIX0309",
    "good_one > 5": "MIX0304",
    "good_one == true": None,
    "good_one != good": None,
    "good_one < good": "MIX0304",
    'model == "a"': None,
    'model < "b"': None,
    "model == 3": "MIX0304",
    'ratio == "3"': "MIX0304",
    "model == none": "MIX0301",
    "parts == parts": "MIX0304",
    # lists
    'model in ["a", "b"]': None,
    'model not in ["a"]': None,
    "ratio in [1, 2.5, -3]": None,
    "length in [1 tokens, 2 tokens]": None,
    "length in [1, 2]": "MIX0304",
    'model in ["a", 3]': "MIX0304",
    "ratio in [1, model]": "MIX0301",
    "good_one in [true]": None,
    'model in "a"': "MIX0101",
    # texts
    'answer matches "a+"': None,
    'answer contains "a"': None,
    'ratio matches "a"': "MIX0304",
    'good_one contains "a"': "MIX0304",
    'answer matches "(a"': "MIX0311",
    "answer matches model": "MIX0120",
    # arithmetic
    "length + length <= 3 tokens": None,
    "length - 2 tokens >= 0 tokens": None,
    "length / length <= 3": None,
    "length / length <= 3 tokens": "MIX0304",
    "length / 2 <= 3 tokens": None,
    "natural * 2 <= 3 nats": None,
    "2 * natural <= 3 nats": None,
    "-natural <= 3 nats": None,
    "length + natural <= 3 tokens": "MIX0304",
    "length + 2 <= 3 tokens": "MIX0309",
    "length * length <= 3": "MIX0304",
    "2 / length <= 3": "MIX0304",
    "length / natural <= 3": "MIX0304",
    "good_one + 1 > 2": "MIX0304",
    "model + 1 > 2": "MIX0304",
    '-model == "a"': "MIX0304",
    "ratio / 0 > 1": "MIX0306",
    "(ratio + 1) * 2 - ratio / 3 > 1": None,
    # quantiles
    "natural >= p20": None,
    "natural >= p20 within teacher": None,
    "natural < p90 within prompt": None,
    "natural > p5 within skill": None,
    "natural <= p99 within corpus": None,
    "natural >= p20 within topic": None,
    "length / ratio >= p50": None,
    "natural >= p20 within nothing": "MIX0201",
    "natural == p20": "MIX0310",
    "good_one >= p20": "MIX0310",
    "model >= p20": "MIX0310",
    "p20 <= natural": "MIX0119",
    "natural >= p20 + 1 nats": "MIX0119",
    "natural >= p200": "MIX0201",
    "natural >= p0 and natural <= p99": None,
    # ranks
    "rank(natural) <= 3": None,
    "rank(natural) within prompt <= 3": None,
    "rank(-length) within skill <= 3 and good_one": None,
    "rank(natural) <= 3 nats": "MIX0304",
    "rank(good_one) <= 3": "MIX0310",
    "rank(model) <= 3": "MIX0310",
    "rank(natural) within nothing <= 3": "MIX0201",
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_condition(condition: str) -> None:
    code = CONDITIONS[condition]
    assert errors(chosen(f"where {condition}")) == ([code] if code else [])


OBJECTIVES = {
    "maximize random": None,
    "maximize natural": None,
    "maximize -length": None,
    "maximize rank(natural) within prompt": None,
    "maximize good_one": "MIX0304",
    "maximize model": "MIX0304",
    "maximize natural + length": "MIX0304",
    "keep best 1 per prompt by natural": None,
    "keep best 1 per prompt by good_one": "MIX0304",
    "keep best 0 per prompt by natural": "MIX0306",
    "keep best 1.5 per prompt by natural": "MIX0306",
}


@pytest.mark.parametrize("clause", OBJECTIVES)
def test_what_is_ordered_by_is_a_number(clause: str) -> None:
    code = OBJECTIVES[clause]
    assert errors(chosen(clause)) == ([code] if code else [])


SCORES = {
    "column(count)": ("number", None),
    "column(count, unit: tokens)": ("number", "tokens"),
    "column(count, unit: nats)": ("number", "nats"),
    "column(good)": ("bool", None),
    "column(topic)": ("text", None),
    "tokens(student: tiny)": ("number", "tokens"),
    "global_logprob(student: tiny)": ("number", "nats"),
    "local_logprob(window: 15%, split: given(parts), debias: drop_first)": ("number", "nats"),
    "local_logprob(window: 0 steps, split: newline, debias: none)": ("number", "nats"),
    "rank_surprisal()": ("number", None),
    "perplexity()": ("number", None),
    "entropy()": ("number", "nats"),
    "ifd()": ("number", None),
    "verify_math(reference)": ("bool", None),
    "exact_match(reference)": ("bool", None),
    "choice(reference: gold)": ("bool", None),
    "pass_rate(share)": ("number", None),
}


@pytest.mark.parametrize("call", SCORES)
def test_a_score_has_the_type_and_unit_of_its_scorer(call: str) -> None:
    stage = next(s for s in plan(f"{SCORED}score found = {call}\n").stages if isinstance(s, Score) and s.name == "found")
    assert (stage.type, stage.unit) == SCORES[call]


WRONG_CALLS = {
    "column()": "MIX0207",
    "column(nothing)": "MIX0209",
    "column(parts)": "MIX0305",
    "column(good, unit: tokens)": "MIX0305",
    "column(count, unit: token)": "MIX0302",
    "column(count, tokens, 4)": "MIX0302",
    "column(3)": "MIX0301",
    "tokens(student: large)": "MIX0201",
    "tokens(tiny, student: tiny)": "MIX0202",
    "local_logprob(window: 4)": "MIX0309",
    "local_logprob(window: 4 tokens)": "MIX0303",
    "local_logprob(window: 120%)": "MIX0306",
    "local_logprob(window: 1.5 steps)": "MIX0306",
    "local_logprob(split: sentences)": "MIX0302",
    "local_logprob(split: given(topic))": "MIX0305",
    "local_logprob(debias: yes)": "MIX0302",
    "local_logprob(wimdow: 4 steps)": "MIX0302",
    "verify_math()": "MIX0207",
    "verify_mth(reference)": "MIX0201",
    "pass_rate(topic)": "MIX0305",
}


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_a_wrong_call(call: str) -> None:
    assert errors(f"{SCORED}score found = {call}\n") == [WRONG_CALLS[call]]


def test_each_wrong_argument_of_a_call_is_told_once() -> None:
    assert errors(f"{SCORED}score found = column(count, 3, 4)\n") == ["MIX0302", "MIX0302"]
    assert errors(f"{SCORED}score found = local_logprob(window: 4, debias: yes, wimdow: 3)\n") == ["MIX0309", "MIX0302", "MIX0302"]


def test_a_name_is_a_score_before_a_role_and_a_role_before_a_column() -> None:
    spec = chosen('where topic == "a" and teacher == "c" and model == "c"').replace("score ratio ", "score topic = column(topic)\nscore ratio ")
    (filter,) = (s for s in plan(spec).stages if isinstance(s, Filter))
    found = {c.name: c.source for c in _columns(filter.wheres[0].condition)}
    assert found == {"topic": "score", "teacher": "role", "model": "column"}


def _columns(node):
    if isinstance(node, Column):
        return [node]
    return [c for a in getattr(node, "arguments", ()) for c in _columns(a)]


def test_quantiles_and_ranks_are_barriers_and_stay_in_their_order() -> None:
    spec = chosen("where good_one\n  where ratio >= p20\n  where ratio > 1\n  keep best 1 per prompt by ratio\n  where rank(ratio) <= 3")
    stages = plan(spec).stages
    (filter,) = (s for s in stages if isinstance(s, Filter))
    select = next(s for s in stages if isinstance(s, Select))
    assert [w.text for w in filter.wheres] == ["where good_one"]
    assert [s.text for s in select.steps] == [
        "where ratio >= p20",
        "where ratio > 1",
        "keep best 1 per prompt by ratio",
        "where rank(ratio) <= 3",
    ]
    first, last = select.steps[0], select.steps[-1]
    assert isinstance(first.condition, Operation) and isinstance(first.condition.arguments[1], Quantile)  # type: ignore[union-attr]
    assert isinstance(last.condition, Operation) and isinstance(last.condition.arguments[0], Rank)  # type: ignore[union-attr]


@pytest.mark.parametrize("clause", ["where natural >= p20 within skill", "where rank(natural) within skill <= 2"])
def test_within_skill_needs_skills(clause: str) -> None:
    without = chosen(clause).replace('skills topics {\n  tree "tree.json"\n  tag  by column topic\n}\n', "")
    assert errors(without) == ["MIX0207"]


@pytest.mark.parametrize(
    ("where", "code"),
    [("split == \"train\"", None), ("ratio > 1", "MIX0201"), ("count >= p20", "MIX0310"), ("rank(count) <= 3", "MIX0310"), ("count", "MIX0308")],
)
def test_outside_select_there_are_no_scores_and_no_other_rows(where: str, code: str | None) -> None:
    for spec in (
        SCORED.replace("  teacher   model\n", f"  teacher   model\n  where     {where}\n"),
        f"{SCORED}teacher t from rows where {where}\n",
        f'{SCORED}decontaminate none because "x"\nevaluate {{ heldout rows where {where} }}\n',
        f'{SCORED}teacher t generate {{\n  model "hub/large"\n  prompts from rows\n  where {where}\n}}\n',
    ):
        assert errors(spec) == ([code] if code else [])

"""The rules of `extends`: what a child may say of its parent, and what the merged spec then holds."""

import pytest
from mixc.compiler.plan.stages import Decontaminate, Filter, Plan, Scan, Score, Select, Teachers, Train
from mixc.tests.compiler.rules import SCORED, compiled, errors, plan

PARENT = (
    "param n = 5\n"
    + SCORED
    + """\
teacher strong from rows where model == "a"
teacher small  from rows where model == "b"
decontaminate against "bench.jsonl" by 8-grams of prompt
dedup by exact of prompt
select {
  where    good_one
  where    length <= 40 tokens
  keep     best 2 per prompt by natural
  keep     at most 1 per prompt
  quota    skill "Algebra" >= 20%
  quota    teacher strong <= 50%
  budget   $n examples
  budget   9k tokens
  maximize natural
  count    tokens by length
}
train tiny {
  steps 3
  batch 4 examples
}
"""
)


def child(text: str, overrides: tuple[tuple[str, str], ...] = ()) -> Plan:
    return plan(f'extends "parent.mix"\n{text}', {"parent.mix": PARENT}, overrides)


def codes(text: str) -> list[str]:
    return errors(f'extends "parent.mix"\n{text}', {"parent.mix": PARENT})


def clauses(made: Plan) -> list[str]:
    """The clauses of `select`, filters that were moved before it first."""
    select = next(s for s in made.stages if isinstance(s, Select))
    filters = [w.text for s in made.stages if isinstance(s, Filter) for w in s.wheres]
    acting = [select.at_most, *select.quotas, *select.budgets]
    return [*filters, *(s.text for s in select.steps), *(a.text for a in acting if a), f"maximize {select.objective_text}"]


ALL = [
    "where length <= 40 tokens",
    "where good_one",
    "keep best 2 per prompt by natural",
    "keep at most 1 per prompt",
    'quota skill "Algebra" >= 20%',
    "quota teacher strong <= 50%",
    "budget 5 examples",
    "budget 9k tokens",
    "maximize natural",
]
EDITS: dict[str, tuple[str, dict[str, str | None]]] = {
    "nothing": ("", {}),
    "replace a clause of the same kind: maximize": ("replace maximize ratio", {"maximize natural": "maximize ratio"}),
    "keep best": ("replace keep best 1 per prompt by ratio", {"keep best 2 per prompt by natural": "keep best 1 per prompt by ratio"}),
    "keep at most": ("replace keep at most 3 per prompt", {"keep at most 1 per prompt": "keep at most 3 per prompt"}),
    "a quota of the same group": ('replace quota skill "Algebra" >= 30%', {'quota skill "Algebra" >= 20%': 'quota skill "Algebra" >= 30%'}),
    "a budget of the same unit": ("replace budget 8k tokens", {"budget 9k tokens": "budget 8k tokens"}),
    "by a pattern: where, equal after formatting": (
        "replace where length<=40   tokens with where length <= 50 tokens",
        {"where length <= 40 tokens": "where length <= 50 tokens"},
    ),
    "a budget by its unit": ("replace budget examples with budget up to 7 examples", {"budget 5 examples": "budget up to 7 examples"}),
    "maximize with maximize": ("replace maximize with maximize random", {"maximize natural": "maximize random"}),
    "remove a quota by its group": ("remove quota teacher strong", {"quota teacher strong <= 50%": None}),
    "a budget": ("remove budget tokens", {"budget 9k tokens": None}),
    "a where": ("remove where good_one", {"where good_one": None}),
    "the solver is added": ("add solver exact", {}),
    "the objective": ("remove maximize", {"maximize natural": "maximize random"}),
    "edits apply in order": ("remove budget examples\n  add budget 6 examples\n  replace budget 7 examples", {"budget 5 examples": None}),
}


@pytest.mark.parametrize("rule", EDITS)
def test_edit(rule: str) -> None:
    edit, changed = EDITS[rule]
    found = clauses(child(f"select {{\n  {edit}\n}}\n"))
    expected = [changed.get(clause, clause) for clause in ALL]
    if rule == "edits apply in order":
        expected.insert(-1, "budget 7 examples")
    assert sorted(found) == sorted(c for c in expected if c)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("before keep at most", None),
        ("before where length <= 40 tokens", ["where good_one", "where ratio >= p20", "where length <= 40 tokens"]),
        ("after where length <= 40 tokens", ["where good_one", "where length <= 40 tokens", "where ratio >= p20"]),
        ("", ["where good_one", "where length <= 40 tokens", "keep best 2 per prompt by natural", "where ratio >= p20"]),
    ],
)
def test_a_filter_is_added_where_it_is_said(side: str, expected: list[str] | None) -> None:
    text = f"select {{\n  add where ratio >= p20 {side}\n}}\n"
    if expected is None:
        assert codes(text) != []
        return
    found = [c for c in clauses(child(text)) if c.startswith(("where", "keep best"))]
    assert [c for c in found if c in expected] == expected or sorted(found[:3]) == sorted(expected[:3])


WRONG: dict[str, tuple[str, list[str]]] = {
    "a plain clause": ("select { budget 3 examples }\n", ["MIX0205"]),
    "matches nothing: a where": ("select { remove where ratio > 1 }\n", ["MIX0204"]),
    "a quota": ('select { remove quota skill "Geometry" }\n', ["MIX0204"]),
    "a soft quota": ("select { remove quota skill weakness }\n", ["MIX0204"]),
    "a clause of the same kind": ('select { replace quota skill "Geometry" >= 3% }\n', ["MIX0204"]),
    "matches two: `keep`": ("select { remove keep }\n", ["MIX0204"]),
    "`replace where` alone": ("select { replace where ratio > 1 }\n", ["MIX0204"]),
    "removed twice": ("select {\n  remove maximize\n  remove maximize\n}\n", ["MIX0204"]),
    "a keyword that is not set": ("train tiny { remove warmup }\n", ["MIX0204"]),
    "a declaration that is not there": ("remove score lenght\n", ["MIX0204"]),
    "a kind that is not there": ("remove evaluate\n", ["MIX0204"]),
    "a second parent": ('extends "other.mix"\n', ["MIX0202"]),
    "an unknown param": ("select { replace budget $m examples }\n", ["MIX0206"]),
    "what a clause still needs": ("remove score natural\n", ["MIX0201", "MIX0201"]),
}


@pytest.mark.parametrize("rule", WRONG)
def test_wrong_edit(rule: str) -> None:
    text, expected = WRONG[rule]
    assert codes(text) == expected


def test_a_clause_of_a_block_replaces_all_of_its_keyword_and_remove_drops_them() -> None:
    made = child("train tiny {\n  batch 2 examples\n  remove steps\n  epochs 2\n}\n")
    train = next(s for s in made.stages if isinstance(s, Train))
    assert (train.batch, train.steps, train.epochs) == (2, None, 2)


def test_a_declaration_of_one_line_takes_the_place_of_its_parent() -> None:
    made = child('teacher small from rows where model == "c"\nscore ratio = column(count)\ndecontaminate none because "x"\nremove dedup\n')
    small = next(t for s in made.stages if isinstance(s, Teachers) for t in s.teachers if t.name == "small")
    assert small.condition is not None and '"c"' in repr(small.condition).replace("'", '"')
    assert next(s for s in made.stages if isinstance(s, Decontaminate)).because == "x"
    assert not [s for s in made.stages if s.id == "dedup"]
    assert next(s for s in made.stages if isinstance(s, Score) and s.name == "ratio").reads == ("column:count",)


def test_a_generating_teacher_takes_the_place_of_a_named_one() -> None:
    made = child('teacher small generate {\n  model "hub/large"\n  prompts from rows\n}\n')
    teachers = next(s for s in made.stages if isinstance(s, Teachers))
    assert [t.name for t in teachers.teachers] == ["strong"] and [g.name for g in teachers.generated] == ["small"]


@pytest.mark.parametrize(
    ("text", "overrides", "amount"), [("", (), 5), ("param n = 6\n", (), 6), ("param n = 6\n", (("n", "7"),), 7), ("", (("n", "7"),), 7)]
)
def test_params_are_set_after_the_parents(text: str, overrides: tuple, amount: int) -> None:
    select = next(s for s in child(text, overrides).stages if isinstance(s, Select))
    assert select.budgets[0].amount == amount


def test_paths_belong_to_the_file_that_holds_the_clause() -> None:
    texts = {"base/parent.mix": PARENT.replace("rows.jsonl", "data/rows.jsonl"), "base/tree.json": '{"name": "r", "children": [{"name": "Algebra"}]}'}
    made = plan('extends "base/parent.mix"\n', texts)
    assert next(s for s in made.stages if isinstance(s, Scan)).path == "base/data/rows.jsonl"
    own = plan('extends "base/parent.mix"\ncorpus rows { scan "own.jsonl" }\n', texts)
    assert next(s for s in own.stages if isinstance(s, Scan)).path == "own.jsonl"


def test_a_chain_is_merged_from_the_top_and_a_circle_is_an_error() -> None:
    middle = 'extends "parent.mix"\nparam n = 6\nselect { remove budget tokens }\n'
    texts = {"parent.mix": PARENT, "middle.mix": middle}
    select = next(s for s in plan('extends "middle.mix"\nselect { replace maximize ratio }\n', texts).stages if isinstance(s, Select))
    assert [b.text for b in select.budgets] == ["budget 6 examples"] and select.objective_text == "ratio"
    assert errors('extends "a.mix"\n', {"a.mix": 'extends "spec.mix"\n'})[:1] == ["MIX0203"]


def test_an_error_in_a_parent_stands_in_the_parent() -> None:
    broken = PARENT.replace("maximize natural", "maximize naturl")
    (found,) = (d for d in compiled('extends "parent.mix"\n', {"parent.mix": broken}).notes if d.code == "MIX0201")
    assert found.primary is not None and found.primary.span.path == "parent.mix"

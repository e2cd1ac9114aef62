"""What a spec means over the specs it extends, and what params and edits do."""

import pytest
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.driver import compile, wanted
from mixc.compiler.plan.stages import Scan, Select
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

BASE = """\
mix "base" { seed 1 }
param n = 10

corpus rows {
  scan      "rows.jsonl"
  prompt    q
  response  a
  teacher   t
  where     good
}

score length = column(count, unit: tokens)

select {
  where  good
  where  length <= 400 tokens
  keep   best 1 per prompt by length
  quota  teacher "x" <= 40%
  budget $n examples
}
"""
COLUMNS = {"q": "text", "a": "text", "t": "text", "good": "bool", "count": "number"}


def plan_of(child: str, *, overrides: tuple[tuple[str, str], ...] = (), base: str = BASE):
    """The outcome of a child over BASE; both in the folder `specs`."""
    inputs = Inputs({"specs/base.mix": base}, {"specs/rows.jsonl": COLUMNS}, {"specs/rows.jsonl": True}, overrides)
    return compile(Source("specs/child.mix", f'extends "base.mix"\n{child}'), inputs)


def select_of(child: str, **more) -> Select:
    outcome = plan_of(child, **more)
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return next(s for s in outcome.plan.stages if isinstance(s, Select))


def codes(child: str, **more) -> list[str]:
    return [d.code for d in plan_of(child, **more).notes]


def test_paths_are_relative_to_the_file_that_holds_the_clause() -> None:
    plan = plan_of("").plan
    assert plan is not None
    assert next(s for s in plan.stages if isinstance(s, Scan)).path == "specs/rows.jsonl"


def test_edits_replace_remove_and_add_in_order() -> None:
    select = select_of(
        'select {\n  replace budget 20 examples\n  remove quota teacher "x"\n  add quota teacher "y" >= 5%\n  replace keep best 2 per prompt by -length\n}'
    )
    assert select.budgets[0].amount == 20
    assert [q.text for q in select.quotas] == ['quota teacher "y" >= 5%']
    assert select.steps[0].text == "keep best 2 per prompt by -length"


def test_add_before_and_after_place_a_filter() -> None:
    texts = [s.text for s in select_of("select {\n  add keep best 3 per prompt by length before keep\n}").steps]
    assert texts == ["keep best 3 per prompt by length", "keep best 1 per prompt by length"]
    texts = [s.text for s in select_of("select {\n  add where length >= p10 after keep\n}").steps]
    assert texts == ["keep best 1 per prompt by length", "where length >= p10"]


def test_replace_with_a_pattern_names_the_clause() -> None:
    plan = plan_of("select {\n  replace where length <= 400 tokens with where length <= 90 tokens\n}").plan
    assert plan is not None and "where length <= 90 tokens" in str(plan.stages) and "400" not in str(plan.stages)


def test_an_edit_of_two_matches_is_an_error() -> None:
    assert codes("select {\n  replace where length <= 9 tokens with where good\n}") == ["MIX0204"]
    twice = BASE.replace('  quota  teacher "x" <= 40%\n', '  quota  teacher "x" <= 40%\n  quota  teacher "x" >= 1%\n')
    assert codes('select {\n  remove quota teacher "x"\n}', base=twice) == ["MIX0204"]


def test_a_block_replaces_clauses_by_keyword_and_keeps_the_rest() -> None:
    plan = plan_of('corpus rows {\n  where t == "x"\n}').plan
    assert plan is not None
    scan = next(s for s in plan.stages if isinstance(s, Scan))
    assert scan.where is not None and scan.where.text == 'where t == "x"' and scan.roles.teacher == "t"
    gone = plan_of("corpus rows {\n  remove where\n}").plan
    assert gone is not None and next(s for s in gone.stages if isinstance(s, Scan)).where is None


def test_a_declaration_can_be_removed() -> None:
    assert "MIX0201" in codes("remove score length")
    assert codes("remove score lenght") == ["MIX0204"]


@pytest.mark.parametrize(("child", "overrides", "amount"), [("", (), 10), ("param n = 30", (), 30), ("param n = 30", (("n", "7"),), 7), ("", (("n", "7"),), 7)])
def test_params_go_parent_child_then_set(child: str, overrides: tuple, amount: int) -> None:
    assert select_of(child, overrides=overrides).budgets[0].amount == amount


@pytest.mark.parametrize("given", [("m", "7"), ("n", '"x"'), ("n", "7 8"), ("n", ""), ("n", "1\nmix")])
def test_a_wrong_set_is_an_error(given: tuple[str, str]) -> None:
    assert codes("", overrides=(given,))[0] in ("MIX0206", "MIX0307")


def test_what_is_wanted_comes_step_by_step() -> None:
    child = Source("specs/child.mix", 'extends "base.mix"\n')
    assert [w.path for w in wanted(child, Inputs())] == ["specs/base.mix"]
    told = Inputs({"specs/base.mix": BASE})
    assert {(w.kind, w.path) for w in wanted(child, told)} == {("present", "specs/rows.jsonl"), ("columns", "specs/rows.jsonl")}


def test_a_missing_parent_is_one_error() -> None:
    outcome = compile(Source("child.mix", 'extends "gone.mix"\n'), Inputs({"gone.mix": None}))
    assert [d.code for d in outcome.notes] == ["MIX0208"]
    assert isinstance(outcome.notes, Diagnostics)


def test_replace_means_the_clause_of_the_same_kind() -> None:
    both = BASE.replace("  keep   best 1", "  keep   at most 2 per prompt\n  keep   best 1")
    select = select_of("select {\n  replace keep best 3 per prompt by length\n  replace keep at most 1 per prompt\n}", base=both)
    assert select.steps[0].text == "keep best 3 per prompt by length"
    assert select.at_most is not None and select.at_most.count == 1
    one = BASE.replace("  where  good\n  where  length", "  where  length")
    assert "where length <= 7 tokens" in str(plan_of("select {\n  replace where length <= 7 tokens\n}", base=one).plan)


def test_a_removed_select_can_be_written_anew() -> None:
    select = select_of("remove select\nselect {\n  budget 3 examples\n}")
    assert [b.amount for b in select.budgets] == [3] and not select.quotas


def test_a_budget_whose_unit_a_param_carries_can_be_replaced() -> None:
    base = BASE.replace("param n = 10", "param n = 10 examples").replace("budget $n examples", "budget $n")
    assert select_of("select {\n  replace budget 4 examples\n}", base=base).budgets[0].amount == 4


def test_only_the_errors_that_stand_for_themselves_are_told() -> None:
    assert codes("score broken = columm(count, unit: tokens)\nselect {\n  add where broken <= 3 tokens\n  add quota teacher \"z\" <= 3%\n}") == ["MIX0201"]


def test_an_unsound_training_is_told_beside_other_errors() -> None:
    found = codes('student s { model "x/y" }\ntrain s { epochs 1 }\nselect {\n  add where oook\n}')
    assert sorted(found) == ["MIX0201", "MIX0601"]

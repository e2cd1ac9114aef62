"""What `sweep` and `ablate` expand to: names, plans, what is shared, and how extended specs change them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.compiler.plan.schema import violations
from mixc.compiler.plan.serialize import to_data
from mixc.compiler.plan.stages import Budget, Quota, Select
from mixc.compiler.plan.variants import differing, variants_data
from mixc.compiler.semantics.label import label
from mixc.compiler.source import Span
from mixc.compiler.syntax import ast
from mixc.tests.compiling import compile_in, drawn
from mixc.tests.project import SCORED, make_project

HERE = Path(__file__).parents[1]
NOWHERE = Span("", 0, 0)


def compiled(folder: Path, text: str, overrides: tuple[str, ...] = (), **others: str):
    make_project(folder)
    for name, content in others.items():
        (folder / f"{name}.mix").write_text(content)
    (folder / "spec.mix").write_text(text)
    return compile_in(folder, "spec.mix", overrides)


def select_of(plan) -> Select:
    return next(s for s in plan.stages if isinstance(s, Select))


def test_two_sweeps_are_their_product_and_ablations_are_of_the_recipe_as_declared() -> None:
    outcome = compile_in(HERE, "specs/study/spec.mix")
    assert [v.name for v in outcome.variants] == [
        "top=1,luck=3", "top=1,luck=4", "top=2,luck=3", "top=2,luck=4", "full", "without-1", "without-2",
    ]  # fmt: skip
    plans = {v.name: v.plan for v in outcome.variants}
    assert plans["full"].stages == outcome.plan.stages and plans["top=2,luck=3"].fingerprints == outcome.plan.fingerprints
    assert plans["top=1,luck=4"].seed == 4 and outcome.plan.seed == 3
    assert differing(plans["top=1,luck=3"], outcome.plan) == ("select",)
    assert [q.text for q in select_of(plans["without-1"]).quotas] == ['quota skill "Algebra" >= 10%']
    assert select_of(plans["without-2"]).quotas == ()


def test_the_plan_with_its_variants_is_valid_and_plain_data() -> None:
    outcome = compile_in(HERE, "specs/study/spec.mix")
    data = to_data(outcome.plan) | {"variants": variants_data(outcome.variants, outcome.plan)}
    assert violations(json.loads(json.dumps(data))) == []
    assert violations(data | {"variants": [{"name": ""}]})


def test_a_spec_without_sweep_and_ablate_has_no_variants(tmp_path: Path) -> None:
    assert compiled(tmp_path, SCORED).variants == ()


def test_a_child_drops_sweeps_by_name_and_all_ablations_at_once(tmp_path: Path) -> None:
    parent = SCORED + "\nparam a = 1\nparam b = 1\nsweep a in [1, 2]\nsweep b in [3]\nablate where correct\n"
    child = 'extends "parent.mix"\nremove sweep a\nremove ablate\nablate quota skill "addition"\n'
    outcome = compiled(tmp_path, child, parent=parent)
    assert [v.name for v in outcome.variants] == ["b=3", "full", "without-1"]
    assert all(q.text != 'quota skill "addition" >= 20%' for q in select_of(outcome.variants[-1].plan).quotas)


def test_what_a_child_cannot_drop_is_an_error(tmp_path: Path) -> None:
    outcome = compiled(tmp_path, 'extends "parent.mix"\nremove sweep a\nremove ablate\n', parent=SCORED)
    assert [d.code for d in outcome.notes] == ["MIX0204", "MIX0204"]


def test_a_param_is_swept_or_set_but_not_both(tmp_path: Path) -> None:
    text = SCORED.replace("12 examples", "$n examples") + "\nparam n = 12\nparam m = 1\nsweep n in [6, 12]\n"
    outcome = compiled(tmp_path, text, ("n=9",))
    assert outcome.plan is None and [d.code for d in outcome.notes] == ["MIX0202"]
    assert "`--set n=9`" in drawn(outcome.notes, outcome.sources)
    assert [select_of(v.plan).budgets[0].amount for v in compiled(tmp_path, text, ("m=9",)).variants] == [6, 12]


def test_a_swept_path_is_looked_up(tmp_path: Path) -> None:
    text = SCORED.replace('"data/*.jsonl"', "$files") + '\nparam files = "data/rows.jsonl"\nsweep files in ["data/*.jsonl", "data/nothing.jsonl"]\n'
    outcome = compiled(tmp_path, text)
    (found,) = outcome.notes
    assert found.code == "MIX0208" and "nothing there" in drawn([found], outcome.sources)
    assert outcome.plan is None


def test_an_error_of_the_recipe_itself_is_told_once(tmp_path: Path) -> None:
    text = SCORED.replace("quota    skill", "quota    skil") + "\nparam n = 1\nsweep n in [1, 2, 3]\nablate where correct\n"
    broken = compiled(tmp_path, text)
    assert len([d for d in broken.notes if d.primary and "skil" in broken.sources[0].text[d.primary.span.start :][:4]]) == 1
    wrong = compiled(tmp_path, SCORED.replace("-length", "-lenght") + "\nparam n = 1\nsweep n in [1, 2, 3]\n")
    assert [d.code for d in wrong.notes] == ["MIX0201"]


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("corpus rows {", "corpus rows", {"MIX0118", "MIX0101", "MIX0109", "MIX0102", "MIX0207"}),
        ("budget   12 examples", "budget   $name", {"MIX0301"}),
        ("select {", "select", {"MIX0118", "MIX0101", "MIX0102"}),
    ],
)
def test_a_broken_spec_with_variants_and_tests_is_diagnosed_to_the_end(tmp_path: Path, old: str, new: str, codes: set[str]) -> None:
    more = 'param n = 1\nparam name = "a"\nsweep n in [1, 2]\nablate budget examples\ntest "t" {\n  given "data/rows.jsonl"\n  expect selected == 12 examples\n}\n'
    outcome = compiled(tmp_path, SCORED.replace(old, new) + "\n" + more)
    assert outcome.plan is None and {d.code for d in outcome.notes} & codes


def test_too_many_variants_are_refused(tmp_path: Path) -> None:
    values = ", ".join(map(str, range(15)))
    outcome = compiled(tmp_path, SCORED + f"\nparam a = 1\nparam b = 1\nsweep a in [{values}]\nsweep b in [{values}]\n")
    assert [d.code for d in outcome.notes] == ["MIX0306"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (ast.Number(4, text="4", span=NOWHERE), "p=4"),
        (ast.Number(4000, "tokens", "4k", span=NOWHERE), "p=4k"),
        (ast.Number(40, "%", "40", span=NOWHERE), "p=40"),
        (ast.Number(-0.5, text="-0.5", span=NOWHERE), "p=-0.5"),
        (ast.String("a/b c", span=NOWHERE), "p=a%2Fb%20c"),
        (ast.String("..", span=NOWHERE), "p=.."),
        (ast.String("~é", span=NOWHERE), "p=%7E%C3%A9"),
        (ast.Boolean(True, span=NOWHERE), "p=true"),
    ],
)
def test_a_value_names_its_folder(value: ast.Expr, name: str) -> None:
    assert label("p", value) == name


@given(st.text(max_size=200), st.text(max_size=200))
def test_two_texts_never_share_a_folder(first: str, second: str) -> None:
    names = [label("p", ast.String(text, span=NOWHERE)) for text in (first, second)]
    assert (names[0] == names[1]) == (first == second)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+%~=") for name in names)
    assert all(len(name) < 120 for name in names)


def test_clauses_of_a_variant_keep_their_places(tmp_path: Path) -> None:
    outcome = compiled(tmp_path, SCORED.replace("12 examples", "$n examples") + "\nparam n = 12\nsweep n in [6, 12]\n")
    budgets = [c for v in outcome.variants for c in select_of(v.plan).budgets]
    assert {c.span.path for c in budgets} == {"spec.mix"} and all(isinstance(c, Budget) for c in budgets)
    assert [c.text for c in budgets] == ["budget 6 examples", "budget 12 examples"]
    assert all(isinstance(q, Quota) for v in outcome.variants for q in select_of(v.plan).quotas)

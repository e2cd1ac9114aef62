"""A plan as data: what is written is what is read, and the shipped schema says exactly that."""

import copy
import json
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from mixc.compiler import clauses, expressions
from mixc.compiler.expressions import Constant
from mixc.compiler.plan import stages
from mixc.compiler.plan.schema import schema, violations
from mixc.compiler.plan.serialize import KINDS, NAMES, Unreadable, from_data, from_json, to_data, to_json
from mixc.compiler.plan.stages import Plan, Stage

from .plans import plans, whole

SHOWN_BY_PLAN_ONLY = ("stages_run", "known", "missing", "costs", "cached", "feasible", "unmeasured", "solver", "churn", "composition", "audit", "licences", "tokenised", "variants", "diagnostics")


def test_every_kind_of_stage_comes_back_as_it_was():
    plan = whole()
    assert {type(s) for s in plan.stages} == set(get_args(Stage))
    assert from_data(to_data(plan)) == plan
    assert from_json(to_json(plan)) == plan


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans())
def test_any_plan_comes_back_as_it_was_and_is_valid(plan: Plan):
    text = to_json(plan)
    assert from_json(text) == plan
    assert to_json(from_json(text)) == text
    assert violations(json.loads(text)) == []


def test_a_plan_with_every_stage_is_valid():
    assert violations(to_data(whole())) == []


def test_numbers_keep_their_type():
    def value(v: Any) -> Any:
        plan = whole()
        select = next(s for s in plan.stages if isinstance(s, stages.Select))
        changed = replace(plan, stages=(replace(select, objective=Constant(v)),))
        (back,) = from_json(to_json(changed)).stages
        assert isinstance(back, stages.Select) and isinstance(back.objective, Constant)
        return back.objective.value

    for v in (1, 1.0, True, 0, False, None, "1", 0.1, 1e-05, 2**60):
        assert value(v) == v and type(value(v)) is type(v)


def test_text_is_stable_and_readable():
    text = to_json(whole())
    assert text == to_json(whole())
    assert text.startswith('{\n  "mixc_plan": 1,\n  "name": "gsm-distill",\n  "seed": 17,\n')
    assert '"span": {\n' in text and '"file": "specs/a.mix"' in text
    assert text.endswith("}\n")


def test_what_cannot_be_json_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        to_json(replace(whole(), seed=float("nan")))  # type: ignore[arg-type]


def test_the_schema_names_the_fields_of_every_class_and_nothing_else():
    defined = schema()["$defs"]
    classes = {c.__name__: c for m in (stages, clauses, expressions) for c in vars(m).values() if isinstance(c, type) and is_dataclass(c)}
    own = {name: c for name, c in classes.items() if name not in ("Span", "Plan")}
    assert set(defined) == {*own, "Span", "Stage", "Expression"}
    for name, cls in own.items():
        expected = [*(["kind"] if cls in NAMES else []), *(f.name for f in fields(cls))]
        assert list(defined[name]["properties"]) == expected, name
        assert defined[name]["required"] == expected, name
        if cls in NAMES:
            assert defined[name]["properties"]["kind"] == {"const": NAMES[cls]}
    top = ["mixc_plan", *(f.name for f in fields(Plan))]
    assert schema()["required"] == top
    assert set(schema()["properties"]) == {*top, *SHOWN_BY_PLAN_ONLY}
    assert [r["$ref"].rpartition("/")[2] for r in defined["Stage"]["oneOf"]] == [c.__name__ for c in get_args(Stage)]
    named = {r["$ref"].rpartition("/")[2] for r in defined["Expression"]["oneOf"]}
    assert named == {c.__name__ for c in get_args(expressions.Expression)}
    assert len(KINDS) == len(NAMES)


def test_the_schema_is_strict_everywhere():
    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [o for item in node for o in objects(item)]
        if not isinstance(node, dict):
            return []
        own = [node] if "properties" in node else []
        return own + [o for item in node.values() for o in objects(item)]

    found = objects(schema())
    assert len(found) > 25
    assert all(o["additionalProperties"] is False for o in found)


def corruptions() -> list[tuple[str, Any]]:
    """The data of a good plan with one thing wrong, and what is wrong."""
    good = to_data(whole())

    def change(name: str, do: Any) -> tuple[str, Any]:
        data = copy.deepcopy(good)
        do(data)
        return name, data

    return [
        change("another version", lambda d: d.update(mixc_plan=2)),
        change("no version", lambda d: d.pop("mixc_plan")),
        change("an unknown key", lambda d: d["stages"][0].update(extra=1)),
        change("a missing key", lambda d: d["stages"][0].pop("corpus")),
        change("an unknown kind", lambda d: d["stages"][0].update(kind="scann")),
        change("no kind", lambda d: d["stages"][0].pop("kind")),
        change("a text for a number", lambda d: d.update(seed="17")),
        change("a bool for a number", lambda d: d.update(seed=True)),
        change("null where there must be something", lambda d: d["stages"][0].update(corpus=None)),
        change("a bad span", lambda d: d["stages"][0]["span"].pop("end")),
        change("a list for an object", lambda d: d.update(fingerprints=[])),
        change("a bad source of a column", lambda d: d["stages"][7]["wheres"][0]["condition"].update(source="row")),
    ]


@pytest.mark.parametrize(("name", "data"), corruptions(), ids=[name for name, _ in corruptions()])
def test_bad_data_is_refused_by_reader_and_schema_alike(name: str, data: Any):
    with pytest.raises(Unreadable):
        from_data(data)
    assert violations(data)


def test_text_that_is_not_json_is_refused():
    for text in ("", "{", "[]", "null", "3"):
        with pytest.raises(Unreadable):
            from_json(text)

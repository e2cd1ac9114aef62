"""A spec means what it means however it is written: the plan of its canonical form, and of any untidy one, is its own."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from mixc.cli.inputs import compile_source
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.plan.serialize import from_data, to_data
from mixc.compiler.plan.stages import Plan
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.tests.compiler.generate import scrawl, words_of

ROOT = Path(__file__).parents[1]
SPECS = sorted(str(p.relative_to(ROOT)) for p in (*ROOT.glob("tests/specs/*/*.mix"), *ROOT.glob("specs/*.mix")))
NEEDS_NO_MODEL = [path for path in SPECS if path.startswith("tests/") and path.endswith("/spec.mix")]


def plan_of(path: str, text: str, monkeypatch: pytest.MonkeyPatch) -> Plan | None:
    """The plan of a text that stands in place of a spec's."""
    monkeypatch.chdir(ROOT)
    return compile_source(Source(path, text)).plan


def meaning(plan: Plan | None) -> Any:
    """A plan without the places in its spec."""
    return None if plan is None else _bare(json.loads(json.dumps(to_data(plan))))


def _bare(data: Any) -> Any:
    match data:
        case dict():
            return {key: _bare(value) for key, value in data.items() if key not in ("span", "report_span")}
        case list():
            return [_bare(value) for value in data]
        case _:
            return data


@pytest.mark.parametrize("path", SPECS)
def test_the_plan_of_the_canonical_form_is_that_of_the_spec(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    plan = plan_of(path, text, monkeypatch)
    canonical = arrange(Source(path, text), Diagnostics())
    assert canonical is not None
    assert meaning(plan_of(path, canonical, monkeypatch)) == meaning(plan)


@pytest.mark.parametrize("path", NEEDS_NO_MODEL)
def test_the_plan_of_an_untidy_spec_is_that_of_the_tidy_one(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    plan, words = plan_of(path, text, monkeypatch), words_of(text)
    assert plan is not None
    for seed in range(30):
        untidy = scrawl(words, Random(seed)).removeprefix("\ufeff")
        found = plan_of(path, untidy, monkeypatch)
        assert found is not None and from_data(to_data(found)) == found
        assert meaning(found) == meaning(plan), untidy
        canonical = arrange(Source(path, untidy), Diagnostics())
        assert canonical is not None and meaning(plan_of(path, canonical, monkeypatch)) == meaning(plan), untidy

"""A real installed distribution (a folder with a module and its dist-info) whose scorer a spec names: checked, planned, and run."""

from importlib import invalidate_caches
from pathlib import Path

import pytest
from mixc.cli.inputs import compile_file
from mixc.cli.installed import Odd, signature
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.stages import Score
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.runtime.scorers import registry
from mixc.tests.compiling import RUN, drawn

CODE = '''
"""A scorer of another package."""

import sys

SIGNATURE = {
    "says": "how many characters a response has, to a power",
    "parameters": [
        {"name": "power", "kind": "number", "default": 1},
        {"name": "form", "kind": "word", "default": "plain", "choices": ["plain", "squeezed"]},
    ],
    "type": "number",
    "cost": "cheap",
    "version": 3,
}
BROKEN = {"says": "nothing", "type": "number"}


class Letters:
    name = "letters"
    reports = False
'''
ENTRIES = """\
[mixc.signatures]
letters = lettercount:SIGNATURE
digits = lettercount:SIGNATURE
vowels = lettercount:BROKEN
ghosts = no_such_module:SIGNATURE

[mixc.scorers]
letters = lettercount:Letters
"""
SPEC = """\
mix "m" {{ seed 1 }}

corpus rows {{
  scan     "rows.jsonl"
  prompt   question
  response answer
}}

score size = {call}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the distribution is installed, on `sys.path`."""
    site = tmp_path / "site"
    (site / "letter_count-1.2.dist-info").mkdir(parents=True)
    (site / "letter_count-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: letter-count\nVersion: 1.2\n")
    (site / "letter_count-1.2.dist-info" / "entry_points.txt").write_text(ENTRIES)
    (site / "lettercount.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(site))
    invalidate_caches()
    registry._installed.cache_clear()
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text('{"question": "1+1?", "answer": "2", "length": 3}\n')
    return site


def test_two_scorers_of_a_package_stand_in_one_spec(package: Path) -> None:
    outcome = compiled("letters()\nscore more = digits()\nscore rest = leters()")
    (found,) = outcome.notes
    assert (found.code, found.help) == ("MIX0201", "did you mean `letters`?")
    Path("base.mix").write_text(SPEC.format(call="digits()"))
    Path("child.mix").write_text('extends "base.mix"\n\nscore more = letters()\n')
    assert not compile_file("child.mix").notes.has_errors


def compiled(call: str):
    Path("spec.mix").write_text(SPEC.format(call=call))
    return compile_file("spec.mix")


def planned(call: str) -> Score:
    outcome = compiled(call)
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return next(s for s in outcome.plan.stages if isinstance(s, Score))


def test_a_scorer_of_a_package_is_checked_and_planned(package: Path) -> None:
    stage = planned("letters(power: 2)")
    assert (stage.scorer, stage.version, stage.package, stage.type, stage.unit) == ("letters", 3, "letter-count==1.2", "number", None)
    assert stage.arguments == (("power", 2), ("form", "plain"))

    plan = compiled("letters(power: 2)").plan
    assert plan is not None and "size = letters(power: 2, form: plain), of letter-count==1.2" in explain(plan)


def test_another_version_of_the_package_is_another_fingerprint(package: Path) -> None:
    before = compiled("letters()").plan
    metadata = package / "letter_count-1.2.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.2", "1.3"))
    (package / "letter_count-1.2.dist-info").rename(package / "letter_count-1.3.dist-info")
    invalidate_caches()
    after = compiled("letters()").plan
    assert before is not None and after is not None
    assert dict(before.fingerprints)["score:size"] != dict(after.fingerprints)["score:size"]
    assert dict(before.fingerprints)["select"] == dict(after.fingerprints)["select"]


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        ("leters()", "MIX0201", "did you mean `letters`?"),
        ("letters(power: wide)", "MIX0301", "takes a number"),
        ("letters(form: plan)", "MIX0302", "did you mean `plain`?"),
        ("letters(depth: 3)", "MIX0302", "has no argument `depth`"),
        ("vowels()", "MIX0211", "letter-count==1.2: `cost` is one of free, cheap, moderate, dear"),
        ("ghosts()", "MIX0211", "No module named 'no_such_module'"),
    ],
)
def test_a_wrong_use_of_it_is_told(package: Path, call: str, code: str, says: str, golden) -> None:
    (found,) = compiled(call).notes
    assert found.code == code
    assert says in " ".join((found.message, found.help or "", *found.notes))
    if call == "vowels()":
        golden(RUN / "MIX0211.txt", drawn((found,), ()))


def test_a_run_takes_the_code_of_the_package(package: Path) -> None:
    stage = planned("letters()")
    found = registry.scorer(stage)
    assert found.name == "letters" and registry.scorer(stage) is found


def test_a_signature_without_code_is_a_fault_at_the_score(package: Path, golden) -> None:
    stage = planned("letters()")
    (package / "letter_count-1.2.dist-info" / "entry_points.txt").write_text(ENTRIES.partition("[mixc.scorers]")[0])
    invalidate_caches()
    with pytest.raises(Fault) as raised:
        registry.scorer(stage)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "MIX0515" and diagnostic.primary and diagnostic.primary.span == stage.span
    assert "letter-count==1.2" in (diagnostic.help or "")
    golden(RUN / "MIX0515.txt", drawn((diagnostic,), ()))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (3, "a signature is a dict"),
        ({"says": "x", "type": "number", "cost": "dear", "kind": "x"}, "no `kind`"),
        ({"type": "number", "cost": "dear"}, "`says`"),
        ({"says": "x", "type": "list", "cost": "dear"}, "`type`"),
        ({"says": "x", "type": "bool", "unit": "nats", "cost": "dear"}, "`unit`"),
        ({"says": "x", "type": "number", "cost": "dear", "version": 0}, "`version`"),
        ({"says": "x", "type": "number", "cost": "dear", "parameters": [{"name": "a", "kind": "thing"}]}, "a parameter has"),
        ({"says": "x", "type": "number", "cost": "dear", "parameters": [{"name": "a", "kind": "word"}]}, "has `choices`"),
    ],
)
def test_plain_data_that_is_no_signature_says_why(data: object, why: str) -> None:
    with pytest.raises(Odd, match=why):
        signature("x", data, "p==1")


def test_what_is_installed_is_not_looked_through_for_our_own_scorers(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("mixc.cli.inputs.installed", lambda name, listed: asked.append(name) or {name: None})
    assert compiled("column(length)").plan is not None
    assert asked == []
    assert compiled("letters()").plan is None
    assert asked == ["letters"]


def test_a_package_cannot_take_the_place_of_ours(package: Path) -> None:
    assert set(registry.SCORERS) <= set(SCORERS)
    (package / "letter_count-1.2.dist-info" / "entry_points.txt").write_text(ENTRIES.replace("letters =", "column ="))
    invalidate_caches()
    stage = planned("column(length)")
    assert stage.package is None

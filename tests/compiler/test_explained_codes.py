"""The examples of `mixc explain` are specs: the wrong one has just that fault, the right one none."""

import pytest
from mixc.compiler.codes.all import CODES
from mixc.compiler.diagnostics import Severity
from mixc.tests.explained import framed, told

MADE_ELSEWHERE = {
    "MIX0116": "its example is abridged: a hundred levels; tests/compiler/test_parse_errors.py makes one",
    "MIX0117": "its example is a file over the size; tests/compiler/test_parse_errors.py makes one",
    "MIX0211": "its example is the data of an entry point; tests/cli/test_installed.py installs packages that say too little",
    "MIX0614": "shows only where scores are known; tests/runtime/test_confounded.py and tests/cli/test_audit.py build specs with some",
    "MIX0420": "an expectation that does not hold shows when a test runs; tests/cli/test_trials.py runs some",
    "MIX0121": "its example is a hundred errors; tests/compiler/test_parse_errors.py makes one",
}
WITHOUT = {"MIX0601": ("decontaminate",)}
"""What a wrong example lacks, so that the frame must not supply it."""
ONLY_A_RUN = frozenset(code for code in CODES if code[3:5] == "05") | {"MIX0401", "MIX0403", "MIX0404", "MIX0430"}
CHECKED = sorted(CODES.keys() - MADE_ELSEWHERE.keys() - ONLY_A_RUN)


@pytest.mark.parametrize("code", CHECKED)
def test_the_wrong_example_has_just_that_fault(code: str) -> None:
    found = told(CODES[code].wrong, WITHOUT.get(code, ()))
    assert code in [d.code for d in found], framed(CODES[code].wrong)
    others = [(d.code, d.message) for d in found if d.severity is Severity.ERROR and d.code != code]
    assert not others, framed(CODES[code].wrong)


@pytest.mark.parametrize("code", CHECKED)
def test_the_right_example_has_no_fault(code: str) -> None:
    found = told(CODES[code].right)
    assert code not in [d.code for d in found], framed(CODES[code].right)
    assert not [(d.code, d.message) for d in found if d.severity is Severity.ERROR], framed(CODES[code].right)


def test_the_frame_alone_is_sound() -> None:
    assert told("") == []
    assert framed('mix "own" { seed 2 }').count("mix ") == 1
    assert framed('extends "base.mix"') == 'extends "base.mix"\n'


def test_bare_clauses_are_put_into_a_select() -> None:
    assert framed("where correct\nbudget 3 examples").endswith("\nselect {\n  where correct\n  budget 3 examples\n}\n")
    assert framed("select {\n  where correct\n}").count("select") == 1

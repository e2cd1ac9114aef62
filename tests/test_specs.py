"""Goldens: every spec in tests/specs with the plan it compiles to, as JSON and in words, and every error with the message a user sees."""

import json
from pathlib import Path

import pytest
from mixc.compiler.codes.all import CODES
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.schema import violations
from mixc.compiler.plan.serialize import from_data, to_data, to_json
from mixc.compiler.plan.variants import variants_data, variants_text
from mixc.compiler.plan.verify import verify
from mixc.tests.compiling import compile_in, drawn, messages_of

HERE = Path(__file__).parent
SPECS = sorted(p.parent.name for p in HERE.glob("specs/*/spec.mix"))
ERRORS = sorted(p.stem for p in HERE.glob("errors/*.mix"))


@pytest.mark.parametrize("case", SPECS)
def test_spec_compiles_to_its_golden_plan(case: str, golden) -> None:
    outcome = compile_in(HERE, f"specs/{case}/spec.mix")
    golden(HERE / "specs" / case / "messages.txt", drawn(outcome.notes, outcome.sources))
    assert outcome.plan is not None
    verify(outcome.plan)
    assert violations(to_data(outcome.plan)) == []
    golden(HERE / "specs" / case / "plan.json", to_json(outcome.plan))
    golden(HERE / "specs" / case / "explain.txt", explain(outcome.plan))
    if outcome.variants:
        golden(HERE / "specs" / case / "variants.json", json.dumps(variants_data(outcome.variants, outcome.plan), indent=2) + "\n")
        golden(HERE / "specs" / case / "variants.txt", "\n".join(variants_text(outcome.variants, outcome.plan)) + "\n")


@pytest.mark.parametrize("case", SPECS)
def test_plan_survives_json(case: str) -> None:
    plan = compile_in(HERE, f"specs/{case}/spec.mix").plan
    assert plan is not None
    assert from_data(json.loads(json.dumps(to_data(plan)))) == plan


@pytest.mark.parametrize("case", SPECS)
def test_compiling_twice_gives_the_same_plan(case: str) -> None:
    first, second = (compile_in(HERE, f"specs/{case}/spec.mix").plan for _ in range(2))
    assert first == second


@pytest.mark.parametrize("case", ERRORS)
def test_error_reads_as_its_golden(case: str, golden) -> None:
    text = messages_of(HERE / "errors", f"{case}.mix")
    assert case.split("_")[0] in text, "the golden's name begins with the code that it shows"
    golden(HERE / "errors" / f"{case}.txt", (HERE / "errors" / f"{case}.mix").read_text(encoding="utf-8") + "\n" + text)


LARGE = {
    "MIX0116": 'mix "m" { seed 1 }\n\nselect {\n  where ' + "not " * 101 + "a\n}\n",
    "MIX0117": "# a line\n" * 10_001,
    "MIX0121": "budget ???\n" * 200,
}
"""What is too large to lie in a file of its own."""


@pytest.mark.parametrize("code", LARGE)
def test_what_is_too_large_reads_as_its_golden(code: str, golden, tmp_path: Path) -> None:
    (tmp_path / "large.mix").write_text(LARGE[code], encoding="utf-8")
    parts = messages_of(tmp_path, "large.mix").split("\n\n")
    assert any(code in part for part in parts)
    golden(HERE / "errors" / "run" / f"{code}.txt", "\n\n".join(part for part in parts if code in part) + "\n")


def test_every_code_has_a_golden() -> None:
    shown = {case.split("_")[0] for case in ERRORS}
    shown |= {p.stem.split("_")[0] for folder in ("errors/run", "cli/trials") for p in (HERE / folder).glob("MIX*.txt")}
    assert set(CODES) == shown

"""The spec that uses each clause once, with lines and words changed by chance: always a plan that is sound or an error, never anything else."""

import random
import re
from pathlib import Path

import pytest
from mixc.compiler.diagnostics import Severity
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.schema import violations
from mixc.compiler.plan.serialize import from_json, to_data, to_json
from mixc.tests.compiler import rules

FOLDER = Path(__file__).parents[1] / "specs"
BASE, SPEC = ((FOLDER / "everything" / name).read_text(encoding="utf-8") for name in ("base.mix", "spec.mix"))
TEXTS = {f"../data/{name}": (FOLDER / "data" / name).read_text(encoding="utf-8") for name in ("maths.json", "keywords.json")}
WORD = re.compile(r'\s+|[A-Za-z_]+|"[^"\n]*"|[0-9.]+[kM%]?|[^\sA-Za-z0-9]')
WORDS = sorted({word for word in WORD.findall(BASE + SPEC) if not word.isspace()})


def mutant(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(lines))
        match chance.choice(["drop", "copy", "word", "word"]):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "copy":
                lines.insert(at, chance.choice((BASE + SPEC).split("\n")))
            case _:
                words = WORD.findall(lines[at])
                lines[at] = "".join(chance.choice(["", *WORDS]) if not w.isspace() and chance.random() < 1 / len(words) else w for w in words)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(40))
def test_a_mutant_is_a_sound_plan_or_an_error(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "COLUMNS", rules.COLUMNS | dict.fromkeys(("solution", "subject"), "text"))
    chance = random.Random(seed)
    base, spec = (mutant(BASE, chance), SPEC) if seed % 2 else (BASE, mutant(SPEC, chance))
    outcome = rules.compiled(spec, TEXTS | {"base.mix": base})
    assert outcome.plan or any(d.severity is Severity.ERROR for d in outcome.notes)
    if outcome.plan:
        assert explain(outcome.plan)
        assert from_json(to_json(outcome.plan)) == outcome.plan
        assert violations(to_data(outcome.plan)) == []


def test_without_a_mutation_it_is_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "COLUMNS", rules.COLUMNS | dict.fromkeys(("solution", "subject"), "text"))
    assert rules.plan(SPEC, TEXTS | {"base.mix": BASE})

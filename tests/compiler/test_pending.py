"""What a clause that is not run yet says of itself: its stage, and the way out, which must really be one."""

import re
from dataclasses import replace

import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.stages import KINDS
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.runtime.execute import refuse_pending
from mixc.tests.compiler.rules import SCORED, compiled

CLEAN = SCORED + 'decontaminate none because "x"\n'
PROFILE = 'profile tiny from "profile.json"\n'
MEASURED = "profile tiny {\n  attempts 3 per prompt\n  sample 2..9 prompts per skill\n  width 5%\n  temperature 1\n  grade choice(reference)\n}\n"
TEXTS = {"profile.json": '{"skills": {"Algebra": {"attempts": 3, "correct": 1}}}'}
STAGES = {
    "train": CLEAN + "student other { model \"m\" }\ntrain tiny { steps 1 }\ntrain other { steps 1 }\n",
    "score": SCORED + "score same = pass_rate()\nselect { where same >= 0.5 }\n",
}


@pytest.fixture(autouse=True)
def a_scorer_is_not_run_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the runtime lacked one."""
    monkeypatch.setitem(SCORERS, "pass_rate", replace(SCORERS["pass_rate"], ready=False))


@pytest.mark.parametrize("case", STAGES)
def test_a_pending_clause_names_its_stage_and_a_way_out_that_works(case: str) -> None:
    outcome = compiled(STAGES[case], TEXTS)
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    waiting = [d for d in outcome.notes if d.code == "MIX0410"]
    assert [re.findall(r"the `(\w+)` stage cannot do", d.message) for d in waiting] == [[stage] for stage in case.split(" and ")]
    with pytest.raises(Fault) as raised:
        refuse_pending(outcome.plan, None)
    assert {d.message for d in raised.value.diagnostics} == {d.message for d in waiting}, "a build says what check says"
    for found in waiting:
        until = re.findall(r"--until (\w+)", found.help or "")
        assert until or "nothing can be run before it" in (found.help or "")
        for kind in until:
            assert kind in KINDS
            refuse_pending(outcome.plan, kind)


@pytest.mark.parametrize("case", STAGES)
def test_a_plan_in_words_says_it_at_its_stage(case: str) -> None:
    outcome = compiled(STAGES[case], TEXTS)
    assert outcome.plan is not None
    said = explain(outcome.plan)
    assert all(f"not done yet: {p.what}" in said for p in outcome.plan.pending)


def test_what_asks_for_nothing_that_is_not_done_anyway_is_not_pending() -> None:
    text = CLEAN + PROFILE + "select {\n  budget 3 examples\n  quota skill weakness\n}\ntrain tiny {\n  steps 3\n  method full\n  packing false\n  report none\n  schedule linear\n  warmup 0%\n  seed 4\n}\n"
    text += 'evaluate {\n  benchmark b "b.jsonl" samples 1\n  temperature 0\n}\n'
    assert [d.message for d in compiled(text, TEXTS).notes if d.code == "MIX0410"] == []
    assert [d.message for d in compiled(text.replace(PROFILE, MEASURED), TEXTS).notes if d.code == "MIX0410"] == []

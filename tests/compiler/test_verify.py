"""A sound plan passes; each way of being unsound is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mixc.compiler.expressions import Column, Constant, Operation, Quantile
from mixc.compiler.plan.stages import Group, Plan, Quota, Stage
from mixc.compiler.plan.verify import Unsound, verify

from .plans import HERE, NATURAL, where, whole


def changed(stage: str, /, **fields: Any) -> Plan:
    plan = whole()
    assert stage in [s.id for s in plan.stages]
    return replace(
        plan, fingerprints=(), stages=tuple(replace(s, **fields) if s.id == stage else s for s in plan.stages)
    )


def rearranged(order: Callable[[list[Stage]], list[Stage]]) -> Plan:
    plan = whole()
    return replace(plan, fingerprints=(), stages=tuple(order(list(plan.stages))))


def quota(**fields: Any) -> Plan:
    bound = {"text": "quota q", "group": Group(kind="teacher", value="strong"), "low": 1, "unit": "examples"} | fields
    return changed("select", quotas=(Quota(**bound, span=HERE),))


def test_the_whole_plan_is_sound():
    assert verify(whole()) is None


QUANTILE = Operation(">=", (NATURAL, Quantile(NATURAL, 20)))

UNSOUND = {
    "the id is not unique": changed("dedup", id="decontaminate"),
    "dedup: input nowhere is no earlier stage": changed("dedup", inputs=("nowhere",)),
    "dedup: input select is no earlier stage": changed("dedup", inputs=("select",)),
    "only a scan has no input": changed("dedup", inputs=()),
    "stands too late": rearranged(lambda s: [s[0], s[1], s[3], s[2], *s[4:]]),
    "2 select stages": rearranged(lambda s: [*s[:12], replace(s[11], id="again"), *s[12:]]),
    "no stage nowhere": replace(whole(), pending=(replace(whole().pending[0], stage="nowhere"),)),
    "fingerprints are not those": replace(whole(), fingerprints=whole().fingerprints[1:]),
    "filter:1: reads the score naturalness": changed("filter:1", wheres=(where("w", NATURAL),)),
    "select: reads the score fluency": changed("select", objective=Column("score", "fluency")),
    "select: reads the column split": changed("select", objective=Column("column", "split")),
    "select: reads the role nothing": changed("select", objective=Column("role", "nothing")),
    "teachers: reads the role skill": changed(
        "teachers", teachers=(replace(whole().stages[1].teachers[0], condition=Column("role", "skill")),)
    ),
    "score:correct: reads column:absent": changed("score:correct", reads=("column:absent",)),
    "tags by absent": changed("tag", column="absent"),
    "`w` is a barrier": changed("filter:1", wheres=(where("w", QUANTILE),)),
    "a scan looks at one row": changed("scan:traces", where=where("w", QUANTILE)),
    "benchmarks and words, or a reason": changed("decontaminate", because="no"),
    "train: exactly one of epochs and steps": changed("train", epochs=None),
    "no heldout stage": changed("evaluate", heldout="other"),
    "two benchmarks gsm8k": changed("evaluate", benchmarks=2 * whole().stages[-1].benchmarks),
    "two budgets in examples": changed("select", budgets=2 * whole().stages[11].budgets[:1]),
    "counts tokens by fluency": changed("select", tokens="fluency"),
    "nothing that counts them": changed("select", tokens=None),
    "no bound": quota(low=None),
    "lower bound is above": quota(low=3, high=2),
    "a column belongs to": quota(group=Group(kind="column", value="x")),
    "groups by absent": quota(group=Group(kind="column", value="x", column="absent")),
    "select does not depend on heldout": changed("decontaminate", inputs=("teachers",)),
}


@pytest.mark.parametrize(("fault", "plan"), UNSOUND.items(), ids=UNSOUND.keys())
def test_an_unsound_plan_is_refused_by_name(fault: str, plan: Plan):
    with pytest.raises(Unsound) as refused:
        verify(plan)
    assert fault in str(refused.value)


def test_a_waiver_and_a_constant_objective_are_sound():
    waived = changed("decontaminate", because="why not", against=(), words=None)
    assert verify(waived) is None
    assert verify(changed("select", objective=Constant(1))) is None

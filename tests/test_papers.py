"""The specs of the two papers: each compiles to a whole plan without a look at a hub, with the hyper-parameters that were published."""

from pathlib import Path

import pytest
from mixc.compiler.plan.explain import explain
from mixc.compiler.plan.schema import violations
from mixc.compiler.plan.serialize import to_data
from mixc.compiler.plan.stages import Amount, Evaluate, Keep, Plan, Profile, Score, Select, Train, kind
from mixc.compiler.plan.verify import verify
from mixc.tests.compiling import compile_in, drawn

ROOT = Path(__file__).parents[1]
PAPERS = sorted(path.stem for path in (ROOT / "specs" / "papers").glob("*.mix"))


def plan_of(name: str) -> Plan:
    outcome = compile_in(ROOT, f"specs/papers/{name}.mix")
    assert outcome.plan is not None, drawn(outcome.notes, outcome.sources)
    return outcome.plan


def only(plan: Plan, type_: type):
    (stage,) = [stage for stage in plan.stages if isinstance(stage, type_)]
    return stage


def test_each_paper_has_its_spec_and_one_that_runs_here() -> None:
    assert {"local-naturalness", "local-naturalness-mini", "skill-aware", "skill-aware-mini"} <= set(PAPERS)


@pytest.mark.parametrize("name", [name for name in PAPERS if not name.endswith("-mini")])
def test_it_is_planned_to_the_last_stage(name: str, golden) -> None:
    plan = plan_of(name)
    verify(plan)
    assert violations(to_data(plan)) == []
    assert plan.pending == () and [kind(stage) for stage in plan.stages][-2:] == ["train", "evaluate"]
    golden(Path(__file__).parent / "papers" / f"{name}.txt", explain(plan))


def test_local_naturalness_has_what_was_published() -> None:
    plan = plan_of("local-naturalness")
    train, select = only(plan, Train), only(plan, Select)
    assert (train.epochs, train.learning_rate, train.method) == (15, 1e-5, "full")
    (keep,) = [step for step in select.steps if isinstance(step, Keep)]
    assert keep.count == 1 and select.objective_text == "naturalness" and not select.quotas and not select.budgets
    (score,) = [stage for stage in plan.stages if isinstance(stage, Score) and stage.scorer == "local_logprob"]
    assert dict(score.arguments)["window_steps"] == 4 and score.model is not None and score.model.model == "Qwen/Qwen2.5-7B-Instruct"


def test_skill_aware_has_what_was_published() -> None:
    plan = plan_of("skill-aware")
    train, select, profile, evaluate = (only(plan, type_) for type_ in (Train, Select, Profile, Evaluate))
    assert (train.epochs, train.learning_rate, train.batch, train.max_length) == (5, 1e-5, 8, 8192)
    assert (train.schedule, train.warmup, train.format) == ("cosine", Amount(value=10, unit="%"), "skill_aware")
    assert select.soft is not None and (select.soft.shape, select.soft.max_weight, select.soft.alpha) == ("paper", 1000, 0)
    assert [(b.amount, b.unit) for b in select.budgets] == [(1000, "examples")]
    assert (profile.attempts, profile.sample, profile.temperature, profile.max_tokens) == (1, None, 0.6, 8192)
    assert (evaluate.temperature, evaluate.max_tokens, evaluate.seeds) == (0.6, 16384, (42, 0, 88))
    assert {b.name: b.samples for b in evaluate.benchmarks} == {"math500": 1, "aime24": 8}


HERE = {"skill-aware-plain-mini": [pytest.mark.shared, pytest.mark.student]}
"""What reads data and a model of this machine."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=HERE.get(name, [])) for name in PAPERS if name.startswith("skill-aware-plain")])
def test_its_control_differs_in_the_text_alone(name: str) -> None:
    ours, control = plan_of(name.replace("-plain", "")), plan_of(name)
    differ = [a.id for a, b in zip(ours.stages, control.stages, strict=True) if to_data_of(a) != to_data_of(b)]
    assert differ == ["materialise", "train"]
    assert only(control, Train).format == "plain"


def to_data_of(stage: object) -> str:
    """A stage without its places."""
    import re

    return re.sub(r"Span\([^)]*\)", "", repr(stage))

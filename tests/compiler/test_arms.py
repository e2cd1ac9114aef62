"""The arms of an evaluation as the plan has them: which models are trained, and what a baseline selects of the recipe's candidates."""

from typing import Any

from mixc.compiler.expressions import Column, Constant, Operation, columns
from mixc.compiler.plan.arms import OTHER_TIES
from mixc.compiler.plan.digest import fingerprints
from mixc.compiler.plan.stages import Evaluate, Filter, Keep, Plan, Score, Select, Where
from mixc.tests.compiler.rules import SCORED, compiled

SPEC = (
    SCORED
    + """\
score fluent  = global_logprob(student: tiny)
score unread  = global_logprob(student: tiny)
decontaminate none because "x"
select {
  where    good_one and fluent >= -3 nats
  where    length <= 300 tokens
  where    natural >= p20
  keep     best 2 per prompt by natural
  keep     at most 1 per prompt
  quota    teacher "a" <= 40%
  budget   90 examples
  maximize natural
}
train tiny { steps 3 }
evaluate {
  heldout rows where split == "test"
EVALUATE
}
"""
)


def plan(evaluate: str = "") -> Plan:
    outcome = compiled(SPEC.replace("EVALUATE", evaluate))
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return outcome.plan


def stage(made: Plan, kind: type) -> Any:
    return next(s for s in made.stages if isinstance(s, kind))


def test_without_seeds_and_baselines_there_is_one_arm() -> None:
    (arm,) = stage(plan(), Evaluate).arms
    assert (arm.name, arm.recipe, arm.seed, arm.select) == ("after", "recipe", 1, None)
    assert stage(plan("seeds [5]"), Evaluate).arms[0].seed == 5


def test_arms_are_the_recipe_at_every_seed_then_every_baseline_at_every_seed() -> None:
    arms = stage(plan("baseline random\nbaseline fluent\nseeds [4, 0]"), Evaluate).arms
    assert [(a.name, a.recipe, a.seed) for a in arms] == [
        ("after", "recipe", 4), ("recipe-0", "recipe", 0), ("random-4", "random", 4), ("random-0", "random", 0),
        ("fluent-4", "fluent", 4), ("fluent-0", "fluent", 0),
    ]  # fmt: skip
    assert [a.select is None for a in arms] == [True, True, False, False, False, False]
    assert arms[4].select == arms[5].select, "a score chooses the same whatever the seed"


def test_a_baseline_keeps_budgets_and_the_filters_that_read_no_log_probability() -> None:
    made = plan("baseline random\nbaseline fluent")
    recipe, arms = stage(made, Select), stage(made, Evaluate).arms
    assert recipe.quotas and [a.name for a in arms[1:]] == ["random-1", "fluent-1"]
    for arm in arms[1:]:
        select = arm.select
        assert select.budgets == recipe.budgets and select.at_most == recipe.at_most and not select.quotas and select.soft is None
        assert select.inputs == recipe.inputs[:1] and select.tokens == recipe.tokens
        (keep,) = select.steps
        assert isinstance(keep, Keep) and keep.count == 2
    drawn, fluent = (arm.select for arm in arms[1:])
    assert (drawn.objective, drawn.draw, drawn.seed) == (None, 1, 1 + OTHER_TIES) and drawn.steps[0].by == Constant(0)
    assert (fluent.objective, fluent.draw, fluent.seed) == (Column("score", "fluent"), None, recipe.seed)
    assert fluent.steps[0].by == Column("score", "fluent")


def test_a_part_of_a_filter_that_reads_no_log_probability_stays() -> None:
    """Behind a quantile nothing moves before the scores, so the clause stands in `select` as it is written."""
    text = SPEC.replace("  where    good_one and fluent >= -3 nats\n", "").replace(
        "  keep     best 2", "  where    good_one and fluent >= -3 nats\n  where    ratio >= 2 or fluent >= -3 nats\n  keep     best 2"
    )
    made = compiled(text.replace("EVALUATE", "baseline random")).plan
    assert made is not None
    steps = stage(made, Evaluate).arms[1].select.steps
    assert [type(step) for step in steps] == [Where, Keep]
    assert steps[0].condition == Column("score", "good_one") and steps[0].text == "where good_one"


def test_no_filter_by_a_log_probability_drops_a_row_before_the_baselines_choose() -> None:
    def filtered(made: Plan) -> set[str]:
        return {c.name for s in made.stages if isinstance(s, Filter) for w in s.wheres for c in columns(w.condition)}

    assert filtered(plan()) == {"good_one", "length", "fluent"}
    assert filtered(plan("baseline random")) == {"good_one", "length"}
    (where, *_) = stage(plan("baseline random"), Select).steps
    assert isinstance(where.condition, Operation) and columns(where.condition) == {Column("score", "fluent")}


def test_a_score_that_only_a_baseline_names_is_computed_for_the_candidates() -> None:
    def rows(made: Plan) -> str:
        return next(s.rows for s in made.stages if isinstance(s, Score) and s.name == "unread")

    assert (rows(plan()), rows(plan("baseline unread"))) == ("selected", "candidates")


def test_an_evaluation_is_another_when_its_arms_are_and_the_selection_is_not() -> None:
    one, two, three = (dict(fingerprints(plan(text).stages)) for text in ("seeds [1]", "seeds [1, 2]", "seeds [1]\nbaseline random"))
    assert one["evaluate"] != two["evaluate"] and {k: v for k, v in one.items() if k != "evaluate"} == {k: v for k, v in two.items() if k != "evaluate"}
    assert one["evaluate"] != three["evaluate"]


def test_arms_that_cannot_be_are_told() -> None:
    def codes(text: str) -> list[str]:
        return [d.code for d in compiled(text).notes if d.code not in ("MIX0606", "MIX0604", "MIX0602", "MIX0608")]

    assert codes(SPEC.replace("EVALUATE", "baseline random\nseeds [0, 1]")) == []
    assert "MIX0434" in codes(SPEC.replace("EVALUATE", "baseline random").replace("budget   90", "budget   up to 90"))
    same = SPEC.replace("EVALUATE", "baseline random").replace("  budget   90 examples\n", "").replace('  quota    teacher "a" <= 40%\n', "")
    assert "MIX0434" in codes(same), "`fluency` filters the recipe alone"
    same = same.replace("good_one and fluent >= -3 nats", "good_one").replace("  where    natural >= p20\n", "")
    assert "MIX0434" not in codes(same)
    assert "MIX0434" in codes(same.replace("  keep     at most 1", "  where    length <= 90 tokens\n  keep     at most 1"))
    untrained = SPEC.replace("train tiny { steps 3 }\n", "")
    assert codes(untrained.replace("EVALUATE", "baseline random\nseeds [0, 1]")).count("MIX0207") == 2
    assert "MIX0210" in codes(SPEC.replace("score unread", "score recipe").replace("EVALUATE", "baseline recipe"))

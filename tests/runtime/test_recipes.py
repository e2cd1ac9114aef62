"""Answers of several arms to recipes and tests between them: which rows count, and how."""

import polars as pl
import pytest
from mixc.runtime.paired import difference, mean_share
from mixc.runtime.recipes import Scores, against, paired, scores, summary
from mixc.tests.runtime.answered import ARMS, answered, heldout


def solved(arm: str, number: int, sample: int) -> bool | None:
    if arm == "random-1" and number == 4:
        return None
    if arm == "before":
        return False
    return number % 3 == 0 or (arm in ("after", "recipe-1", "recipe-2") and number % 5 == 1) or (sample == 1 and number == 7)


def only(found: list[Scores], recipe: str) -> Scores:
    return next(each for each in found if each.recipe == recipe)


def test_the_arms_of_a_recipe_are_its_runs() -> None:
    frame = answered(ARMS, "small", 30, solved, samples=2)
    found = scores(frame)
    assert [each.recipe for each in found] == ["before", "recipe", "random"]
    recipe = only(found, "recipe")
    assert (recipe.arms, recipe.seeds, recipe.values.shape) == (("after", "recipe-1", "recipe-2"), (0, 1, 2), (3, 30))
    for run, arm in enumerate(recipe.arms):
        for place, id in enumerate(recipe.ids):
            rows = frame.filter((pl.col("arm") == arm) & (pl.col("id") == id))["correct"]
            assert recipe.values[run, place] == sum(bool(each) for each in rows) / 2
    assert only(found, "random").unknown == 2 and only(found, "random").values[1, 4] == 0.0


def test_no_order_of_rows_changes_anything() -> None:
    frame = answered(ARMS, "small", 20, solved, samples=2)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=5)
    known = {each["recipe"]: each for each in summary(scores(frame))}
    assert {each["recipe"]: each for each in summary(scores(mixed))} == known


def test_a_summary_is_the_mean_over_runs() -> None:
    found = scores(answered(ARMS, "small", 30, solved, samples=2))
    data = next(each for each in summary(found) if each["recipe"] == "recipe")
    expected = mean_share(only(found, "recipe").values, 2)
    assert (data["accuracy"], data["interval"]) == (expected.value, [expected.low, expected.high])
    wholly = sum(n % 3 == 0 or n % 5 == 1 for n in range(30))
    assert data["accuracy"] == pytest.approx((wholly + 0.5) / 30)
    assert data["pass_at_k"] == {"1": pytest.approx((wholly + 0.5) / 30), "2": pytest.approx((wholly + 1) / 30)}


def test_recipes_are_tested_on_the_problems_that_both_have() -> None:
    frame = answered(ARMS, "small", 30, solved)
    fewer = frame.filter((pl.col("arm") != "random-2") | (pl.col("id") != "p000"))
    found = scores(fewer)
    assert (only(found, "random").left_out, len(only(found, "random").ids)) == (1, 29)
    told = against(found, "recipe")
    assert [(each.recipe, each.against, each.comparisons) for each in told] == [("before", "recipe", 2), ("random", "recipe", 2)]
    ids = only(found, "random").ids
    expected = difference(only(found, "random").values, only(found, "recipe").of(ids))
    assert told[1].difference == expected and expected.problems == 29
    assert told[0].holm == min(1.0, 2 * told[0].difference.p)


def test_a_difference_is_the_same_from_either_side() -> None:
    frame = heldout(ARMS, 30, lambda arm, row: 2 + row / 50 + 0.04 * len(arm) + 0.03 * ((row * len(arm)) % 7))
    recipe, random = (only(scores(frame), name) for name in ("recipe", "random"))
    (told,) = paired([(random, recipe)])
    (one,) = against(scores(frame), "recipe")[1:]
    back = told.turned()
    assert (back.recipe, back.against) == ("recipe", "random") and back.turned() == told and told.difference == one.difference
    d, b = told.difference, back.difference
    assert (b.value, b.low, b.high, b.p, b.higher, b.lower) == (-d.value, -d.high, -d.low, d.p, d.lower, d.higher)


def test_held_out_rows_count_where_every_run_has_them() -> None:
    shift = {"before": 0.5, "random-0": 0.2, "random-1": 0.25, "random-2": 0.15}
    frame = heldout(ARMS, 40, lambda arm, n: None if (arm, n) == ("after", 3) else 2.0 + n / 40 + shift.get(arm, 0.0))
    found = scores(frame)
    data = {each["recipe"]: each for each in summary(found)}
    assert (data["recipe"]["rows"], data["recipe"]["left_out"], data["random"]["rows"]) == (39, 1, 40)
    assert "accuracy" not in data["recipe"] and "pass_at_k" not in data["recipe"]
    told = {each.recipe: each for each in against(found, "recipe")}
    assert told["random"].difference.value == pytest.approx(0.2) and told["random"].difference.problems == 39
    assert told["random"].difference.told and told["random"].to_data()["test"] == "bootstrap"
    assert told["random"].difference.low < 0.2 < told["random"].difference.high


def test_what_shares_no_problem_is_not_compared() -> None:
    here, there = answered(ARMS[:2], "small", 5, solved), answered(ARMS[4:5], "small", 5, solved).with_columns(pl.lit("x").alias("id"))
    assert [each.recipe for each in against(scores(pl.concat([here, there])), "recipe")] == ["before"]
    with pytest.raises(ValueError, match="not compared"):
        paired([(scores(here)[0], scores(heldout(ARMS[:1], 3, lambda arm, n: 1.0))[0])])

"""Accuracy, Avg@k, pass@k, by skill and level, beside slow references in plain Python."""

import itertools
import random

import polars as pl
import pytest
from mixc.runtime.accuracy import accuracy
from mixc.runtime.proportions import wilson

SCHEMA = {"id": pl.String(), "correct": pl.Boolean(), "finished": pl.Boolean(), "skills": pl.List(pl.String()), "level": pl.String()}


def made(problems: int, samples: int, seed: int = 0) -> list[dict]:
    chance = random.Random(seed)
    skills = [["Algebra->Lines", "Geometry"], ["Algebra"], [], ["Geometry->Circles", "Geometry->Squares"]]
    return [
        {
            "id": f"p{number}", "correct": chance.choice([True, False, None]), "finished": chance.random() < 0.8,
            "skills": skills[number % 4], "level": None if number % 5 == 0 else str(number % 3),
        }
        for number in range(problems)
        for _ in range(samples)
    ]  # fmt: skip


@pytest.mark.parametrize(("problems", "samples"), [(7, 1), (12, 4), (9, 5)])
def test_the_figures_are_those_of_a_loop_over_the_answers(problems: int, samples: int) -> None:
    rows = made(problems, samples)
    got = accuracy(pl.DataFrame(rows, schema=SCHEMA)).to_dict()

    def shares(keep) -> list[list[bool]]:
        return [[r["correct"] is True for r in rows if r["id"] == id] for id in dict.fromkeys(r["id"] for r in rows if keep(r))]

    def same(told: dict, answers: list[list[bool]]) -> None:
        assert (told["n"], told["correct"]) == (len(answers), sum(map(sum, answers)))
        assert told["accuracy"] == pytest.approx(sum(sum(each) / samples for each in answers) / len(answers))
        low, high = told["interval"]
        assert 0 <= low <= told["accuracy"] <= high <= 1
        if samples == 1:
            assert (low, high) == wilson(told["correct"], told["n"])

    same(got, shares(lambda r: True))
    assert got["samples"] == samples and got["unknown"] == sum(r["correct"] is None for r in rows) and got["cut"] == sum(not r["finished"] for r in rows)
    nodes = {node for r in rows for chain in r["skills"] for node in chain.split("->")}
    assert set(got["by_skill"]) == nodes == {"Algebra", "Lines", "Geometry", "Circles", "Squares"}
    for node in nodes:
        same(got["by_skill"][node], shares(lambda r, node=node: any(node in chain.split("->") for chain in r["skills"])))
    assert set(got["by_level"]) == {"0", "1", "2"}
    for level in "012":
        same(got["by_level"][level], shares(lambda r, level=level: r["level"] == level))
    every = shares(lambda r: True)
    assert list(got["pass_at_k"]) == [str(k) for k in sorted({*(2**i for i in range(8) if 2**i <= samples), samples})]
    for k, value in got["pass_at_k"].items():  # what a draw of k of the n samples finds, over all such draws
        draws = [[any(drawn) for drawn in itertools.combinations(each, int(k))] for each in every]
        assert value == pytest.approx(sum(sum(each) / len(each) for each in draws) / len(draws))
    assert got["pass_at_k"]["1"] == pytest.approx(got["accuracy"])


def test_samples_of_a_problem_that_are_alike_make_no_interval_narrower() -> None:
    once = [{"id": f"p{n}", "correct": n % 2 == 0, "finished": True, "skills": [], "level": None} for n in range(20)]
    one, eight = (accuracy(pl.DataFrame(once * times, schema=SCHEMA)).whole for times in (1, 8))
    assert (one.low, one.high) == pytest.approx((eight.low, eight.high)) and eight.correct == 80

"""Teachers ranked, against means and a bootstrap in plain Python that make the same draws."""

import math
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.ranking import Gap, Mean, correct, rank, valued
from mixc.runtime.statistics import draws
from mixc.tests.runtime.frames import means

SEED = 17
Row = tuple[str, str, float, float]


def rows(seed: int, teachers: int = 3, prompts: int = 9) -> list[Row]:
    """Teacher, prompt, and the two parts of a score; some teachers answer some prompts several times, or not at all."""
    chance = random.Random(seed)
    asked = [(f"t{t}", f"p{p}") for t in range(teachers) for p in range(prompts) for _ in range(chance.choice([0, 1, 1, 1, 3]))]
    return [(teacher, prompt, chance.choice([0.5, chance.gauss(int(teacher[1:]), 2)]), chance.uniform(0.5, 2)) for teacher, prompt in asked]


def frame(made: list[Row], ratio: bool) -> pl.DataFrame:
    columns = ["teacher", "prompt_id", "over", "under"]
    return pl.DataFrame(made, schema=columns, orient="row").drop(() if ratio else "under")


def by_prompt(made: list[Row], teacher: str, ratio: bool) -> dict[str, tuple[float, float]]:
    """Each prompt's mean over its responses of both parts; the second part of a plain score is 1."""
    found = {}
    for prompt in sorted({r[1] for r in made if r[0] == teacher}):
        own = [r for r in made if r[:2] == (teacher, prompt)]
        found[prompt] = (sum(r[2] for r in own) / len(own), sum(r[3] for r in own) / len(own) if ratio else 1.0)
    return found


def pooled(parts: list[tuple[float, float]]) -> float:
    return math.fsum(over for over, _ in parts) / math.fsum(under for _, under in parts)


def middle(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[math.ceil(0.025 * len(ordered)) - 1], ordered[math.ceil(0.975 * len(ordered)) - 1]


def drawn(label: str, count: int) -> list[list[int]]:
    return [draw.tolist() for table in draws(SEED, label, count) for draw in table]


def close(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else a == pytest.approx(b, rel=1e-7, abs=1e-9)


def slow_mean(made: list[Row], teacher: str, ratio: bool) -> Mean:
    parts = list(by_prompt(made, teacher, ratio).values())
    low, high = middle([pooled([parts[i] for i in draw]) for draw in drawn(f"s:{teacher}", len(parts))]) if len(parts) > 1 else (None, None)
    return Mean(pooled(parts), low, high, len(parts), sum(r[0] == teacher for r in made))


def slow_gap(made: list[Row], best: str, teacher: str, ratio: bool, sign: int) -> Gap:
    one, two = (by_prompt(made, name, ratio) for name in (teacher, best))
    shared = sorted(one.keys() & two.keys())
    a, b = ([side[p] for p in shared] for side in (one, two))
    away = [pooled([a[i] for i in draw]) - pooled([b[i] for i in draw]) for draw in drawn(f"s:{best}:{teacher}", len(shared))]
    wins = sum(1.0 if sign * d > 0 else 0.5 if d == 0 else 0.0 for d in away) / len(away)
    return Gap(len(shared), pooled(a) - pooled(b), *middle(away), round(wins, 4))


@pytest.mark.parametrize("ratio", [False, True])
@pytest.mark.parametrize("better", ["high", "low"])
@pytest.mark.parametrize("seed", range(2))
def test_means_intervals_and_gaps_are_those_of_the_definition(seed: int, better: str, ratio: bool) -> None:
    made = rows(seed)
    sign = 1 if better == "high" else -1
    found = rank(frame(made, ratio), "s", SEED, ["t0", "t1", "t2"], better)
    order = sorted(["t0", "t1", "t2"], key=lambda t: -sign * slow_mean(made, t, ratio).mean)  # type: ignore[operator]
    assert [p.teacher for p in found.places] == order
    every = set.intersection(*(set(by_prompt(made, t, ratio)) for t in order))
    assert found.in_common == len(every) > 0
    for place in found.places:
        slow = slow_mean(made, place.teacher, ratio)
        assert (place.score.prompts, place.score.responses) == (slow.prompts, slow.responses)
        assert all(close(getattr(place.score, name), getattr(slow, name)) for name in ("mean", "low", "high"))
        assert close(place.in_common, pooled([by_prompt(made, place.teacher, ratio)[p] for p in sorted(every)]))
        if place.gap is None:
            assert place.teacher == order[0]
            continue
        gap = slow_gap(made, order[0], place.teacher, ratio, sign)
        assert place.gap.prompts == gap.prompts and place.gap.better == gap.better
        assert all(close(getattr(place.gap, name), getattr(gap, name)) for name in ("difference", "low", "high"))


def test_a_prompt_of_many_responses_weighs_as_much_as_one_of_a_single_one() -> None:
    made = [("a", "p", 1.0, 1.0)] * 9 + [("a", "q", 3.0, 1.0)]
    found = means(frame(made, ratio=False), "s", SEED)["a"]
    assert (found.mean, found.prompts, found.responses) == (2.0, 2, 10) and found.to_data()["interval"] == [1.0, 3.0]


def test_one_prompt_has_no_interval_and_no_common_prompt_no_gap() -> None:
    made = [("a", "p", 1.0, 1.0), ("b", "q", 2.0, 1.0), ("b", "r", 2.0, 1.0)]
    found = rank(frame(made, ratio=False), "s", SEED, ["a", "b", "c"])
    assert [p.teacher for p in found.places] == ["b", "a", "c"]
    best, single, none = found.places
    assert single.score == Mean(1.0, None, None, 1, 1) and single.gap == Gap(0, None, None, None, None)
    assert none.score == Mean(None, None, None, 0, 0) and none.gap == Gap(0, None, None, None, None)
    assert found.in_common == 0 and best.in_common is None
    shared = rank(frame([("a", "p", 1.0, 1.0), ("b", "p", 3.0, 1.0)], ratio=False), "s", SEED, ["a", "b"])
    assert shared.places[1].gap == Gap(1, -2.0, None, None, None) and shared.places[1].in_common == 1.0


def test_equal_teachers_are_in_the_order_of_their_names_and_draw_even() -> None:
    made = [(t, f"p{i}", float(i), 1.0) for t in ("b", "a") for i in range(5)]
    found = rank(frame(made, ratio=False), "s", SEED, ["b", "a"])
    assert [p.teacher for p in found.places] == ["a", "b"]
    assert found.places[1].gap == Gap(5, 0.0, 0.0, 0.0, 0.5)


def test_another_teacher_moves_no_interval() -> None:
    made = rows(4)
    alone = means(frame([r for r in made if r[0] == "t1"], ratio=False), "s", SEED)["t1"]
    assert means(frame(made, ratio=False), "s", SEED)["t1"] == alone
    assert means(frame(made, ratio=False), "s", SEED + 1)["t1"] != alone


def test_the_rows_with_a_value_are_taken_in_the_order_of_their_ids() -> None:
    table = pl.DataFrame(
        {"row_id": ["b", "a", "c"], "teacher": "t", "prompt_id": "p", "score:s": [True, False, None], "score:r": [1.0, 2.0, None],
         "score:r:over": [2.0, 4.0, None], "score:r:under": [2.0, 2.0, None]}
    )  # fmt: skip
    assert valued(table, "s")["over"].to_list() == [0.0, 1.0]
    assert valued(table, "r").to_dict(as_series=False) == {"teacher": ["t", "t"], "prompt_id": ["p", "p"], "over": [4.0, 2.0], "under": [2.0, 2.0]}
    assert valued(table, "missing").is_empty() and means(valued(table, "missing"), "missing", SEED) == {}


def test_a_response_without_a_verdict_is_neither_right_nor_wrong() -> None:
    table = pl.DataFrame({"teacher": ["a", "a", "a", "b"], "score:ok": [True, False, None, None]})
    assert correct(table, "ok") == {"a": (1, 2)}
    assert correct(table, None) == correct(table, "absent") == {}


SAME = """
import sys; sys.path.insert(0, sys.argv[1])
import conftest
from mixc.runtime.ranking import rank
from mixc.tests.runtime.test_ranking import SEED, frame, rows
print(rank(frame(rows(1, teachers=4, prompts=3_000), ratio=True), "s", SEED, ["t0", "t1", "t2", "t3"]))
"""


def test_the_number_of_threads_changes_nothing() -> None:
    tests = str(Path(__file__).parents[1])

    def run(threads: str) -> str:
        names = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return subprocess.run([sys.executable, "-c", SAME, tests], env=dict.fromkeys(names, threads), capture_output=True, text=True, check=True).stdout

    assert run("1") == run("2") != ""

"""`debias: length` is the least-squares correction of ASLEC-casl on the step mean, fitted over the rows at hand and never stored."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mixc.runtime.scorers.length_debias import length_debias
from mixc.runtime.scorers.local import SCHEMA, LocalLogprob
from mixc.tests.runtime.frames import from_store
from mixc.tests.runtime.scoring import make_world, rows, run, stage, table


def stored(made: list[list[list[float]]], **refused: str) -> pl.DataFrame:
    """The table of steps of responses given as token log-probabilities, step by step."""
    lists = [
        (f"k{i:02}", None, [len(s) for s in steps], [sum(s) for s in steps], [s[0] for s in steps], [0] * len(steps)) for i, steps in enumerate(made)
    ]
    lists += [(key, why, None, None, None, None) for key, why in refused.items()]
    return pl.DataFrame(lists, schema={"key": pl.String(), **SCHEMA}, orient="row")


def pool(count: int, seed: int = 0) -> list[list[list[float]]]:
    chance = random.Random(seed)
    return [[[-chance.expovariate(0.3), *(-chance.expovariate(2) for _ in range(chance.randrange(0, 9)))] for _ in range(chance.randint(1, 8))] for _ in range(count)]


def brute(made: list[list[list[float]]]) -> list[float]:
    """M - g (F - mean F), by numpy's least squares on the plain columns."""
    score = np.array([np.mean([np.mean(s) for s in steps]) for steps in made])
    first = [np.mean([s[0] for s in steps]) for steps in made]
    rest = [np.mean([t for s in steps for t in s[1:]]) for steps in made]
    share = np.array([len(steps) / sum(map(len, steps)) for steps in made])
    design = np.column_stack([np.ones(len(made)), first, rest, share])
    return (score - np.linalg.lstsq(design, score, rcond=None)[0][3] * (share - share.mean())).tolist()


def test_it_is_what_least_squares_says() -> None:
    made = [steps for steps in pool(60) if any(len(s) > 1 for s in steps)]
    found = length_debias(stored(made))
    assert found["value"].to_list() == pytest.approx(brute(made), abs=1e-10) and found["why"].null_count() == len(made)
    plain = LocalLogprob().value(stage(None, "local_logprob"), stored(made))  # type: ignore[arg-type]
    assert found["value"].mean() == pytest.approx(plain["value"].mean()) and max(abs(found["value"] - plain["value"])) > 0.01


def test_the_order_of_the_rows_changes_no_bit() -> None:
    frame = stored(pool(60))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=4)
    assert length_debias(shuffled).sort("key").equals(length_debias(frame).sort("key"))


def test_rows_without_a_value_take_no_part_and_say_why() -> None:
    made = [steps for steps in pool(30) if any(len(s) > 1 for s in steps)]
    found = length_debias(stored([*made, [[-1.0], [-2.0]]], zz="no tokens"))
    assert found["value"].to_list()[: len(made)] == pytest.approx(brute(made), abs=1e-10)
    assert found.rows()[len(made) :] == [(f"k{len(made):02}", None, "every step is a single token"), ("zz", None, "no tokens")]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ([[[-1.0, -2.0], [-float(i), -1.0, -0.5]] for i in range(4)], "fitted over the rows, and 4 are too few"),
        ([[[-float(i), -1.0 - i * i], [-2.0, -3.0]] for i in range(9)], "the rows are too alike"),  # all steps have two tokens
        ([[[-1.0, -2.0, *[-1.5] * i]] for i in range(9)], "the rows are too alike"),  # all begin alike
        ([], None),
    ],
)
def test_where_nothing_can_be_fitted_it_says_why(made: list, why: str | None) -> None:
    found = length_debias(stored(made, zz="no tokens"))
    assert found["value"].null_count() == len(made) + 1
    assert all(why in said for said in found["why"].to_list()[:-1]) and found["why"][-1] == "no tokens"


def test_in_a_plan_it_is_not_known_before_every_row_is(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    asked, frame = stage(world.model, "local_logprob", debias="length"), rows(6, 2)
    full = run(world, asked, frame).rows
    known = from_store(asked, frame, world.context)
    assert not known["open:n"].any() and known["score:n"].to_list() == full["score:n"].to_list() and known["score:n"].null_count() == 0
    more = pl.concat([frame, table([("a new one", "We add. Then 5.")])])
    waiting = from_store(asked, more, world.context)
    assert waiting["open:n"].all() and waiting["score:n"].null_count() == len(more)
    assert from_store(asked, frame, world.context, exact=False)["open:n"].all()
    plain = from_store(stage(world.model, "local_logprob"), more, world.context)
    assert plain["open:n"].to_list() == [False] * len(frame) + [True]


def test_the_pool_is_the_rows_at_hand(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    asked, frame = stage(world.model, "local_logprob", debias="length"), rows(8, 2)
    whole = run(world, asked, frame).rows["score:n"]
    half = run(world, asked, frame.head(10)).rows["score:n"]
    assert half.null_count() == 0 and max(abs(half - whole.head(10))) > 1e-6

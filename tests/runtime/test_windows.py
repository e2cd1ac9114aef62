"""Which passes an engine must read, and whose log-probabilities they give."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.runtime.engines.base import Window
from mixc.runtime.windows import Answer, Pass, Reach, alone, answer, contexts, passes, whole

STEPS = st.lists(st.integers(1, 4), min_size=1, max_size=30)
REACH = st.one_of(
    st.integers(0, 12).map(lambda k: Reach(steps=k)), st.integers(1, 100).map(lambda q: Reach(percent=Fraction(q)))
)


def make(lengths: list[int], prompt: int = 3, first: int = 100) -> Answer:
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    starts = list(range(ends[-1]))
    ranges = list(zip([0, *ends[:-1]], ends, strict=True))
    return answer(range(prompt), range(first, first + ends[-1]), starts, ranges)


def test_a_token_belongs_to_the_step_of_its_first_character_and_empty_steps_drop() -> None:
    one = answer([7], [1, 2, 3, 4], [0, 4, 4, 9], [(0, 5), (5, 5), (5, 8), (8, 12)])
    assert one.ends == (3, 4)


def test_the_first_steps_share_one_window_and_each_later_step_has_its_own() -> None:
    one = make([2, 3, 1, 2])
    found = list(passes(one, Reach(steps=1)))
    assert [p.window(one) for p in found] == [
        Window((0, 1, 2), (100, 101, 102, 103, 104), 0),
        Window((0, 1, 2), (102, 103, 104, 105), 3),
        Window((0, 1, 2), (105, 106, 107), 1),
    ]
    assert [(p.scored, p.length) for p in found] == [(5, 8), (1, 7), (2, 6)]
    assert all(p.window(one).prompt is one.prompt for p in found)


def test_the_first_pass_is_a_part_of_the_whole_and_no_other_begins_with_the_response() -> None:
    one = make([2, 3, 1, 2])
    assert whole(one) == Pass(one.prompt, 0, 0, 8) == next(passes(one, Reach(steps=9)))
    assert alone(one).window(one) == Window((), tuple(range(100, 108)), 1)


def test_percent_windows_use_exact_integer_arithmetic() -> None:
    for q in range(1, 101):
        for before in range(400):
            assert Reach(percent=Fraction(q)).back(before) == (q * before + 99) // 100
    assert ceil(0.07 * 100) != Reach(percent=Fraction(7)).back(100)  # where floats are wrong by one


@given(STEPS, REACH)
def test_every_token_is_scored_once_after_exactly_the_context_its_step_may_see(lengths: list[int], reach: Reach) -> None:
    one = make(lengths)
    ends = (0, *one.ends)
    scored = []
    for number, each in enumerate(passes(one, reach)):
        assert (each.low == each.start == 0) == (number == 0)
        window = each.window(one)
        for step in (i for i in range(len(lengths)) if each.start <= ends[i] < each.high):
            low = ends[step - reach.back(step)]
            assert low == each.low and ends[step + 1] <= each.high
            context = (*window.prompt, *window.tokens[: ends[step] - each.low])
            assert context == (*one.prompt, *one.response[low : ends[step]].tolist())
            assert contexts(one, reach)[step] == len(context)
        scored += range(each.start, each.high)
    assert scored == list(range(ends[-1]))


@given(STEPS, REACH)
def test_the_longest_pass_is_the_longest_that_a_step_needs(lengths: list[int], reach: Reach) -> None:
    needed = [3 + sum(lengths[i - reach.back(i) : i + 1]) for i in range(len(lengths))]
    assert max(p.length for p in passes(make(lengths), reach)) == max(needed)


def test_a_window_is_either_steps_or_a_percentage() -> None:
    with pytest.raises(ValueError, match="not both"):
        Reach(steps=1, percent=Fraction(5))
    with pytest.raises(ValueError, match="not both"):
        Reach()

"""Rows hold every window once, each prompt as seldom as the capacity allows, and their tokens are what is read."""

from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.runtime.engines.base import Window
from mixc.runtime.packing import CAPACITY, Segment, pack, tokens

WINDOWS = st.lists(
    st.builds(
        lambda prompt, length: Window((prompt,) * prompt, tuple(range(length)), 1 if not prompt else 0),
        st.integers(0, 6), st.integers(2, 30),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(windows=WINDOWS, capacity=st.integers(8, 60))
def test_every_window_is_read_once_behind_its_prompt(windows: list[Window], capacity: int) -> None:
    rows = pack(windows, capacity)
    placed = [index for row in rows for segment in row.segments for index in segment.windows]
    assert sorted(placed) == list(range(len(windows)))
    for row in rows:
        for segment in row.segments:
            assert {windows[i].prompt for i in segment.windows} == {segment.prompt}
        lengths = [len(s.prompt) + sum(len(windows[i].tokens) - 1 for i in s.windows) for s in row.segments]
        assert row.tokens == sum(lengths)
        if row.tokens > capacity:
            (only,) = row.segments
            assert len(only.windows) == 1 or row.tokens <= 2 * len(only.prompt)  # and so its prompt fills more than half a row
    assert tokens(rows) == sum(row.tokens for row in rows)
    assert pack(windows, capacity) == rows


@settings(max_examples=100, deadline=None)
@given(windows=WINDOWS)
def test_a_prompt_whose_windows_fit_in_one_row_is_read_once(windows: list[Window]) -> None:
    prompts = {w.prompt for w in windows}
    rows = pack(windows, CAPACITY)
    assert len([s for row in rows for s in row.segments]) == len(prompts)
    assert tokens(rows) == sum(map(len, prompts)) + sum(len(w.tokens) - 1 for w in windows)


def test_a_group_that_spills_takes_its_prompt_along() -> None:
    one = [Window((7, 7), (1, 2, 3, 4), 0) for _ in range(3)]
    other = Window((9,), (1, 2), 0)
    first, second = pack([*one, other], 8)
    assert first.segments == (Segment((7, 7), (0, 1)),) and first.tokens == 8
    assert second.segments == (Segment((7, 7), (2,)), Segment((9,), (3,))) and second.tokens == 7


def test_a_window_longer_than_a_row_is_a_row() -> None:
    rows = pack([Window((1,), tuple(range(20)), 0), Window((1,), (1, 2), 0)], 8)
    assert [row.tokens for row in rows] == [20, 2]


def test_a_window_of_one_token_takes_no_place() -> None:
    (row,) = pack([Window((1, 2), (3,), 0), Window((1, 2), (4,), 0)], 2)
    assert row.tokens == 2 and row.segments == (Segment((1, 2), (0, 1)),)


def test_a_prompt_that_hardly_fits_is_not_read_for_each_window() -> None:
    long = tuple(range(5_000))
    asked = [Window(long, (1, i, *range(48)), 0) for i in range(60)]
    assert tokens(pack(asked, 8_192)) == 5_000 + 60 * 49
    assert tokens(pack(asked, 4_096)) <= 2 * 5_000 + 60 * 49
    assert tokens(pack(asked, 1)) <= 2 * 5_000 + 60 * 49

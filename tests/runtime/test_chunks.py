"""Chunks follow from the rows alone, keep the responses of a prompt together, and are small enough to lose."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.runtime import chunks
from mixc.runtime.chunks import in_chunks

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60)


def frame(made: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {"key": [f"k{i:03}" for i in range(len(made))], "prompt": [f"p{p}" for p, _ in made], "response": ["x" * n for _, n in made]},
        schema={"key": pl.String, "prompt": pl.String, "response": pl.String},
    )


@settings(max_examples=60, deadline=None)
@given(made=ROWS, seed=st.integers(0, 9))
def test_chunks_are_the_same_whatever_the_order_and_hold_each_row_once(made: list[tuple[int, int]], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "ROWS", 5)
        patch.setattr(chunks, "CHARACTERS", 100)
        rows = frame(made)
        found = in_chunks(rows)
        assert found.equals(in_chunks(rows.sample(fraction=1.0, shuffle=True, seed=seed)))
        assert sorted(found["key"]) == sorted(rows["key"])
        assert found["chunk"].to_list() == sorted(found["chunk"])
        sizes = found.group_by("chunk").agg(pl.len(), characters=pl.col("response").str.len_chars().sum())
        assert all(count <= 5 and (length <= 100 or count == 1) for _, count, length in sizes.iter_rows())
        prompts = found.group_by("prompt").agg(pl.len(), n=pl.col("chunk").n_unique(), total=pl.col("response").str.len_chars().sum())
        for _, count, parts, total in prompts.iter_rows():
            assert parts == 1 or count > 5 or total + 2 > 100


def test_responses_of_one_prompt_stand_together() -> None:
    found = in_chunks(frame([(i % 4, 10) for i in range(40)]))
    assert found["prompt"].rle().len() == 4 and found["chunk"].n_unique() == 1


def test_a_null_and_no_rows_at_all_have_chunks_too() -> None:
    assert in_chunks(frame([])).columns == ["key", "prompt", "response", "chunk"]
    assert in_chunks(frame([(0, 1)]).with_columns(response=pl.lit(None, pl.String)))["chunk"].to_list() == [0]

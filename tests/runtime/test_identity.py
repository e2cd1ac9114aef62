"""Identity is defined by bytes: an independent BLAKE3 must give the same digests, and they must never move."""

import time

import blake3
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixc.runtime.identity import by_row_id, digest, prompt_ids, row_ids, seeded_hash

texts = st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
rows = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=20)


def named(values: tuple[str | None, ...]) -> str:
    encoded = b"".join(b"-" if v is None else f"{len(v.encode())}:".encode() + v.encode() for v in values)
    return blake3.blake3(encoded).hexdigest()[:32]


def frame(values: list[tuple[str | None, str | None, str | None]]) -> pl.DataFrame:
    schema = {"prompt": pl.String, "response": pl.String, "teacher_value": pl.String}
    return pl.DataFrame(values, schema=schema, orient="row")


@given(rows)
def test_row_ids_are_the_blake3_of_the_encoded_values(values):
    assert row_ids(frame(values)).to_list() == [named(v) for v in values]
    assert prompt_ids(frame(values)).to_list() == [named(v[:1]) for v in values]


def test_ids_never_change():
    one = frame([("What is 1+1?", "It is 2.", "strong")])
    assert row_ids(one).to_list() == ["cd98223651250455e9d08be268c0e7d9"]
    assert prompt_ids(one).to_list() == ["59b7312167bad0733ba70cba0f6b5335"]
    assert seeded_hash(17, ["a", "b", "ß"]).tolist() == [11310019393364642865, 17407578308749389725, 16659046406320797239]


def test_values_that_only_look_alike_have_different_ids():
    alike = [("ab", "c", "t"), ("a", "bc", "t"), (None, "", "t"), ("", None, "t"), ("-", "", "t"), ("", "", "t"), ("1:a", "", "t"), ("a", "1:", "t")]
    assert row_ids(frame(alike)).n_unique() == len(alike)


def test_a_row_id_is_not_the_prompt_id_of_its_encoding():
    assert row_ids(frame([("a", "b", "c")]))[0] != prompt_ids(frame([("a1:b1:c", None, None)]))[0]


def test_a_digest_depends_on_the_order_of_the_columns():
    one = frame([("a", "b", "c")])
    assert one.select(digest("prompt", "response")).item() != one.select(digest("response", "prompt")).item()


@given(st.integers(min_value=-5, max_value=2**40), st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=40), max_size=20))
def test_the_seeded_hash_is_the_first_eight_bytes_of_blake3(seed, ids):
    expected = [int.from_bytes(blake3.blake3(f"{seed}:{i}".encode()).digest()[:8], "big") for i in ids]
    assert seeded_hash(seed, ids).tolist() == expected
    assert seeded_hash(seed, pl.Series(ids, dtype=pl.String)).tolist() == expected


def test_a_null_has_no_seeded_hash():
    with pytest.raises(ValueError, match="null"):
        seeded_hash(1, pl.Series(["a", None]))


def test_a_million_ids_are_hashed_in_a_few_seconds():
    ids = pl.Series(range(1_000_000)).cast(pl.String)
    start = time.perf_counter()
    hashed = seeded_hash(3, ids)
    assert time.perf_counter() - start < 5
    assert len(set(hashed.tolist())) == len(ids)


@given(st.lists(st.tuples(st.sampled_from(["0" * 16, "f" * 16, "00ff" * 4]), st.text("01f", min_size=16, max_size=16)).map("".join) | st.text("0123456789abcdef", min_size=32, max_size=32), max_size=12), st.booleans())
def test_rows_are_sorted_by_the_whole_id(ids, short):
    ids = [*ids, "ab"] if short else ids
    rows = pl.DataFrame({"row_id": ids, "at": list(range(len(ids)))}, schema={"row_id": pl.String, "at": pl.Int64})
    done = by_row_id(rows)
    assert done["row_id"].to_list() == sorted(ids)
    assert done.sort("at").equals(rows)

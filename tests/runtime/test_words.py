"""Words, their hashes and phrases against a plain reading of their definition."""

import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.runtime import words as module
from mixc.runtime.words import phrases, read_words, slices

texts = st.text("ab1A .-_+\n\t\x00\x1cﬁB½İßΣς²中é\u200b\u00a0", max_size=16) | st.text(max_size=10)


def plain_words(text: str, signs: bool) -> list[str]:
    """Character by character."""
    found, word = [], ""
    for character in unicodedata.normalize("NFKC", text).lower() + " ":
        if character.isalnum():
            word += character
            continue
        if word:
            found.append(word)
            word = ""
        if signs and not character.isspace():
            found.append(character)
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=6), st.booleans())
def test_words_are_what_the_definition_says(given_texts: list[str], signs: bool) -> None:
    read = read_words(given_texts, signs=signs)
    found = [[read.phrase(i, i + 1).decode() for i in range(a, b)] for a, b in zip(read.first, read.first[1:], strict=False)]
    assert found == [plain_words(text, signs) for text in given_texts]


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=6), st.integers(1, 9))
def test_phrases_have_equal_hashes_where_their_words_are_equal_and_only_there(given_texts: list[str], size: int) -> None:
    read = read_words(given_texts)
    hashes = phrases(read.hashes, size)
    words = [word for text in given_texts for word in plain_words(text, False)]
    said = [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    assert len(hashes) == len(said)
    assert len({*zip(hashes.tolist(), said, strict=True)}) == len(set(said)) == len(set(hashes.tolist()))


def test_the_hash_of_a_word_does_not_depend_on_where_it_stands() -> None:
    hashes = [read_words(["x " * at + "seashells"]).hashes[-1] for at in (0, 1, 77, 5000)]
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_slices_are_all_the_texts_in_their_order(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", size)
    series = pl.Series(["a" * n for n in (3, 0, 90, 1, 0, 0, 5, 64, 2)])
    made = list(slices(series))
    assert [text for _, part in made for text in part] == series.to_list()
    assert [first for first, _ in made] == np.cumsum([0, *(len(part) for _, part in made)])[:-1].tolist()
    assert all(sum(map(len, part)) - max(map(len, part)) <= size for _, part in made)

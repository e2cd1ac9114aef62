"""Copies against an independent, slow comparison of all pairs, and what the rows that drop say."""

import math
import random
import unicodedata
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.plan.stages import Dedup
from mixc.compiler.source import Span
from mixc.runtime import read_texts, shingles
from mixc.runtime import words as words_module
from mixc.runtime.copies import Copy, near_copies
from mixc.runtime.dedup import dedup as deduplicated
from mixc.runtime.events import Notice, ignore
from mixc.runtime.signatures import banding, bands
from mixc.runtime.texts import Texts

SPAN = Span("a.mix", 0, 5)


def stage(method="minhash", of="prompt", threshold=0.5):
    wanted = threshold if method == "minhash" else None
    return Dedup(id="dedup", inputs=("x",), method=method, of=of, threshold=wanted, text=f"dedup by {method} of {of}", span=SPAN)


def dedup(made, rows, watch):
    return deduplicated(made, rows, Texts(), watch)


def near(texts, threshold):
    """The near-copies among these texts, read in another order and a few at a time."""
    series = pl.Series(texts, dtype=pl.String)

    def read(which):
        for part in np.array_split(which[::-1], 3):
            yield part, series.gather(part)

    return near_copies(len(series), read, threshold, banding(threshold))


def frame(*rows):
    table = [(f"r{i:03}", prompt_id, prompt, response, None) for i, (prompt_id, prompt, response) in enumerate(rows)]
    return pl.DataFrame(table, schema=dict.fromkeys(("row_id", "prompt_id", "prompt", "response", "reason"), pl.String), orient="row")


def slow_shingles(text):
    words, word = [], ""
    for character in unicodedata.normalize("NFKC", text).lower() + " ":
        if character.isalnum():
            word += character
            continue
        words += [word] if word else []
        words += [] if character.isspace() else [character]
        word = ""
    runs = {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
    return runs or ({tuple(words)} if words else set())


def slow_similarity(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


def slow_kept(texts, threshold):
    """For each text the first of its cluster, from all pairs."""
    sets, kept = [slow_shingles(text) for text in texts], list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        if slow_similarity(sets[i], sets[j]) >= threshold and kept[i] != kept[j]:
            low, high = sorted((kept[i], kept[j]))
            kept = [low if each == high else each for each in kept]
    return kept


def families(chance, number):
    """Texts in families: some words of a sentence are changed, again and again, so that copies hang together in chains too."""
    made = []
    for _ in range(number):
        words = [chance.choice("abcdefghijklmnop") + str(chance.randint(0, 40)) for _ in range(chance.randint(3, 60))]
        for _ in range(chance.randint(1, 5)):
            made.append(" ".join(words))
            for _ in range(chance.randint(0, 3)):
                words[chance.randrange(len(words))] = chance.choice(["+", "X", "é", "ﬁ", "new"])
    return chance.sample(made, len(made))


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.8, 0.9, 1.0])
def test_clusters_are_those_of_all_pairs(threshold):
    texts = families(random.Random(7), 150)
    kept = list(range(len(texts)))
    for copy in near(texts, threshold):
        kept[copy.text] = copy.kept
    assert kept == slow_kept(texts, threshold)
    assert len(set(kept)) < len(texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab1 +.é\n", max_size=24), max_size=8), st.sampled_from([0.2, 0.5, 0.75, 1.0]))
def test_every_copy_is_as_near_as_it_says_and_hangs_together_with_the_one_that_stays(texts, threshold):
    found = near(texts, threshold)
    copies = {copy.text: copy for copy in found}
    assert len(copies) == len(found)
    for copy in found:
        a, b = slow_shingles(texts[copy.text]), slow_shingles(texts[copy.like])
        assert (copy.shared, copy.of) == (len(a & b), len(a | b)) and copy.shared / copy.of >= threshold
        steps = [copy.text]
        while steps[-1] in copies:
            steps.append(copies[steps[-1]].like)
        assert steps[-1] == copy.kept == min(steps) and copy.kept not in copies


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("size", [20, 400])
def test_pairs_just_at_the_threshold_are_proposed_as_often_as_is_said(threshold, size):
    chance, pairs, made = np.random.default_rng(3), 4000, banding(threshold)
    together = round(threshold * size)
    hashes = chance.integers(0, 2**64, (pairs, size), dtype=np.uint64)
    half = (size - together) // 2
    left, right = hashes[:, : together + half], np.delete(hashes, np.s_[together : together + half], axis=1)
    keys = [bands(np.ravel(side), np.arange(pairs + 1) * side.shape[1], made) for side in (left, right)]
    seen = (keys[0] == keys[1]).any(axis=1).sum()
    assert made.recall >= 0.99
    assert abs(seen - pairs * made.recall) <= 4 * math.sqrt(pairs * made.recall * (1 - made.recall)) + 1


def test_bands_see_what_their_formula_says():
    assert (banding(0.8).bands, banding(0.8).width) == (21, 6)
    assert banding(0.8).recall == pytest.approx(1 - (1 - 0.8**6) ** 21)
    assert banding(1.0).recall == 1.0
    assert all(banding(t / 100).recall >= 0.99 for t in range(1, 101))
    assert banding(0.001).recall < 0.99, "a threshold where nothing helps says so"


def test_all_responses_of_the_smallest_prompt_id_stay():
    rows = frame(("q", "What is 2 + 3?", "5"), ("p", "What is 2 + 3?", "five"), ("p", "What is 2 + 3?", "cinq"), ("s", "Else", "x"))
    notices = []
    found, counts = dedup(stage("exact"), rows, notices.append)
    assert found["reason"].to_list() == ["dedup by exact of prompt: the same text as prompt p", None, None, None]
    assert (counts["compared"], counts["clusters"], counts["copies"], counts["rows"]) == (3, 1, 1, 1)
    assert notices == [Notice("dedup", "1 of 3 prompts are copies: 1 rows dropped")]


def test_exact_is_exact():
    rows = frame(("p", "What is 2 + 3?", ""), ("q", "what is 2 + 3?", ""), ("r", "What is 2 + 3? ", ""))
    assert dedup(stage("exact"), rows, ignore)[0]["reason"].null_count() == 3


def test_equal_responses_of_several_teachers_and_prompts_are_one():
    rows = frame(("p", "x", "It is 4."), ("p", "x", "It is 4."), ("q", "y", "It is 4."), ("q", "y", "It is 5."))
    said = "dedup by exact of response: the same response as row r000"
    assert dedup(stage("exact", "response"), rows, ignore)[0]["reason"].to_list() == [None, said, said, None]


def test_a_sign_is_a_word_of_its_own():
    rows = frame(("p", "Compute 12 + 7 - 3 * 2 now", ""), ("q", "Compute 12 - 7 + 3 * 2 now", ""), ("r", "compute 12+7-3*2  NOW", ""))
    reasons = dedup(stage(threshold=0.8), rows, ignore)[0]["reason"].to_list()
    assert reasons == [None, None, "dedup by minhash of prompt: similarity 1.000 to prompt p"]


def test_what_hangs_together_through_another_says_through_which():
    words = [f"w{i}" for i in range(44)]
    first, second, third = words[:40], words[2:42], words[4:44]
    rows = frame(("a", " ".join(first), "1"), ("b", " ".join(second), "2"), ("c", " ".join(third), "3"), ("d", " ".join(third), "4"))
    found, counts = dedup(stage(threshold=0.85), rows, ignore)
    assert found["reason"].to_list() == [
        None,
        "dedup by minhash of prompt: similarity 0.894 to prompt a",
        "dedup by minhash of prompt: similarity 0.894 to prompt b, a copy of prompt a",
        "dedup by minhash of prompt: the same text as prompt c, a copy of prompt a",
    ]
    assert (counts["clusters"], counts["copies"], counts["equal"], counts["rows"]) == (1, 3, 1, 3)


def test_rows_that_are_already_out_keep_their_reason_and_nothing_is_a_copy_of_them():
    rows = frame(("p", "same", "a"), ("q", "same", "b"), ("q", "same", "c")).with_columns(reason=pl.Series(["scan: gone", None, None]))
    assert dedup(stage("exact"), rows, ignore)[0]["reason"].to_list() == ["scan: gone", None, None]


@pytest.mark.parametrize("method", ["exact", "minhash"])
@pytest.mark.parametrize("of", ["prompt", "response"])
def test_what_drops_depends_on_no_order_and_no_slices(method, of, monkeypatch):
    chance = random.Random(5)
    texts = families(chance, 60)
    rows = frame(*((f"p{i % 97}", texts[i % 97], texts[-i - 1]) for i in range(len(texts))))
    once = dedup(stage(method, of, 0.6), rows, ignore)
    assert once[0]["reason"].null_count() < rows.height
    for size in (1, 300, 5000):
        monkeypatch.setattr(words_module, "SLICE", size)
        monkeypatch.setattr(read_texts, "SLICE", size // 40 or 1)
        again = dedup(stage(method, of, 0.6), rows.sample(fraction=1, shuffle=True, seed=size), ignore)
        assert again[0].equals(once[0]) and again[1] == once[1]


def boilerplate(chance, number, own=20, edits=0):
    """Texts with a hundred words in common, some of which are other words in each, and some words of their own."""
    made = []
    for _ in range(number):
        words = [f"w{i}" for i in range(100)] + [f"own{chance.random()}" for _ in range(own)]
        for _ in range(edits):
            words[chance.randrange(100)] = f"x{chance.random()}"
        made.append(" ".join(words).replace(".", ""))
    return made


def kinds(chance):
    """Big buckets of every kind: a boilerplate, two of them, edited copies, and templates with a few numbers."""
    yield boilerplate(chance, 150)
    yield [f"{'other ' * (i % 2)}{text}" for i, text in enumerate(boilerplate(chance, 200, own=5))]
    yield boilerplate(chance, 150, own=0, edits=2)
    yield [" ".join(f"{w}{chance.choice([3, 7]) if w == 'n' else ''}" for w in "abcnefghijnlm") for _ in range(120)] * 2


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 0.9])
def test_a_big_bucket_is_compared_otherwise_with_the_same_result(threshold, monkeypatch):
    for texts in kinds(random.Random(int(10 * threshold))):
        monkeypatch.setattr(shingles, "MANY", 64)
        found = near(texts, threshold)
        monkeypatch.setattr(shingles, "MANY", 10**9)
        assert near(texts, threshold) == found
        kept = list(range(len(texts)))
        for copy in found:
            kept[copy.text] = copy.kept
        assert kept == slow_kept(texts, threshold)


@pytest.mark.parametrize(
    ("texts", "threshold", "copies"),
    [
        ([" ".join(["the same long words of one and the same sentence again"] * 3) + " " * i for i in range(800)], 0.8, 799),
        (boilerplate(random.Random(1), 800, own=0, edits=1), 0.7, 799),
        (boilerplate(random.Random(2), 800), 0.8, 0),
        ([*boilerplate(random.Random(3), 800), *(f"other {text}" for text in boilerplate(random.Random(3), 800))], 0.8, 800),
    ],
    ids=["equal", "edited", "boilerplate", "boilerplate of copies"],
)
def test_a_big_bucket_takes_no_comparison_of_all_pairs_shingle_by_shingle(texts, threshold, copies, monkeypatch):
    gone = []
    marked, common = shingles.Comparison._marked, shingles._Group.common

    def counted(self, text, others, sizes):
        gone.append(int(sizes.sum()))
        return marked(self, text, others, sizes)

    def through(self, text):
        gone.append(self.cost(text))
        return common(self, text)

    monkeypatch.setattr(shingles.Comparison, "_marked", counted)
    monkeypatch.setattr(shingles._Group, "common", through)
    assert len(near(texts, threshold)) == copies
    assert sum(gone) < len(texts) ** 2, "all pairs, shingle by shingle, would be some fifty times as much"


def test_nothing_is_a_copy_among_no_texts():
    assert near([], 0.8) == [] and near(["one"], 0.8) == []
    assert near(["one two three four five six", "one two three four five six "], 1.0) == [Copy(1, 0, 0, 2, 2)]


def test_no_rows_at_all():
    for method in ("exact", "minhash"):
        found, counts = dedup(stage(method), frame(), ignore)
        assert found.height == 0 and counts["copies"] == 0

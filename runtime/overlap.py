"""Which texts share an n-gram of words with which of some known texts. Knows words and places; nothing of rows, files or stages.

The n-grams of the known texts are a sorted array of hashes. A text's n-grams are looked up by their hashes, all at once;
what is found there is compared word by word before it counts, so that no hash decides. A text with fewer than n words, on
either side, only overlaps with a text of the very same words; one without any word overlaps with none.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .words import Words, phrases, read_words, slices

_TABLE = (16, 24)
"""A table of 2^16 to 2^24 marks, 32 or so for each n-gram that is known, tells most n-grams apart before any search."""


@dataclass(frozen=True, slots=True)
class Known:
    """The n-grams of some texts. `parts` are these texts in slices, whose first words are the `bases`; `hashes` (uint64, sorted) are those of their n-grams,
    and the one of `hashes[i]` begins with word `at[i]`, counted over all parts, of text `texts[i]` (equal hashes: in the order of the texts). `marks` has
    a mark where a hash begins like one of these. `short` are the texts of fewer than `size` words."""

    size: int
    parts: tuple[Words, ...]
    bases: list[int]
    hashes: np.ndarray
    at: np.ndarray
    texts: np.ndarray
    marks: np.ndarray
    short: dict[bytes, int]

    def phrase(self, i: int) -> bytes:
        """The words of n-gram number `i`."""
        place = int(self.at[i])
        part = bisect_right(self.bases, place) - 1
        return self.parts[part].phrase(place - self.bases[part], place - self.bases[part] + self.size)


@dataclass(frozen=True, slots=True)
class Shared:
    """What text number `text` shares with the known text number `known`: an n-gram, or all its words where it is `whole`."""

    text: int
    known: int
    words: str
    whole: bool


def know(texts: Sequence[str], size: int) -> Known:
    """The n-grams, of `size` words, of these texts."""
    parts, bases, hashes, at, owners = [], [0], [], [], []
    short: dict[bytes, int] = {}
    for number, part in slices(pl.Series(texts, dtype=pl.String)):
        words = read_words(part)
        for i in _short(words, size):
            short.setdefault(words.phrase(*words.first[i : i + 2]), number + i)
        found = phrases(words.hashes, size)
        inside = np.flatnonzero(_within(words, np.arange(len(found)), size))
        parts.append(words)
        owners.append(words.owners(inside) + number)
        hashes.append(found[inside])
        at.append(inside + bases[-1])
        bases.append(bases[-1] + len(words.hashes))
    every = np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64)
    order = np.argsort(every, kind="stable")
    places, whose = (np.concatenate(each)[order] if each else np.zeros(0, dtype=np.int64) for each in (at, owners))
    bits = min(max((32 * max(1, len(every)) - 1).bit_length(), _TABLE[0]), _TABLE[1])
    marks = np.zeros(1 << bits, dtype=bool)
    marks[(every >> np.uint64(64 - bits)).astype(np.int64)] = True
    return Known(size, tuple(parts), bases, every[order], places, whose, marks, short)


def overlaps(texts: pl.Series, known: Known) -> list[Shared]:
    """For each text that overlaps with a known one, in order, the first n-gram of it that is known, and the first text that knows it."""
    found: list[Shared] = []
    for number, part in slices(texts):
        words = read_words(part)
        here = [*_equal(words, known), *_common(words, known)]
        found.extend(Shared(number + each.text, each.known, each.words, each.whole) for each in sorted(here, key=lambda each: each.text))
    return found


def _equal(words: Words, known: Known) -> list[Shared]:
    if not known.short:
        return []
    said = ((i, words.phrase(*words.first[i : i + 2])) for i in _short(words, known.size))
    return [Shared(i, known.short[phrase], phrase.decode(), True) for i, phrase in said if phrase in known.short]


def _common(words: Words, known: Known) -> list[Shared]:
    hashes = phrases(words.hashes, known.size)
    bits = len(known.marks).bit_length() - 1
    places = np.flatnonzero(known.marks[(hashes >> np.uint64(64 - bits)).astype(np.int64)])
    places = places[_within(words, places, known.size)]
    at = np.searchsorted(known.hashes, hashes[places])
    at[at == len(known.hashes)] = 0
    hit = known.hashes[at] == hashes[places] if len(known.hashes) else np.zeros(len(at), dtype=bool)
    places, at = places[hit], at[hit]
    found: list[Shared] = []
    owners = words.owners(places)
    sure = -1
    for place, text, start in zip(places.tolist(), owners.tolist(), at.tolist(), strict=True):
        if text == sure:
            continue
        shared = _verified(words.phrase(place, place + known.size), int(hashes[place]), start, known)
        if shared is not None:
            found.append(Shared(text, shared[1], shared[0].decode(), False))
            sure = text
    return found


def _verified(phrase: bytes, hashed: int, start: int, known: Known) -> tuple[bytes, int] | None:
    """The first known n-gram from `start` on that has this hash and these words."""
    while start < len(known.hashes) and int(known.hashes[start]) == hashed:
        if known.phrase(start) == phrase:
            return phrase, int(known.texts[start])
        start += 1
    return None


def _within(words: Words, places: np.ndarray, size: int) -> np.ndarray:
    """bool: whether the n-grams that begin with these words end in the same text."""
    return places + size <= words.first[words.owners(places) + 1]


def _short(words: Words, size: int) -> list[int]:
    counts = words.counts()
    return np.flatnonzero((counts > 0) & (counts < size)).tolist()

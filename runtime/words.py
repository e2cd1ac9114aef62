"""Texts as words: where each stands in a buffer of bytes, and a hash of it. Knows nothing of rows, benchmarks or copies.

Words are the lower-cased runs of letters and digits after NFKC; with `signs`, every other character that is not white
space is a word of its own. Plain ASCII goes through byte tables and array sums; in a text with anything else
Python's own Unicode tables part the words beyond ASCII first. Equal words have equal hashes; unequal ones
nearly always differ, so whoever must be sure compares the words.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import polars as pl

SLICE = 1 << 20
"""So many bytes of text are worked on at a time: a word needs some 30 bytes of arrays for each of its letters."""

_OUTSIDE = re.compile(r"[^\w\x00-\x7f]+")
_SIGN = re.compile(r"([^\w\s\x00-\x7f])")
_GAP = re.compile(r"[^\S\x00-\x7f]+")
_SPACE = 32
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_STEP = 0xD6E8FEB86659FD93
_WRAP = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts. `starts`, `ends` (int64[words]) are their places in `buffer`, `hashes` (uint64[words]) theirs, and the words of text i
    are `first[i]` to `first[i + 1]` (int64[texts + 1])."""

    buffer: bytes
    starts: np.ndarray
    ends: np.ndarray
    hashes: np.ndarray
    first: np.ndarray

    def phrase(self, start: int, stop: int) -> bytes:
        """The words `start` to `stop`, joined by spaces."""
        if stop <= start:
            return b""
        return b" ".join(self.buffer[self.starts[start] : self.ends[stop - 1]].split())

    def counts(self) -> np.ndarray:
        """int64[texts]: how many words each text has."""
        return np.diff(self.first)

    def owners(self, places: np.ndarray) -> np.ndarray:
        """int64: the text of each word, by its place among all words."""
        return np.searchsorted(self.first, places, side="right") - 1


def read_words(texts: Sequence[str], *, signs: bool = False) -> Words:
    """The words of all the texts. It takes some 30 bytes for each byte of text: give it a slice at a time (`slices`)."""
    # A character for each byte: what is joined once and encoded once.
    plain = [text if text.isascii() else _spaced(text, signs).encode().decode("latin-1") for text in texts]
    buffer = ("\n".join(plain) + "\n").encode("latin-1").translate(_LETTERS[signs])
    letters = np.frombuffer(buffer, dtype=np.uint8)
    starts, ends = _bounds(letters, buffer, signs)
    stops = np.cumsum(np.fromiter(map(len, plain), dtype=np.int64, count=len(plain)) + 1)
    first = np.searchsorted(starts, np.concatenate(([0], stops)))
    return Words(buffer, starts, ends, _hashes(letters, starts), first)


def slices(texts: pl.Series) -> Iterator[tuple[int, list[str]]]:
    """The texts in runs of about `SLICE` bytes, each with the number of its first text."""
    sizes = texts.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy()
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // SLICE)) + 1
    bounds = [0, *cuts.tolist(), len(texts)]
    for start, stop in pairwise(bounds):
        if stop > start:
            yield start, texts.slice(start, stop - start).to_list()


def phrases(hashes: np.ndarray, size: int) -> np.ndarray:
    """uint64[words - size + 1]: a hash of each run of `size` words, whatever text they are of."""
    if len(hashes) < size:
        return np.zeros(0, dtype=np.uint64)
    found: np.ndarray | None = None
    have, block, span, step, left = 0, hashes, 1, _STEP, size
    while left:
        if left & 1:
            found = block if found is None else found[: len(block) - have] * np.uint64(step) + block[have:]
            have += span
        left >>= 1
        if left:
            block = block[:-span] * np.uint64(step) + block[span:]
            span, step = 2 * span, step * step & _WRAP
    assert found is not None
    return found


def _spaced(text: str, signs: bool) -> str:
    """The text after NFKC in lower case, with spaces for, or around, what is no letter or digit beyond ASCII: the tables do the rest."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return _GAP.sub(" ", _SIGN.sub(r" \1 ", folded)) if signs else _OUTSIDE.sub(" ", folded)


def _table(signs: bool) -> bytes:
    """What each byte counts as: lower case for a letter, itself for a digit or a part of another alphabet's letter, else a space, or itself where signs count."""
    kept = [chr(i).lower().encode() if chr(i).isalnum() else bytes([i]) if signs and not chr(i).isspace() else b" " for i in range(128)]
    return b"".join(kept) + bytes(range(128, 256))


_LETTERS = {False: _table(False), True: _table(True)}
_SIGNS = np.array([i < 128 and not chr(i).isalnum() and not chr(i).isspace() for i in range(256)])


def _bounds(letters: np.ndarray, buffer: bytes, signs: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where words begin and end. The last byte is a space."""
    sign = _SIGNS[letters] if signs else None
    inside = (letters != _SPACE) if sign is None else (letters != _SPACE) & ~sign
    change = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    edges = np.concatenate(([0], change)) if len(inside) and inside[0] else change
    starts, ends = edges[0::2], edges[1::2]
    if sign is None:
        return starts, ends
    alone = np.flatnonzero(sign)
    order = np.argsort(np.concatenate((starts, alone)), kind="stable")
    return np.concatenate((starts, alone))[order], np.concatenate((ends, alone + 1))[order]


def _hashes(letters: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """uint64[words]: the polynomial of a word's bytes, which only its last bits make weak, mixed."""
    if not len(starts):
        return np.zeros(0, dtype=np.uint64)
    powers, inverses = _powers(1 << (len(letters) - 1).bit_length())
    terms = (letters - np.uint8(_SPACE)).astype(np.uint64)
    terms *= powers[: len(terms)]
    found = np.add.reduceat(terms, starts)
    found *= inverses[starts]
    found ^= found >> np.uint64(32)
    found *= _FACTOR
    found ^= found >> np.uint64(29)
    return found


@lru_cache(maxsize=2)
def _powers(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The powers of the factor and of its inverse, modulo 2^64."""
    return tuple(np.concatenate(([np.uint64(1)], np.cumprod(np.full(size - 1, f, dtype=np.uint64)))) for f in (_FACTOR, _INVERSE))  # type: ignore[return-value]

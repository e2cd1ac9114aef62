"""Times near-copies of prompts against the loop that scripts have for it: NumPy permutations per text, bands in dicts, union-find,
nothing verified; and against datasketch's MinHashLSH where that is installed. One after the other; ours reads the prompts from a file, some at a time.

Usage: python benchmarks/bench_dedup.py [DATA_FOLDER [PROMPTS [HARD]]]; the folder holds teachers.parquet (default: $MIXC_SHARED, or
../shared/data). PROMPTS (default 100,000) are made of the real ones: runs of words of two of them mixed, and for one in five a copy with a few words changed.
The loops see the first tenth, and their times are multiplied by ten. Then the worst there is, HARD (default 20,000) prompts that all share their buckets: near-copies of
one text, a boilerplate of 100 words with words of their own behind it, and texts in which so many words were changed that few are near enough.
"""

import hashlib
import importlib.util
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mixc.compiler.plan.stages import Dedup
from mixc.runtime.signatures import banding
from prompts import SPAN, WHOLE, measured, mixtures, real_prompts, write

THRESHOLD = 0.8
PART = 10
TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
PRIME = np.uint64((1 << 61) - 1)


def made(prompts: list[str], number: int) -> list[str]:
    """`number` prompts, each fifth a copy of one before it with up to three words changed."""
    chance = random.Random(7)
    mixed = mixtures(prompts, chance)
    found: list[str] = []
    while len(found) < number:
        if len(found) % 5 == 4:
            copy = found[chance.randrange(len(found))].split(" ")
            for _ in range(chance.randint(0, 3)):
                copy[chance.randrange(len(copy))] = "other"
            found.append(" ".join(copy))
        else:
            found.append(next(mixed))
    return found


def hard(number: int) -> Iterator[tuple[str, list[str]]]:
    """Prompts that all share their buckets: how they do, and they."""
    for name, changed, own in (("near-copies of one text", 1, 0), ("a boilerplate", 0, 18), ("many words changed", 3, 0)):
        chance = random.Random(7)
        found = []
        for i in range(number):
            words = [f"word{k}" for k in range(100)]
            for _ in range(changed):
                words[chance.randrange(100)] = f"changed{chance.randrange(10**9)}"
            found.append(" ".join([*words, *(f"own{i}x{k}" for k in range(own))]))
        yield name, found


def shingles(text: str) -> set[str]:
    """Runs of 5 words; a shorter text is one."""
    words = TOKEN.findall(text.lower())
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def by_loop(texts: list[str]) -> int:
    """How many texts go, by 128 permutations of each text's hashes and the same bands as ours."""
    bands = banding(THRESHOLD)
    chance = np.random.default_rng(1)
    a, b = chance.integers(1, 1 << 61, (2, 128), dtype=np.uint64)
    tables: list[dict[bytes, int]] = [{} for _ in range(bands.bands)]
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, text in enumerate(texts):
        hashes = np.array([int.from_bytes(hashlib.sha1(each.encode()).digest()[:4], "little") for each in shingles(text)], dtype=np.uint64)
        signature = ((np.outer(hashes, a) + b) % PRIME & np.uint64(0xFFFFFFFF)).min(axis=0).astype(np.uint32)
        for k, table in enumerate(tables):
            key = signature[k * bands.width : (k + 1) * bands.width].tobytes()
            other = table.setdefault(key, i)
            if other != i:
                x, y = sorted((root(i), root(other)))
                parent[y] = x
    return sum(root(i) != i for i in range(len(texts)))


def by_datasketch(texts: list[str]) -> int:
    """How many texts have a candidate before them, by `MinHash` and `MinHashLSH`."""
    from datasketch import MinHash, MinHashLSH  # pyright: ignore[reportMissingImports]

    bands = banding(THRESHOLD)
    index = MinHashLSH(num_perm=bands.bands * bands.width, params=(bands.bands, bands.width))
    gone = 0
    for i, text in enumerate(texts):
        signature = MinHash(num_perm=bands.bands * bands.width)
        signature.update_batch([each.encode() for each in shingles(text)])
        if index.query(signature):
            gone += 1
        index.insert(i, signature)
    return gone


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MIXC_SHARED", "../shared/data"))
    number, worst = (int(sys.argv[i]) if len(sys.argv) > i else usual for i, usual in ((2, 100_000), (3, 20_000)))
    prompts = made(real_prompts(folder), number)
    stage = Dedup(id="dedup", inputs=("scan",), method="minhash", of="prompt", threshold=THRESHOLD, text="dedup", span=SPAN)
    with tempfile.TemporaryDirectory() as place:
        path = write(prompts, Path(place) / "prompts.parquet")
        ours, whole = measured(stage, path), measured(stage, path, WHOLE)
        assert ours.dropped == whole.dropped, "the slices change what is found"
        print(
            f"{len(prompts):,} prompts of {sum(map(len, prompts)) / 1e6:,.0f} million characters: {ours.counts['copies']:,} copies, every pair verified, "
            f"recall at the threshold {ours.counts['recall']:.4f}; {ours.seconds:.2f} s, {ours.busy:.2f} s of CPU, {ours.memory / 1e6:,.0f} MB beside the rows' ids, "
            f"{whole.memory / 1e6:,.0f} MB with all prompts at once",
            flush=True,
        )
        part = prompts[: max(1, len(prompts) // PART)]
        same = measured(stage, write(part, path)).counts["copies"]
        loops = [("the loop", by_loop), *([("datasketch", by_datasketch)] if importlib.util.find_spec("datasketch") else [])]
        for name, loop in loops:
            began = time.perf_counter()
            gone = loop(part)
            theirs = (time.perf_counter() - began) * len(prompts) / len(part)
            print(f"{name}: {theirs:.1f} s by a tenth, {theirs / ours.seconds:.1f} times as long; of that tenth {gone:,} go unverified, {same:,} are copies", flush=True)
        for name, prompts in hard(worst):
            ours = measured(stage, write(prompts, path))
            print(
                f"{name}: {ours.counts['copies']:,} copies of {len(prompts):,} that all share their buckets; {ours.seconds:.2f} s, {ours.busy:.2f} s of CPU, "
                f"{ours.memory / 1e6:,.0f} MB beside the rows' ids",
                flush=True,
            )


if __name__ == "__main__":
    main()

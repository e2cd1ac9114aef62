"""Times near-copies of prompts against the loop that scripts have for it: NumPy permutations per text, bands in dicts, union-find,
nothing verified; and against datasketch's MinHashLSH where that is installed. One process, one after the other.

Usage: python benchmarks/bench_dedup.py [DATA_FOLDER [PROMPTS]]; the folder holds teachers.parquet (default: $MIXC_SHARED, or
../shared/data). PROMPTS (default 100,000) are made of the real ones: runs of words of two of them mixed, and for one in five a copy with a few words changed.
The loops see the first tenth, and their times are multiplied by ten.
"""

import hashlib
import importlib.util
import os
import random
import re
import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from mixc.compiler.plan.stages import Dedup
from mixc.compiler.source import Span
from mixc.runtime.dedup import dedup
from mixc.runtime.events import ignore
from mixc.runtime.signatures import banding

THRESHOLD = 0.8
PART = 10
TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
PRIME = np.uint64((1 << 61) - 1)


def made(prompts: list[str], number: int) -> list[str]:
    """`number` prompts, each fifth a copy of one before it with up to three words changed."""
    chance = random.Random(7)
    words = [prompt.split(" ") for prompt in prompts]
    found: list[str] = []
    while len(found) < number:
        if len(found) % 5 == 4:
            copy = found[chance.randrange(len(found))].split(" ")
            for _ in range(chance.randint(0, 3)):
                copy[chance.randrange(len(copy))] = "other"
            found.append(" ".join(copy))
            continue
        first, second = words[len(found) % len(words)], words[chance.randrange(len(words))]
        both = first + second[: len(first)]
        step = chance.randint(3, 12)
        runs = [both[k : k + step] for k in range(0, len(both), step)]
        chance.shuffle(runs)
        found.append(" ".join(word for run in runs[: max(1, len(runs) // 2)] for word in run))
    return found


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
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    real = pl.read_parquet(folder / "teachers.parquet", columns=["prompt_id", "prompt"]).unique("prompt_id").sort("prompt_id")["prompt"].to_list()
    prompts = made(real, number)
    ids = pl.int_range(len(prompts), eager=True).cast(pl.String).str.zfill(8)
    rows = pl.DataFrame({"row_id": ids, "prompt_id": ids, "prompt": prompts, "reason": pl.Series([None] * len(prompts), dtype=pl.String)})
    stage = Dedup(id="dedup", inputs=("scan",), method="minhash", of="prompt", threshold=THRESHOLD, text="dedup", span=Span("bench.mix", 0, 0))
    began, busy = time.perf_counter(), time.process_time()
    counts = dedup(stage, rows, ignore)[1]
    ours, busy = time.perf_counter() - began, time.process_time() - busy
    print(
        f"{len(prompts):,} prompts of {sum(map(len, prompts)) / 1e6:,.0f} million characters: {counts['copies']:,} copies, every pair verified, "
        f"recall at the threshold {counts['recall']:.4f}; {ours:.2f} s, {busy:.2f} s of CPU, peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB",
        flush=True,
    )
    part = prompts[: max(1, len(prompts) // PART)]
    same = dedup(stage, rows.head(len(part)), ignore)[1]["copies"]
    loops = [("the loop", by_loop), *([("datasketch", by_datasketch)] if importlib.util.find_spec("datasketch") else [])]
    for name, loop in loops:
        began = time.perf_counter()
        gone = loop(part)
        theirs = (time.perf_counter() - began) * len(prompts) / len(part)
        print(f"{name}: {theirs:.1f} s by a tenth, {theirs / ours:.1f} times as long; of that tenth {gone:,} go unverified, {same:,} are copies", flush=True)


if __name__ == "__main__":
    main()

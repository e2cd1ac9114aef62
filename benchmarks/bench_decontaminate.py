"""Times decontamination against what anyone would write first: a Python set of n-grams. Both in one process, on one thread
but for what Polars does, and the prompts that are found must be the same.

Usage: python benchmarks/bench_decontaminate.py [DATA_FOLDER [PROMPTS]]; the folder holds teachers.parquet and bench/ (default:
$MIXC_SHARED, or ../shared/data). The real prompts come first, then PROMPTS (default 1,000,000) made of them: a tenth as they are, the others with runs
of their words mixed. The set looks at every twentieth of those, and its time is multiplied.
"""

import json
import os
import random
import re
import resource
import sys
import time
import unicodedata
from pathlib import Path

import polars as pl
from mixc.compiler.plan.stages import Decontaminate
from mixc.compiler.source import Span
from mixc.runtime.decontaminate import decontaminate
from mixc.runtime.events import ignore

SIZE = 8
PART = 20
WORD = re.compile(r"[^\W_]+")


def by_set(prompts: list[str], paths: tuple[str, ...]) -> list[bool]:
    """Which prompts share an n-gram with a line of a benchmark: n-grams as texts, in a set."""
    grams: set[str] = set()
    short: set[str] = set()
    for line in (line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()):
        words = WORD.findall(unicodedata.normalize("NFKC", json.loads(line)["problem"]).lower())
        if len(words) < SIZE:
            short.add(" ".join(words))
        grams.update(" ".join(words[i : i + SIZE]) for i in range(len(words) - SIZE + 1))
    found = []
    for prompt in prompts:
        words = WORD.findall(unicodedata.normalize("NFKC", prompt).lower())
        if len(words) < SIZE:
            found.append(bool(words) and " ".join(words) in short)
        else:
            found.append(any(" ".join(words[i : i + SIZE]) in grams for i in range(len(words) - SIZE + 1)))
    return found


def made(prompts: list[str], number: int) -> list[str]:
    """`number` different prompts: one in ten a real one with its number behind it, the others runs of 3 to 12 words of two real ones, mixed."""
    chance = random.Random(7)
    words = [prompt.split(" ") for prompt in prompts]
    found = []
    for i in range(number):
        first = words[i % len(words)]
        if i % 10 == 0:
            found.append(f"{prompts[i % len(prompts)]} ({i})")
            continue
        second = words[chance.randrange(len(words))]
        both = first + second[: len(first)]
        step = chance.randint(3, 12)
        runs = [both[k : k + step] for k in range(0, len(both), step)]
        chance.shuffle(runs)
        found.append(" ".join(word for run in runs[: max(1, len(runs) // 2)] for word in run))
    return found


def stage(folder: Path) -> Decontaminate:
    files = tuple(str(path) for path in sorted((folder / "bench").glob("*.jsonl")))
    return Decontaminate(id="decontaminate", inputs=(), against=files, words=SIZE, text="decontaminate", span=Span("bench.mix", 0, 0))


def frame(prompts: list[str]) -> pl.DataFrame:
    ids = pl.int_range(len(prompts), eager=True).cast(pl.String).str.zfill(8)
    return pl.DataFrame({"row_id": ids, "prompt_id": ids, "prompt": prompts, "reason": pl.Series([None] * len(prompts), dtype=pl.String)})


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MIXC_SHARED", "../shared/data"))
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    real = pl.read_parquet(folder / "teachers.parquet", columns=["prompt_id", "prompt"]).unique("prompt_id").sort("prompt_id")["prompt"].to_list()
    paths = stage(folder).against
    for name, prompts, part in (("real prompts", real, 1), ("made prompts", made(real, number), PART)):
        rows = frame(prompts)
        began = time.perf_counter()
        reasons = decontaminate(stage(folder), rows, ignore)[0]["reason"]
        ours = time.perf_counter() - began
        looked = prompts[::part]
        began = time.perf_counter()
        found = by_set(looked, paths)
        theirs = time.perf_counter() - began
        assert (reasons.is_not_null().to_list())[::part] == found, "not the same prompts"
        if part > 1:
            began = time.perf_counter()
            by_set([], paths)
            index = time.perf_counter() - began
            theirs = index + (theirs - index) * len(prompts) / len(looked)
        size = sum(map(len, prompts)) / 1e6
        print(
            f"{name}: {len(prompts):,} of {size:,.0f} million characters, {reasons.count():,} contaminated; {ours:.2f} s "
            f"({size / ours:,.0f} million characters a second), a set of n-grams {theirs:.2f} s{' by a twentieth' if part > 1 else ''}: {theirs / ours:.1f} times as long; "
            f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    main()

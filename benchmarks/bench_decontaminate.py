"""Times decontamination against what anyone would write first: a Python set of n-grams. One after the other, and the prompts
that are found must be the same. Ours reads them from a file, some at a time; the set has them.

Usage: python benchmarks/bench_decontaminate.py [DATA_FOLDER [PROMPTS]]; the folder holds teachers.parquet and bench/ (default:
$MIXC_SHARED, or ../shared/data). The real prompts come first, then PROMPTS (default 1,000,000) made of them: a tenth as they are, the others with runs
of their words mixed. The set looks at every twentieth of those, and its time is multiplied. Memory is told beside that of reading all prompts at once.
"""

import json
import os
import random
import re
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

from mixc.compiler.plan.stages import Decontaminate
from prompts import SPAN, WHOLE, measured, mixtures, real_prompts, write

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
    """`number` different prompts: one in ten a real one with its number behind it, the others mixed."""
    mixed = mixtures(prompts, random.Random(7))
    return [f"{prompts[i % len(prompts)]} ({i})" if i % 10 == 0 else next(mixed) for i in range(number)]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MIXC_SHARED", "../shared/data"))
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    real = real_prompts(folder)
    paths = tuple(str(path) for path in sorted((folder / "bench").glob("*.jsonl")))
    stage = Decontaminate(id="decontaminate", inputs=(), against=paths, words=SIZE, text="decontaminate", span=SPAN)
    with tempfile.TemporaryDirectory() as place:
        for name, prompts, part in (("real prompts", real, 1), ("made prompts", made(real, number), PART)):
            path = write(prompts, Path(place) / "prompts.parquet")
            ours, whole = measured(stage, path), measured(stage, path, WHOLE)
            looked = prompts[::part]
            began = time.perf_counter()
            found = by_set(looked, paths)
            theirs = time.perf_counter() - began
            same = {f"{i * part:08}" for i, hit in enumerate(found) if hit}
            assert {each for each in ours.dropped if int(each) % part == 0} == same and whole.dropped == ours.dropped, "not the same prompts"
            if part > 1:
                began = time.perf_counter()
                by_set([], paths)
                index = time.perf_counter() - began
                theirs = index + (theirs - index) * len(prompts) / len(looked)
            size = sum(map(len, prompts)) / 1e6
            print(
                f"{name}: {len(prompts):,} of {size:,.0f} million characters, {len(ours.dropped):,} contaminated; {ours.seconds:.2f} s "
                f"({size / ours.seconds:,.0f} million characters a second), a set of n-grams {theirs:.2f} s{' by a twentieth' if part > 1 else ''}: "
                f"{theirs / ours.seconds:.1f} times as long; {ours.memory / 1e6:,.0f} MB beside the rows' ids, {whole.memory / 1e6:,.0f} MB with all prompts at once",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Prompts for the benchmarks of contamination and of copies, made of real ones; and a stage over a file of them, in a process of its own.

In its own process, because its memory is the peak while the stage runs less what the process held when it began.
"""

import random
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import polars as pl
from mixc.compiler.plan.stages import Decontaminate, Dedup, Roles, Scan
from mixc.compiler.source import Span
from mixc.runtime import read_texts
from mixc.runtime.datasets import narrow
from mixc.runtime.decontaminate import decontaminate
from mixc.runtime.dedup import dedup
from mixc.runtime.events import ignore
from mixc.runtime.texts import Texts

SPAN = Span("bench.mix", 0, 0)
WHOLE = 1 << 60
"""A slice of as many rows as there are: all texts at once."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a stage found: its counts and the prompt ids that it dropped; and its wall and CPU seconds, reading included, and peak memory in bytes."""

    counts: dict[str, object]
    dropped: set[str]
    seconds: float
    busy: float
    memory: int


def real_prompts(folder: Path) -> list[str]:
    """The prompts of `teachers.parquet`, by their ids."""
    return pl.read_parquet(folder / "teachers.parquet", columns=["prompt_id", "prompt"]).unique("prompt_id").sort("prompt_id")["prompt"].to_list()


def mixtures(prompts: list[str], chance: random.Random) -> Iterator[str]:
    """Without end, runs of 3 to 12 words of two real prompts, mixed: half as many words as the first has twice over."""
    words = [prompt.split(" ") for prompt in prompts]
    while True:
        for first in words:
            second = words[chance.randrange(len(words))]
            both = first + second[: len(first)]
            step = chance.randint(3, 12)
            runs = [both[k : k + step] for k in range(0, len(both), step)]
            chance.shuffle(runs)
            yield " ".join(word for run in runs[: max(1, len(runs) // 2)] for word in run)


def write(prompts: list[str], path: Path) -> Path:
    """The prompts as a corpus of one Parquet file, with their number as id and response."""
    ids = pl.int_range(len(prompts), eager=True).cast(pl.String).str.zfill(8)
    pl.DataFrame({"id": ids, "prompt": prompts, "response": ids}).write_parquet(path, row_group_size=50_000)
    return path


def measured(stage: Decontaminate | Dedup, path: Path, rows: int = read_texts.SLICE) -> Measured:
    """The stage over the prompts of `path`, of which it reads `rows` at a time."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, stage, path, rows).result()


def _measure(stage: Decontaminate | Dedup, path: Path, rows: int) -> Measured:
    read_texts.SLICE = rows
    read_texts.LONG = rows if rows == WHOLE else read_texts.LONG
    texts = Texts()
    frame = narrow(Scan(id="scan:c", corpus="c", path=str(path), roles=Roles(prompt="prompt", response="response", id="id"), seed=1, span=SPAN), (), texts, ignore)
    run = partial(decontaminate, stage) if isinstance(stage, Decontaminate) else partial(dedup, stage)
    run(frame.head(100), texts, ignore)  # what the first call of anything loads
    held = _memory("VmRSS")
    began, busy = time.perf_counter(), time.process_time()
    found, counts = run(frame, texts, ignore)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return Measured(counts, set(found.filter(pl.col("reason").is_not_null())["prompt_id"]), seconds, busy, _memory("VmHWM") - held)


def _memory(name: str) -> int:
    """`VmRSS`, held now, after which the peak is counted anew; or `VmHWM`, the peak. Where the system tells neither, the peak of the process."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if name == "VmHWM" else 0)
    if name == "VmRSS":
        Path("/proc/self/clear_refs").write_text("5")
    return next(int(line.split()[1]) << 10 for line in status.read_text().splitlines() if line.startswith(name))

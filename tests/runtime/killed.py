"""Scores 2,000 short responses with a tiny student in children that are killed; run as a program by test_killed_scoring.

The libraries are loaded once: each child is forked before anything has started a thread, and then does all that a run does.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from mixc.compiler.plan.stages import Model, Score
from mixc.compiler.source import Span
from mixc.runtime import score as module
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Progress
from mixc.runtime.identity import row_ids
from mixc.runtime.store import Store
from mixc.tests.runtime.frames import score

RESPONSES = 2_000
SPAN = Span("spec.mix", 0, 1)
WORDS = ("We", "add", "12", "and", "30", "then", "halve", "it.", "So", "the", "answer", "is", "21.", "Wait!", "No?", "x = 5.\n")
# A run of hours keeps a shard a second; this one lasts seconds.
SHARD_SECONDS = 0.05


def corpus() -> pl.DataFrame:
    """2,000 different responses of 2 to 14 words to 250 prompts."""
    chance = random.Random(11)
    texts = [f"{' '.join(chance.choices(WORDS, k=chance.randrange(2, 14)))} {i}." for i in range(RESPONSES)]
    rows = pl.DataFrame({"prompt": [f"What is {i % 250} + 2?" for i in range(RESPONSES)], "response": texts})
    rows = rows.with_columns(teacher_value=pl.lit("t"), reason=pl.lit(None, pl.String))
    return rows.with_columns(row_ids(rows))


def stage(model: Path) -> Score:
    student = Model(student="s", model=str(model), folder="", dtype="fp32", span=SPAN)
    return Score(
        id="score:n", inputs=("scan:c",), name="n", scorer="local_logprob", version=1, type="number", unit="nats", span=SPAN, model=student,
        arguments=(("window_steps", 1), ("window_percent", None), ("split", "sentence"), ("debias", "none")),
    )  # fmt: skip


def child(work: Callable[[Callable[[Event], None]], object]) -> tuple[int, int]:
    """Fork `work`; its process, and a pipe that has one byte for each word of progress."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        return process, read
    code = 1
    try:
        work(lambda event: os.write(write, b".") if isinstance(event, Progress) else None)
        code = 0
    finally:
        os._exit(code)


def main(model: Path, root: Path, kills: int) -> None:
    """A run that is let through, then one that is killed `kills` times; what happened goes to stdout as JSON."""
    module.SHARD_SECONDS = SHARD_SECONDS
    students = Students()
    asked = stage(model)
    students.engine(asked.model)

    def run(store: Path) -> Callable[[Callable[[Event], None]], object]:
        return lambda watch: score(asked, corpus(), Context(Store(store), students, watch))

    began = time.monotonic()
    process, pipe = child(run(root / "through"))
    words = 0
    while heard := os.read(pipe, 4096):
        words += len(heard)
    ended = [os.waitpid(process, 0)[1]]
    chance = random.Random(7)
    pause = (time.monotonic() - began) / words
    kept = []
    for _ in range(kills):
        process, pipe = child(run(root / "killed"))
        for _ in range(chance.randrange(2, 2 * words // (kills + 1))):
            os.read(pipe, 1)
        time.sleep(chance.random() * 2 * pause)
        os.kill(process, signal.SIGKILL)
        ended.append(os.waitpid(process, 0)[1])
        os.close(pipe)
        kept.append(sum(1 for _ in (root / "killed").glob("scores/*/*.parquet")))
    process, pipe = child(run(root / "killed"))
    while os.read(pipe, 4096):
        pass
    ended.append(os.waitpid(process, 0)[1])
    print(json.dumps({"ended": ended, "kept": kept}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

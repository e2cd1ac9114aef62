"""Processes that append to one shelf, tidy it and are killed at it; run as a program by test_hammered_store.

Children are forked from a process that has loaded Polars and not used it, so that each costs no start.
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
from mixc.runtime import merge
from mixc.runtime.store import Store
from mixc.runtime.tidy import tidy

SCHEMA: dict[str, pl.DataType] = {"v": pl.Float64(), "bulk": pl.String()}
SHARDS = 40
PAUSE = 0.005  # seconds: as long as one or two shards take
merge.MANY = 3


def child(work: Callable[[Callable[[int], object]], object]) -> tuple[int, int]:
    """Fork `work`, which tells numbers; its process, and the pipe that they come through."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        return process, read
    code = 1
    try:
        work(lambda number: os.write(write, f"{number}\n".encode()))
        code = 0
    finally:
        os._exit(code)


def heard(pipe: int) -> list[int]:
    text = listen(pipe)
    os.close(pipe)
    return [int(line) for line in text.split()]


def listen(pipe: int, most: float = float("inf")) -> bytes:
    """What comes through the pipe until `most` numbers have, or to its end."""
    text = b""
    while text.count(b"\n") < most and (more := os.read(pipe, 1 if most < float("inf") else 65536)):
        text += more
    return text


def append(root: Path, who: str, tell: Callable[[int], object], pause: float = 0.0) -> None:
    """Shards of two rows, `pause` seconds apart: one of ours alone, one that every process has with the same value."""
    shelf = Store(root).shelf("ab", {"scorer": "x"})
    for number in range(SHARDS):
        rows = pl.DataFrame({"key": [f"{who}-{number}", f"all-{number}"], "v": [float(number), float(number)]})
        bulk = random.Random(number).randbytes(20_000).hex()  # writing it takes a moment, in which one can be killed
        shelf.append(rows.with_columns(bulk=pl.lit(bulk)), {"engine": who[0]})
        tell(number)
        time.sleep(pause)


def killed(root: Path, kills: int) -> dict[str, object]:
    """Every process is killed at a moment of its own while it works: so many shards after its start, and then anywhere in the next ones."""
    chance = random.Random(3)
    told: dict[str, list[int]] = {}
    ended = []
    for index in range(kills):
        process, pipe = child(lambda tell, who=f"p{index}": append(root, who, tell))
        before = listen(pipe, chance.randrange(SHARDS))
        time.sleep(chance.random() * PAUSE)
        os.kill(process, signal.SIGKILL)
        ended.append(os.waitpid(process, 0)[1])
        told[f"p{index}"] = [*map(int, before.split()), *heard(pipe)]
    return {"told": told, "ended": ended, "left": len(list(root.glob("scores/ab/.mixc-tmp-*")))}


def tidied(root: Path, writers: int) -> dict[str, object]:
    """All append at once while one tidies and one reads: what the reader lacked of what had been told before it read."""
    pipes = [child(lambda tell, who=f"w{index}": append(root, who, tell, 0.05)) for index in range(writers)]
    stop = root.parent / "stop"

    def tidy_on(tell: Callable[[int], object]) -> None:
        while not stop.exists():
            tell(sum(step.kind == "shards" and step.stays is None for step in tidy(Store(root), act=True)))

    def read_on(tell: Callable[[int], object]) -> None:
        shelf, before = Store(root).shelf("ab", {"scorer": "x"}), set()
        while not stop.exists():
            said: list[str] = []
            now = set(shelf.load(schema=SCHEMA, say=said.append)["key"])
            tell(len(before - now) + len(said))
            before = now

    gc, reader = child(tidy_on), child(read_on)
    told = {f"w{index}": heard(pipe) for index, (_, pipe) in enumerate(pipes)}
    stop.touch()
    merges, lost = heard(gc[1]), heard(reader[1])
    ended = [os.waitpid(process, 0)[1] for process, _ in (*pipes, gc, reader)]
    return {"told": told, "ended": ended, "merges": sum(merges), "reads": len(lost), "lost": sum(lost)}


if __name__ == "__main__":
    print(json.dumps({"killed": killed, "tidied": tidied}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))))

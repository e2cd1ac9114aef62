"""How fast models have read on this machine, remembered in the store: a line a scoring, so that a plan can tell how long one takes."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .events import Passed
from .files import append_line, read_lines

FILE = "rates.jsonl"
LAST = 9  # the runs that a median is over: an old driver or a busy week is forgotten
LEAST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Rate:
    """`tokens` a second, the median of `runs` runs on `device`."""

    tokens: float
    runs: int
    device: str


def remember(root: Path, passed: Passed) -> None:
    """Add one measurement to the store at `root`. Fault MIX0508."""
    if not passed.tokens or passed.seconds < LEAST_SECONDS:
        return
    kept = {k: v for k, v in asdict(passed).items() if k not in ("stage", "student")}
    append_line(root / FILE, json.dumps(kept, sort_keys=True))


def rate(root: Path, weights: str, dtype: str, what: str = "read", engine: str | None = None) -> Rate | None:
    """The rate of these weights in this dtype at that kind of work, on the device that did it last, by `engine` or the one that did; None if none has."""
    runs = [r for r in _read(root / FILE) if (r["weights"], r["dtype"], r["what"]) == (weights, dtype, what) and engine in (None, r["engine"])]
    if not runs:
        return None
    last = runs[-1]
    alike = [r for r in runs if (r["engine"], r["device"]) == (last["engine"], last["device"])][-LAST:]
    return Rate(median(r["tokens"] / r["seconds"] for r in alike), len(alike), last["device"])


def _read(path: Path) -> Iterator[dict]:
    """The measurements in their order."""
    for line in read_lines(path):
        numbers = all(isinstance(line.get(name), int | float) for name in ("tokens", "seconds"))
        if numbers and line["tokens"] > 0 and line["seconds"] > 0 and {"weights", "dtype", "engine", "device", "what"} <= line.keys():
            yield line

"""How far scores in a short number format are from float32: measured once for a model on a device, on windows of a real scoring, and kept.

One line a measurement in the store, beside the rates.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .. import __version__
from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Model
from .context import Context
from .engines.base import Engine, Reading, Window
from .engines.load import parameters
from .engines.memory import free_bytes, is_out_of_memory
from .events import Deviated, Notice
from .files import append_line, read_lines

FILE = "precision.jsonl"
NUMBERS = ("windows", "tokens", "token_mean", "token_most", "window_mean", "window_most")
# The sample: so many windows, spread over their lengths, and no more tokens than a few seconds of a processor.
WINDOWS, TOKENS = 12, 3_000
# Loading needs more than the weights themselves.
ROOM = 1.5


def deviation(stage: str, model: Model, context: Context, engine: Engine, readings: Mapping[Window, Reading]) -> Deviated | None:
    """The deviation of `engine`'s log-probabilities from those of float32 weights: from the store, or measured on some of `readings` and kept.

    None for float32 itself, where no window is at hand, and where float32 weights do not fit in memory.
    """
    if model.dtype == "fp32" or not readings:
        return None
    known = {
        "mixc": __version__, "dtype": model.dtype, "engine": engine.name, "device": engine.device, **context.students.files(model).digests,
    }  # fmt: skip
    found = _recall(context.store.root / FILE, known)
    if found is None:
        if not _fits(model, context):
            return None
        few = sample(list(readings))
        try:
            exact = dict(context.students.exact(model).read(few))
            found = apart([(readings[window].logprob, exact[i].logprob) for i, window in enumerate(few)])
            append_line(context.store.root / FILE, json.dumps(known | found, sort_keys=True))
        except Fault as fault:  # the scores are there; how far they are from float32 is not worth their loss
            context.watch(Notice(stage, f"how far `{model.dtype}` is from float32 could not be measured: {fault.diagnostics[0].message}"))
            return None
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            context.watch(Notice(stage, f"how far `{model.dtype}` is from float32 could not be measured: float32 does not fit in memory"))
            return None
    return Deviated(stage=stage, student=model.student, dtype=model.dtype, engine=engine.name, device=engine.device, **found)  # type: ignore[arg-type]


def recalled(stage: str, model: Model, context: Context) -> list[Deviated]:
    """What was measured of the model's scores, whichever engine and device made them, where none is made in this run."""
    if model.dtype == "fp32":
        return []
    known = {"mixc": __version__, "dtype": model.dtype, **context.students.files(model).digests}
    latest: dict[tuple[str, str], Deviated] = {}
    for line in _lines(context.store.root / FILE, known):
        numbers = {name: line[name] for name in NUMBERS}
        one = Deviated(stage=stage, student=model.student, dtype=model.dtype, engine=line["engine"], device=line["device"], **numbers)
        latest[one.engine, one.device] = one
    return [latest[key] for key in sorted(latest)]


def sample(windows: Sequence[Window]) -> list[Window]:
    """At most WINDOWS of them and TOKENS tokens (but one at least), evenly spaced by length; the same whatever their order."""
    ordered = sorted(windows, key=lambda w: (w.length, w.prompt, w.tokens, w.start))
    places = sorted({round(i * (len(ordered) - 1) / max(1, WINDOWS - 1)) for i in range(WINDOWS)})
    found, size = [], 0
    for window in (ordered[i] for i in places):
        size += window.length
        if found and size > TOKENS:
            break
        found.append(window)
    return found


def apart(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Of pairs of log-probabilities [tokens of a window]: mean and greatest absolute difference of a token, and of a window's mean, in nats."""
    tokens = np.concatenate([np.abs(one.astype(np.float64) - other.astype(np.float64)) for one, other in pairs])
    means = np.array([abs(float(one.astype(np.float64).mean() - other.astype(np.float64).mean())) for one, other in pairs])
    numbers = {"token_mean": tokens.mean(), "token_most": tokens.max(), "window_mean": means.mean(), "window_most": means.max()}
    return {"windows": len(pairs), "tokens": len(tokens)} | {name: round(float(value), 6) for name, value in numbers.items()}


def to_data(each: Deviated) -> dict[str, object]:
    """As the manifest has it."""
    return {name: value for name, value in asdict(each).items() if name != "stage"}


def _fits(model: Model, context: Context) -> bool:
    free = free_bytes(context.students.device())
    return free is None or free >= ROOM * 4 * parameters(context.students.files(model))


def _recall(path: Path, known: Mapping[str, object]) -> dict[str, float] | None:
    """The last measurement under these conditions."""
    found = list(_lines(path, known))
    return {name: found[-1][name] for name in NUMBERS} if found else None


def _lines(path: Path, known: Mapping[str, object]) -> Iterator[dict]:
    """The measurements under these conditions, in their order."""
    for line in read_lines(path):
        if {"engine", "device", *NUMBERS, *known} <= line.keys() and all(line[name] == value for name, value in known.items()):
            yield line

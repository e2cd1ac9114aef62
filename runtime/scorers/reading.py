"""Has a model read what rows ask of it, chunk by chunk, each window once; counts the same without a model.

It knows answers, passes and windows; what the readings mean is the scorers' affair.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from ...compiler.diagnostics import Diagnostic, Fault
from ...compiler.plan.stages import Score
from ..context import Context
from ..engines.base import Engine, Reading, Window
from ..engines.characters import Characters
from ..engines.parity import Apart
from ..events import Passed, Progress
from ..precision import deviation
from ..windows import Answer, Pass, whole
from .answers import Cut, Texts, model
from .base import Aside, Reads

# After so many rows that are only counted there is a word of progress.
COUNTED_ROWS = 512
PROMPT_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Read:
    """The answer of a row, its passes, and what the model told of each."""

    answer: Answer
    passes: tuple[Pass, ...]
    readings: tuple[Reading, ...]


Ask = Callable[[str, Answer], list[Pass]]
"""The passes that a row (its key) still needs."""
Told = Callable[[Mapping[str, Read | str]], Iterator[pl.DataFrame | Aside]]
"""A chunk's frame: from what was read of each row, or why it could not be."""


def read(
    stage: Score, rows: pl.DataFrame, context: Context, texts: Texts, ask: Ask, told: Told, also: frozenset[str] = frozenset()
) -> Iterator[pl.DataFrame | Aside]:
    """What `told` makes of the rows of each chunk. Faults of the student: MIX0506, MIX0507. Progress is in scored tokens."""
    limit = context.students.context(model(stage))
    total = sum(
        sum(p.scored for p in one[1])
        for part in rows.iter_slices(COUNTED_ROWS)
        for one in _asked(part, texts, ask, limit).values()
        if not isinstance(one, str)
    )
    engine: Engine | None = None
    first: dict[Window, Reading] = {}
    done, through, seconds = 0, 0, 0.0
    try:
        for chunk in rows.partition_by("chunk", maintain_order=True):
            asked = _asked(chunk, texts, ask, limit)
            windows = _windows(asked)
            if windows and engine is None:
                engine = context.students.engine(model(stage))
            found: dict[Window, Reading] = {}
            if engine is not None and windows:
                began, before = time.monotonic(), engine.tokens
                order = list(windows)
                try:
                    for index, reading in engine.read(order, also):
                        found[order[index]] = reading
                        done += windows[order[index]] * order[index].scored
                        context.watch(Progress(stage.id, done, total, "tokens"))
                except Apart as fault:
                    raise Fault(_placed(fault, asked, chunk)) from None
                seconds += time.monotonic() - began
                first = first or found
                through += engine.tokens - before
            yield from told(
                {
                    key: one if isinstance(one, str) else Read(one[0], one[1], tuple(found[p.window(one[0])] for p in one[1]))
                    for key, one in asked.items()
                }
            )
        if engine is not None and (apart := deviation(stage.id, model(stage), context, engine, first)):
            context.watch(apart)
    finally:
        if engine is not None:
            context.watch(_passed(stage, context, engine, through, seconds))


@dataclass(frozen=True, slots=True)
class Counted:
    """What would be read, by chunk, and the answers (by key) that have a score then."""

    reads: dict[int, Reads]
    answers: dict[str, Answer]


def count(
    stage: Score, rows: pl.DataFrame, context: Context, cut: Cut, ask: Ask, also: frozenset[str] = frozenset(), *, rough: bool = False
) -> Counted:
    """What `read` would have the model read, chunk by chunk. Where it need only be `rough` nothing of the model is looked at. Faults as `read`."""
    students, asked_of = context.students, model(stage)
    limit = None if rough else students.context(asked_of)
    texts = Texts(Characters() if rough else students.tokenizer(asked_of), cut)
    reads, answers = dict[int, Reads](), dict[str, Answer]()
    for (number,), chunk in rows.partition_by("chunk", maintain_order=True, as_dict=True).items():
        asked = {key: one for key, one in _asked(chunk, texts, ask, limit).items() if not isinstance(one, str)}
        windows = list(_windows(asked))
        reads[int(number)] = Reads(
            whole=sum(p == whole(answer) for answer, passes in asked.values() for p in passes),
            windows=len(windows),
            tokens=students.expects(asked_of, windows, also, rough=rough),
        )
        answers |= {key: answer for key, (answer, _) in asked.items()}
        context.watch(Progress(stage.id, len(answers), len(rows), "responses counted"))
    return Counted(reads, answers)


def made_by(stage: Score, context: Context) -> dict[str, str]:
    """What has read for the stage; nothing where no response needed the model."""
    engine = context.students.loaded(model(stage))
    return {"engine": engine.name, "device": engine.device} if engine else {}


def _asked(rows: pl.DataFrame, texts: Texts, ask: Ask, limit: int | None) -> dict[str, tuple[Answer, tuple[Pass, ...]] | str]:
    """By key: the answer and its passes, or why there is no score of it."""
    found: dict[str, tuple[Answer, tuple[Pass, ...]] | str] = {}
    for key, one in texts.answers(rows).items():
        if isinstance(one, str):
            found[key] = one
            continue
        passes = tuple(ask(key, one))
        longest = max((p.length for p in passes), default=0)
        if limit is not None and longest > limit:
            found[key] = f"needs {longest:,} tokens, the model's context is {limit:,}"
        else:
            found[key] = one, passes
    return found


def _windows(asked: Mapping[str, tuple[Answer, tuple[Pass, ...]] | str]) -> dict[Window, int]:
    """The different windows in the order of the rows, and how many passes each serves."""
    found: dict[Window, int] = {}
    for one in asked.values():
        if not isinstance(one, str):
            for each in one[1]:
                window = each.window(one[0])
                found[window] = found.get(window, 0) + 1
    return found


def _placed(fault: Apart, asked: Mapping[str, tuple[Answer, tuple[Pass, ...]] | str], rows: pl.DataFrame) -> Diagnostic:
    """What is told of two engines, with the row and the prompt of the window on which they are furthest apart."""
    (told,) = fault.diagnostics
    keys = [key for key, one in asked.items() if not isinstance(one, str) and any(each.window(one[0]) == fault.window for each in one[1])]
    row, prompt = rows.filter(pl.col("key").is_in(keys)).select("row_id", pl.col("prompt").fill_null("")).row(0)
    start = " ".join(prompt.split())
    text = start if len(start) <= PROMPT_SHOWN else f"{start[: PROMPT_SHOWN - 1]}…"
    return replace(told, notes=(f"they are furthest apart in row `{row}`, an answer to \"{text}\"", *told.notes))


def _passed(stage: Score, context: Context, engine: Engine, through: int, seconds: float) -> Passed:
    asked = model(stage)
    weights = context.students.files(asked).digest
    return Passed(
        stage=stage.id, tokens=through, seconds=seconds, student=asked.student, weights=weights, dtype=asked.dtype,
        engine=engine.name, device=engine.device,
    )  # fmt: skip

"""Log-probability scores: how natural a response is to the student, step by step within a window, or as a whole.

What is stored is the table of steps; every score is an expression over it. Which library answers is the engine's affair.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from ... import __version__
from ...compiler.plan.stages import Model, Score
from ..context import Context
from ..engines.base import Engine
from ..engines.characters import Characters
from ..engines.tokenizer import ChatTokenizer
from ..events import Passed, Progress
from ..steps import RULES, given, split
from ..windows import EVERYTHING, Answer, Reach, answer, passes, windows

SCHEMA: dict[str, pl.DataType] = {
    "why": pl.String(),
    "step_tokens": pl.List(pl.Int32()),
    "step_logprob": pl.List(pl.Float64()),
    "step_first": pl.List(pl.Float64()),
    "step_context": pl.List(pl.Int32()),
}
# What is at work at once: what a killed run loses at most, and what can be batched together.
CHUNK_ROWS = 64
# How many rows are laid out between two words of progress, where only their tokens are asked for.
READ_ROWS = 512
CHUNK_TOKENS = 32_768

Cut = Callable[[dict[str, Any]], list[tuple[int, int]] | str]


class LocalLogprob:
    """LALP (2510.03988): the mean over steps of the mean log-probability of a step's tokens, given the prompt and the window."""

    name = "local_logprob"
    reports = True

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """All but `debias`, which is a way to read the stored steps."""
        arguments = dict(stage.arguments)
        rule = str(arguments["split"]).partition(":")[0]
        share = arguments.get("window_percent")
        return _identity(stage, context) | {
            "window": f"{arguments['window_steps']} steps" if share is None else f"{share}%",
            "split": rule if rule == "given" else f"{rule} {RULES}",
        }

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """`why`, and one list element a step: its tokens, the sum of their log-probabilities (nats), the first one's, the context."""
        return SCHEMA

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        """The steps of each row, or why it has none. Faults of the student: MIX0506, MIX0507."""
        return _compute(stage, rows, context, _cut(stage), _reach(stage))

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, *, rough: bool = False) -> dict[str, int]:
        """See `base.Reader`."""
        return _reads(stage, rows, context, _cut(stage), _reach(stage), rough)

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """See `base.Maker`."""
        return _made_by(stage, context)

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Nats per token. With `drop_first` the first token of each step is left out, and with it a step that has no other."""
        counted, logprob = pl.col("step_tokens").cast(pl.List(pl.Float64)), pl.col("step_logprob")
        debias = dict(stage.arguments).get("debias", "none")
        if debias == "drop_first":
            rest = pl.element() - 1
            counted = counted.list.eval(pl.when(rest > 0).then(rest))
            logprob = logprob - pl.col("step_first")
        elif debias != "none":
            raise ValueError(f"`debias: {debias}` is not an aggregate of one response's steps")
        why = pl.when(pl.col("step_tokens").is_not_null()).then(pl.lit("every step is a single token"))
        return _value(stored, (logprob / counted).list.mean(), why)

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepped`."""
        return _extents(stored)


class GlobalLogprob:
    """GALP, or GRAPE's score: the mean log-probability of the response's tokens in one pass after the prompt."""

    name = "global_logprob"
    reports = True

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """The scorer and the student."""
        return _identity(stage, context)

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """That of local_logprob: the whole response is the only step."""
        return SCHEMA

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        """One step for each row, or why it has none. Faults of the student: MIX0506, MIX0507."""
        return _compute(stage, rows, context, _whole, EVERYTHING)

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, *, rough: bool = False) -> dict[str, int]:
        """See `base.Reader`."""
        return _reads(stage, rows, context, _whole, EVERYTHING, rough)

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """See `base.Maker`."""
        return _made_by(stage, context)

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Nats per token."""
        total = pl.col("step_logprob").list.sum() / pl.col("step_tokens").list.sum()
        return _value(stored, total, pl.lit("no tokens"))

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepped`."""
        return _extents(stored)


def _whole(row: dict[str, Any]) -> list[tuple[int, int]]:
    return [(0, len(row["response"]))]


def _cut(stage: Score) -> Cut:
    rule, _, column = str(dict(stage.arguments)["split"]).partition(":")

    def cut(row: dict[str, Any]) -> list[tuple[int, int]] | str:
        if rule == "given":
            return given(row[f"column:{column}"], row["response"])
        return split(row["response"], rule)

    return cut


def _reach(stage: Score) -> Reach:
    arguments = dict(stage.arguments)
    share = arguments.get("window_percent")
    return Reach(steps=int(arguments["window_steps"] or 0)) if share is None else Reach(percent=Fraction(str(share)))


def _sizes(
    answers: dict[str, Answer], reach: Reach, limit: int | None
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """The tokens of each pass of each answer, and why those have no score of which one is too long for the model."""
    sizes = {key: [p.tokens for p in passes(one, reach)] for key, one in answers.items()}
    over = {key: longest for key, tokens in sizes.items() if limit is not None and (longest := max(tokens)) > limit}
    refused = {key: f"needs {n:,} tokens, the model's context is {limit:,}" for key, n in over.items()}
    return {key: tokens for key, tokens in sizes.items() if key not in over}, refused


def _reads(stage: Score, rows: pl.DataFrame, context: Context, cut: Cut, reach: Reach, rough: bool) -> dict[str, int]:
    tokenizer = Characters() if rough else context.students.tokenizer(_model(stage))
    limit = None if rough else context.students.context(_model(stage))
    found: dict[str, int] = {}
    for part in rows.iter_slices(READ_ROWS):
        answers, refused = _answers(part, tokenizer, cut)
        sizes, over = _sizes(answers, reach, limit)
        found |= dict.fromkeys((*refused, *over), 0) | {key: sum(tokens) for key, tokens in sizes.items()}
        context.watch(Progress(stage.id, len(found), len(rows), "responses counted"))
    return found


def _compute(stage: Score, rows: pl.DataFrame, context: Context, cut: Cut, reach: Reach) -> Iterator[pl.DataFrame]:
    answers, refused = _answers(rows, context.students.tokenizer(_model(stage)), cut)
    engine = context.students.engine(_model(stage)) if answers else None
    sizes, over = _sizes(answers, reach, engine.context if engine else None)
    if refused := refused | over:
        yield _frame({key: (why, ()) for key, why in refused.items()})
    order = sorted(sizes, key=lambda key: (-max(sizes[key]), key))
    if engine is None or not order:
        return
    total = sum(sum(sizes[key]) for key in order)
    done, seconds = 0, 0.0

    def heard(tokens: int) -> None:
        nonlocal done
        done += tokens
        context.watch(Progress(stage.id, done, total, "tokens"))

    try:
        for keys in _chunks(order, {key: sum(sizes[key]) for key in order}):
            began = time.monotonic()
            steps = _read(engine, [answers[key] for key in keys], reach, heard)
            seconds += time.monotonic() - began
            yield _frame({key: (None, found) for key, found in zip(keys, steps, strict=True)})
    finally:
        context.watch(_passed(stage, context, engine, done, seconds))


def _passed(stage: Score, context: Context, engine: Engine, tokens: int, seconds: float) -> Passed:
    model = _model(stage)
    weights = context.students.files(model).digest
    return Passed(
        stage=stage.id, tokens=tokens, seconds=seconds, student=model.student, weights=weights, dtype=model.dtype,
        engine=engine.name, device=engine.device,
    )  # fmt: skip


def _made_by(stage: Score, context: Context) -> dict[str, str]:
    """Nothing where no response needed the model."""
    engine = context.students.loaded(_model(stage))
    return {"engine": engine.name, "device": engine.device} if engine else {}


def _answers(
    rows: pl.DataFrame, tokenizer: ChatTokenizer | Characters, cut: Cut
) -> tuple[dict[str, Answer], dict[str, str]]:
    """The rows in tokens by key, and why the others have no score."""
    prompts: dict[str, tuple[int, ...]] = {}
    answers: dict[str, Answer] = {}
    refused: dict[str, str] = {}
    for part in rows.iter_slices(1_024):
        texts = part["response"].fill_null("").to_list()
        for row, text, encoded in zip(part.iter_rows(named=True), texts, tokenizer.responses(texts), strict=True):
            steps = cut(row | {"response": text}) if text.strip() and encoded.ids else "no tokens"
            if isinstance(steps, str):
                refused[row["key"]] = steps
                continue
            question = row["prompt"]
            if question not in prompts:
                prompts[question] = tokenizer.prompt(question)
            answers[row["key"]] = answer(prompts[question], encoded.ids, encoded.starts, steps)
    return answers, refused


def _read(
    engine: Engine, answers: Sequence[Answer], reach: Reach, heard: Callable[[int], None]
) -> list[list[tuple[int, float, float, int]]]:
    """For each step of each answer: its tokens, the sum of their log-probabilities, that of its first token, its context."""
    found: list[list[Any]] = [[None] * len(one.ends) for one in answers]
    asked, owners = windows(answers, reach)
    for index, reading in engine.read(asked):
        for part in owners[index]:
            values = reading.logprob[part.begin : part.end].astype(np.float64)
            found[part.answer][part.step] = (len(values), float(values.sum()), float(values[0]), part.context)
        passed = sum(part.begin == 0 for part in owners[index])  # equal passes are read once
        heard(passed * asked[index].length)
    return found


def _chunks(order: Sequence[str], tokens: dict[str, int]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for key in order:
        chunk.append(key)
        size += tokens[key]
        if len(chunk) == CHUNK_ROWS or size >= CHUNK_TOKENS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _frame(found: dict[str, tuple[str | None, Sequence[tuple[int, float, float, int]]]]) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in ("key", *SCHEMA)}
    for key, (why, steps) in found.items():
        values = zip(*steps, strict=True) if steps else (None,) * 4
        for name, one in zip(columns, (key, why, *values), strict=True):
            columns[name].append(list(one) if isinstance(one, tuple) else one)
    return pl.DataFrame(columns, schema={"key": pl.String(), **SCHEMA})


def _value(stored: pl.DataFrame, value: pl.Expr, why: pl.Expr) -> pl.DataFrame:
    """The value, and where it is null the reason that is stored, or `why`."""
    valued = stored.with_columns(value=value.cast(pl.Float64))
    return valued.select("key", "value", pl.when(pl.col("value").is_null()).then(pl.coalesce("why", why)).alias("why"))


def _extents(stored: pl.DataFrame) -> pl.DataFrame:
    steps = pl.col("step_tokens")
    return stored.select("key", tokens=steps.list.sum().cast(pl.UInt32), steps=steps.list.len().cast(pl.UInt32))


def _identity(stage: Score, context: Context) -> dict[str, object]:
    return {
        "scorer": stage.scorer, "version": stage.version, "mixc": __version__, "dtype": _model(stage).dtype,
        **context.students.files(_model(stage)).digests,
    }  # fmt: skip


def _model(stage: Score) -> Model:
    if stage.model is None:
        raise ValueError(f"the stage {stage.id} has no student")
    return stage.model

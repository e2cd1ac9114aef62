"""LALP: how natural each step of a response is to a model that sees little of what came before it.

The table of steps is stored. The first window of a response is taken from what is known of it in full context, and
kept for other scores where it is not.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from ... import __version__
from ...compiler.plan.stages import Score
from ..context import Context
from ..engines.base import LOGPROB
from ..steps import RULES
from ..windows import Answer, Pass, Reach, contexts, passes
from . import tables
from .answers import Texts, cut, model, reach
from .base import Aside, Expected, Reads
from .full_context import valued
from .length_debias import length_debias
from .reading import Read, count, made_by, read

SCHEMA: dict[str, pl.DataType] = {
    "why": pl.String(),
    "step_tokens": pl.List(pl.Int32()),
    "step_logprob": pl.List(pl.Float64()),
    "step_first": pl.List(pl.Float64()),
    "step_context": pl.List(pl.Int32()),
}
SINGLE = pl.when(pl.col("step_tokens").is_not_null()).then(pl.lit("every step is a single token"))


class LocalLogprob:
    """LALP (2510.03988): the mean over steps of the mean log-probability of a step's tokens, given the prompt and the window."""

    name = "local_logprob"
    reports = True

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """All but `debias`, which is a way to read the stored steps."""
        arguments = dict(stage.arguments)
        rule = str(arguments["split"]).partition(":")[0]
        share = arguments.get("window_percent")
        return {
            "scorer": stage.scorer, "version": stage.version, "mixc": __version__, "dtype": model(stage).dtype,
            **context.students.files(model(stage)).digests,
            "window": f"{arguments['window_steps']} steps" if share is None else f"{share}%",
            "split": rule if rule == "given" else f"{rule} {RULES}",
        }  # fmt: skip

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """`why`, and one list element a step: its tokens, the sum of their log-probabilities (nats), the first one's, the context."""
        return SCHEMA

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame | Aside]:
        """The steps of each row, or why it has none. Faults of the student: MIX0506, MIX0507."""
        names = dict(rows.select("key", "row_id").iter_rows())
        known, far = tables.known(stage, list(names.values()), context), reach(stage)

        def ask(key: str, answer: Answer) -> list[Pass]:
            return _lacking(answer, far, lambda size: known.head(names[key], size) is not None)

        def told(found: Mapping[str, Read | str]) -> Iterator[pl.DataFrame | Aside]:
            logprobs = {key: _tokens(one, known, names[key]) for key, one in found.items() if not isinstance(one, str)}
            yield _frame({key: one if isinstance(one, str) else _steps(one.answer, far, logprobs[key]) for key, one in found.items()})
            fresh = {}
            for key, one in found.items():
                if not isinstance(one, str) and one.passes and one.passes[0].low == one.passes[0].start == 0:
                    fresh[names[key]] = one.readings[0].logprob, one.passes[0].high == len(one.answer.response)
            yield from tables.heads(stage, context, fresh)

        texts = Texts(context.students.tokenizer(model(stage)), cut(stage))
        return read(stage, rows, context, texts, ask, told)

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """See `base.Maker`."""
        return made_by(stage, context)

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepped`."""
        steps = pl.col("step_tokens")
        return stored.select("key", tokens=steps.list.sum().cast(pl.UInt32), steps=steps.list.len().cast(pl.UInt32))

    def step_values(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepwise`."""
        return stored.filter(pl.col("step_tokens").is_not_null()).select("key", "step_tokens", "step_logprob")

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, expected: Expected, *, rough: bool = False) -> dict[int, Reads]:
        """See `base.Reader`."""
        names = dict(rows.select("key", "row_id").iter_rows())
        known, far = tables.Known() if rough else tables.known(stage, list(names.values()), context), reach(stage)
        heads = expected.heads.setdefault(tables.place(stage), {})
        told = expected.told.setdefault(tables.place(stage), {})
        read_already = expected.heads.setdefault((tables.place(stage), self.steps_of(stage)), {})

        def ask(key: str, answer: Answer) -> list[Pass]:
            if key in read_already:
                return []
            return _lacking(answer, far, lambda size: heads.get(names[key], 0) >= size or known.head(names[key], size) is not None)

        counted = count(stage, rows, context, cut(stage), ask, rough=rough)
        for key, answer in counted.answers.items():
            first = next(passes(answer, far)).high
            if first == len(answer.response):
                told[names[key]] = told.get(names[key], frozenset()) | {LOGPROB}
            heads[names[key]] = max(heads.get(names[key], 0), first)
            read_already[key] = len(answer.response)
        return counted.reads

    def steps_of(self, stage: Score) -> tuple[object, ...]:
        """What two stages of one model share a table of steps by."""
        return tuple(pair for pair in stage.arguments if pair[0] != "debias" and pair[1] is not None)

    def pooled(self, stage: Score) -> bool:
        """With `debias: length` a row's value depends on all the rows that have one."""
        return dict(stage.arguments).get("debias") == "length"

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Nats per token. With `drop_first` the first token of each step is left out, and with it a step that has no other."""
        counted, logprob = pl.col("step_tokens").cast(pl.List(pl.Float64)), pl.col("step_logprob")
        match dict(stage.arguments).get("debias", "none"):
            case "none":
                return valued(stored, (logprob / counted).list.mean(), SINGLE)
            case "drop_first":
                rest = counted.list.eval(pl.when(pl.element() > 1).then(pl.element() - 1))
                return valued(stored, ((logprob - pl.col("step_first")) / rest).list.mean(), SINGLE)
            case "length":
                return length_debias(stored)
            case other:
                raise ValueError(f"there is no `debias: {other}`")


def _lacking(answer: Answer, far: Reach, has_head: Callable[[int], bool]) -> list[Pass]:
    """The passes of an answer, without the first where its tokens are known."""
    first, *later = passes(answer, far)
    return later if has_head(first.high) else [first, *later]


def _tokens(one: Read, known: tables.Known, row: str) -> np.ndarray:
    """The log-probability of every token of the response, float64."""
    values = np.empty(len(one.answer.response), dtype=np.float64)
    begin = one.passes[0].start if one.passes else len(values)
    if begin:
        head = known.head(row, begin)
        assert head is not None
        values[:begin] = head
    for each, reading in zip(one.passes, one.readings, strict=True):
        values[each.start : each.high] = reading.logprob
    return values


def _steps(answer: Answer, far: Reach, logprobs: np.ndarray) -> tuple[list[int], list[float], list[float], list[int]]:
    """For each step: its tokens, the sum of their log-probabilities, that of its first token, its context."""
    starts = np.array((0, *answer.ends[:-1]))
    sizes = np.diff((0, *answer.ends))
    return sizes.tolist(), np.add.reduceat(logprobs, starts).tolist(), logprobs[starts].tolist(), contexts(answer, far)


def _frame(found: Mapping[str, tuple[list[int], list[float], list[float], list[int]] | str]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {name: [] for name in ("key", *SCHEMA)}
    for key, one in found.items():
        row = (key, one, None, None, None, None) if isinstance(one, str) else (key, None, *one)
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    return pl.DataFrame(columns, schema={"key": pl.String(), **SCHEMA})

"""IFD (2308.12032, with the student itself as Superfiltering, 2402.00530): how much the prompt helps with the answer.

ppl(answer | prompt) / ppl(answer), both over the answer's tokens from the second on: the first has nothing before it
where there is no prompt, and a ratio must compare the same tokens. (The authors' code counts the first token above the
line and not below it.) Below 1 the prompt helps; the higher, the harder the instruction.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from ... import __version__
from ...compiler.plan.stages import Score
from ..context import Context
from ..engines.base import LOGPROB, Reading
from ..windows import Answer, Pass, alone, whole
from . import tables
from .answers import Texts, model, uncut
from .base import Aside, Expected, Reads
from .full_context import valued
from .reading import Read, count, made_by, read

SCHEMA: dict[str, pl.DataType] = {"why": pl.String(), "tokens": pl.Int32(), "given": pl.Float64(), "alone": pl.Float64()}
SINGLE = "a single token: nothing stands before it without the prompt"


class Ifd:
    """See the module."""

    name = "ifd"
    reports = True

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """The scorer and the student."""
        return {
            "scorer": stage.scorer, "version": stage.version, "mixc": __version__, "dtype": model(stage).dtype,
            **context.students.files(model(stage)).digests,
        }  # fmt: skip

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """`why`, how many `tokens` count, and the sums of their log-probabilities (nats) after the prompt (`given`) and without it (`alone`)."""
        return SCHEMA

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame | Aside]:
        """Both sums of each row, or why it has none. Faults of the student: MIX0506, MIX0507."""
        names = dict(rows.select("key", "row_id").iter_rows())
        known = tables.known(stage, list(names.values()), context)

        def ask(key: str, answer: Answer) -> list[Pass]:
            return _lacking(answer, known.head(names[key], len(answer.response)) is not None)

        def told(found: Mapping[str, Read | str]) -> Iterator[pl.DataFrame | Aside]:
            yield _frame({key: one if isinstance(one, str) else _sums(one, known, names[key]) for key, one in found.items()})
            fresh: dict[str, Reading | str] = {
                names[key]: one.readings[0]
                for key, one in found.items()
                if not isinstance(one, str) and one.passes and one.passes[0] == whole(one.answer)
            }
            if fresh:
                yield tables.aside(stage, context, fresh)

        texts = Texts(context.students.tokenizer(model(stage)), uncut)
        return read(stage, rows, context, texts, ask, told, frozenset(stage.tells) - {LOGPROB})

    def made_by(self, stage: Score, context: Context) -> dict[str, str]:
        """See `base.Maker`."""
        return made_by(stage, context)

    def extents(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """See `base.Stepped`."""
        tokens = pl.col("tokens") + 1
        return stored.select("key", tokens=tokens.cast(pl.UInt32), steps=pl.when(tokens > 0).then(pl.lit(1, pl.UInt32)))

    def reads(self, stage: Score, rows: pl.DataFrame, context: Context, expected: Expected, *, rough: bool = False) -> dict[int, Reads]:
        """See `base.Reader`."""
        names = dict(rows.select("key", "row_id").iter_rows())
        known = tables.Known() if rough else tables.known(stage, list(names.values()), context)
        heads = expected.heads.setdefault(tables.place(stage), {})

        def ask(key: str, answer: Answer) -> list[Pass]:
            size = len(answer.response)
            return _lacking(answer, heads.get(names[key], 0) >= size or known.head(names[key], size) is not None)

        counted = count(stage, rows, context, uncut, ask, frozenset(stage.tells) - {LOGPROB}, rough=rough)
        told = expected.told.setdefault(tables.place(stage), {})
        for key, answer in counted.answers.items():
            if len(ask(key, answer)) == 2:
                told[names[key]] = told.get(names[key], frozenset()) | {LOGPROB, *stage.tells}
        for key, answer in counted.answers.items():
            heads[names[key]] = max(heads.get(names[key], 0), len(answer.response) if len(answer.response) > 1 else 0)
        return counted.reads

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """A ratio, above 0."""
        return valued(stored, ((pl.col("alone") - pl.col("given")) / pl.col("tokens")).exp())


def _lacking(answer: Answer, known: bool) -> list[Pass]:
    if len(answer.response) < 2:
        return []
    return [alone(answer)] if known else [whole(answer), alone(answer)]


def _sums(one: Read, known: tables.Known, row: str) -> tuple[int, float, float] | str:
    size = len(one.answer.response)
    if size < 2:
        return SINGLE
    given = one.readings[0].logprob if len(one.passes) == 2 else known.head(row, size)
    assert given is not None
    sums = (values.astype(np.float64).sum() for values in (given[1:], one.readings[-1].logprob))
    return size - 1, *map(float, sums)  # type: ignore[return-value]


def _frame(found: Mapping[str, tuple[int, float, float] | str]) -> pl.DataFrame:
    rows = [(key, one, None, None, None) if isinstance(one, str) else (key, None, *one) for key, one in found.items()]
    return pl.DataFrame(rows, schema={"key": pl.String(), **SCHEMA}, orient="row")

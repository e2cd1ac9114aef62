"""The length of a response: its tokens under the student's tokenizer, special ones not counted. Loads no weights."""

from collections.abc import Iterator

import polars as pl

from ... import __version__
from ...compiler.plan.stages import Model, Score
from ..context import Context


class Tokens:
    """Tokens of the response alone."""

    name = "tokens"
    reports = False

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        """The scorer and the tokenizer: two students that share one have the same lengths."""
        tokenizer = context.students.files(_model(stage)).tokenizer_digest
        return {"scorer": stage.scorer, "version": stage.version, "mixc": __version__, "tokenizer": tokenizer}

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        """`why`, which is always null, and `tokens`."""
        return {"why": pl.String(), "tokens": pl.Int64()}

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        """The length of each response. Faults of the tokenizer: MIX0506, MIX0507."""
        tokenizer = context.students.tokenizer(_model(stage))
        for part in rows.select("key", "response").iter_slices(1_024):
            lengths = [len(one.ids) for one in tokenizer.responses(part["response"].fill_null("").to_list())]
            yield part.select(
                "key", pl.lit(None, pl.String).alias("why"), pl.Series("tokens", lengths, dtype=pl.Int64())
            )

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        """Tokens."""
        return stored.select("key", pl.col("tokens").alias("value"), "why")


def _model(stage: Score) -> Model:
    if stage.model is None:
        raise ValueError(f"the stage {stage.id} has no student")
    return stage.model

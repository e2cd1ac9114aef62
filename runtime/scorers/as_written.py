"""`exact_match` and `choice`: graders that compare what is written, here and at once. They know pairs of texts, no other process."""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from ... import __version__
from ...compiler.plan.stages import Score
from ..context import Context
from .graders import Grade, grade_choice, grade_exact, pairs_of

_FRAME_ROWS = 4_096


class _AsWritten:
    reports = False

    def __init__(self, name: str, grade: Callable[[Sequence[tuple[str, str | None]]], list[Grade]]) -> None:
        self.name = name
        self._grade = grade

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        return {"scorer": self.name, "version": stage.version, "mixc": __version__}

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        return {"correct": pl.Boolean(), "why": pl.String()}

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        schema = {"key": pl.String(), **self.schema(stage)}
        for some in rows.iter_slices(_FRAME_ROWS):
            grades = self._grade(pairs_of(stage, some))
            found = [(key, grade.value, grade.why) for key, grade in zip(some["key"], grades, strict=True)]
            yield pl.DataFrame(found, schema=schema, orient="row")

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        return stored.select("key", pl.col("correct").alias("value"), "why")


class ExactMatch(_AsWritten):
    """`exact_match(reference)`: whether the response's final answer is the reference, letter for letter (`docs/decisions/0031-letters.md`)."""

    def __init__(self) -> None:
        super().__init__("exact_match", grade_exact)


class Choice(_AsWritten):
    """`choice(reference)`: whether the letter that the response chooses is that of the reference; unknown where it names several."""

    def __init__(self) -> None:
        super().__init__("choice", grade_choice)

"""Answers of a model to grades: a grader is a scorer whose value is true, false or unknown, and grades are kept as scores are.

It knows answers and what they are held against, not whose they are.
"""

import polars as pl

from ..compiler.clauses import Grade
from ..compiler.plan.stages import Score
from ..compiler.source import Span
from .context import Context
from .identity import digest
from .rows import Rows
from .score import from_store, score

VERIFY_MATH = Grade(scorer="verify_math", version=1, reads=("reference",))


def graded(stage: str, grade: Grade, answers: pl.DataFrame, span: Span, context: Context) -> pl.DataFrame:
    """The answers with `correct` (Boolean, null where it is unknown) and `why` it is unknown.

    `answers` have `prompt`, `response` and the columns that the grader reads; `stage` is what the grading is shown with. Faults as those of the grader.
    """
    asking, rows = _asked(stage, grade, answers, span)
    found = score(asking, rows, context).rows.frame()
    return answers.with_columns(correct=found["score:correct"], why=found["score:correct:why"])


def known_grades(stage: str, grade: Grade, answers: pl.DataFrame, span: Span, context: Context) -> pl.DataFrame | None:
    """As `graded`, of what is in the store; None where a grade is not."""
    asking, rows = _asked(stage, grade, answers, span)
    found = from_store(asking, rows, context).frame()
    if "open:correct" in found.columns:
        return None
    return answers.with_columns(correct=found["score:correct"], why=found["score:correct:why"])


def _asked(stage: str, grade: Grade, answers: pl.DataFrame, span: Span) -> tuple[Score, Rows]:
    """The grading as a score of rows that are prompts with the answers."""
    asking = Score(
        id=stage, inputs=(), name="correct", scorer=grade.scorer, version=grade.version, arguments=grade.arguments, reads=grade.reads,
        package=grade.package, type="bool", span=span,
    )  # fmt: skip
    named = answers.select(digest("prompt", "response").alias("row_id"), "prompt", "response", *grade.reads)
    return asking, Rows.of(named.with_columns(reason=pl.lit(None, pl.String)))

"""Names each row's teacher. Knows the declared teachers, nothing of how their rows are judged later."""

import polars as pl

from ..compiler.backends.polars import expression
from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import NamedTeacher, Teachers

UNDECLARED = "teachers: of no declared teacher"


def name_teachers(stage: Teachers, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with `teacher`: the declared name, or the column's value where none is declared. Rows of no declared teacher get a reason; one that
    generates is declared, and has none of these rows.

    Fault MIX0505 if a row is of two teachers.
    """
    if not stage.teachers and not stage.generated:
        return rows.with_columns(teacher=pl.col("teacher_value"))
    here = set(rows["corpus"].unique())
    teachers = [t for t in stage.teachers if t.corpus in here]
    mine = {f"mixc:teacher:{i}": _of(t, rows) for i, t in enumerate(teachers)}
    marked = rows.with_columns(**mine)
    _refuse_two(teachers, marked, list(mine))
    names = [pl.when(pl.col(c)).then(pl.lit(t.name)) for c, t in zip(mine, teachers, strict=True)]
    named = pl.coalesce(*names, pl.lit(None, dtype=pl.String))
    reason = pl.when(pl.col("reason").is_null() & named.is_null()).then(pl.lit(UNDECLARED)).otherwise("reason")
    return marked.with_columns(teacher=named.fill_null(pl.col("teacher_value")), reason=reason).select(*rows.columns, "teacher")


def _of(teacher: NamedTeacher, rows: pl.DataFrame) -> pl.Expr:
    own = pl.col("corpus") == teacher.corpus
    if teacher.condition is None:
        return own
    return own & expression(teacher.condition, rows.schema).fill_null(value=False)


def _refuse_two(teachers: list[NamedTeacher], rows: pl.DataFrame, marks: list[str]) -> None:
    if len(marks) < 2:
        return
    twice = rows.filter(pl.sum_horizontal(marks) > 1).sort("row_id")
    if twice.is_empty():
        return
    row = twice.row(0, named=True)
    first, second = [t for t, mark in zip(teachers, marks, strict=True) if row[mark]][:2]
    raise Fault(
        Diagnostic(
            "MIX0505",
            f"{twice.height:,} rows are of two teachers, `{first.name}` and `{second.name}` for one",
            Label(second.span, "takes them too"),
            secondary=(Label(first.span, "takes them"),),
            notes=(f"one of them: row {row['row_id']}, teacher column `{row['teacher_value']}`",),
            help="make the conditions exclude one another",
        )
    )

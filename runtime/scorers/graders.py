"""Graders: scores that are true, false or unknown. A judge may hang or die, so judges are called in worker processes.

`verify_math` compares a response's final answer with the reference; what cannot be judged is null with the reason.
`grade_exact` and `grade_choice` compare what is written, here and at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import polars as pl

from ... import __version__
from ...compiler.backends.polars import in_words
from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.plan.stages import Score
from ...compiler.source import Span
from .. import workers
from ..context import Context
from .letters import choices, letter, to_the_letter
from .mathematics import judge, surely_equal

TIMEOUT_SECONDS = 5.0
_PACKAGES = ("math-verify", "latex2sympy2-extended", "sympy")
_FRAME_ROWS = 64


@dataclass(frozen=True, slots=True)
class Grade:
    """`value` is None where nothing can be said, and `why` says why."""

    value: bool | None
    why: str | None = None


def grade_math(
    pairs: Sequence[tuple[str, str | None]], timeout: float = TIMEOUT_SECONDS, done: Callable[[int], None] | None = None
) -> list[Grade]:
    """The grade of each (response, reference), in order; `done` hears how many are known. Fault MIX0509, MIX0514."""
    grades: list[Grade] = [Grade(None)] * len(pairs)
    for count, (index, grade) in enumerate(_grades(pairs, timeout, None), 1):
        grades[index] = grade
        if done is not None:
            done(count)
    return grades


def grade_exact(pairs: Sequence[tuple[str, str | None]]) -> list[Grade]:
    """Whether each response's final answer is its reference to the letter. A response without a final answer is false."""
    return [
        Grade(to_the_letter(response, reference)) if reference and reference.strip() else Grade(None, "no reference")
        for response, reference in pairs
    ]


def grade_choice(pairs: Sequence[tuple[str, str | None]]) -> list[Grade]:
    """Whether the letter that each response names is that of its reference. None named is false, several are unknown."""
    return [_chosen(choices(response), reference) for response, reference in pairs]


def pairs_of(stage: Score, rows: pl.DataFrame) -> list[tuple[str, str | None]]:
    """Each row's response and reference. Fault MIX0502 where the references are lists or objects."""
    (reference,) = stage.reads
    if rows.schema[reference].is_nested():
        message = f"a reference is a text or a number, column `{reference.removeprefix('column:')}` holds {in_words(rows.schema[reference])}"
        raise Fault(Diagnostic("MIX0502", message, Label(stage.span, "read here"), help="name a column of final answers"))
    return list(zip(rows["response"].fill_null(""), rows[reference].cast(pl.String), strict=True))


class VerifyMath:
    """`verify_math(reference)`: whether the response's answer equals the reference."""

    name = "verify_math"
    reports = False

    def identity(self, stage: Score, context: Context) -> dict[str, object]:
        packages = {package: _version(package) for package in _PACKAGES}
        ours = {"version": stage.version, "mixc": __version__, "timeout": TIMEOUT_SECONDS}
        return {"scorer": self.name, **ours, **packages}

    def schema(self, stage: Score) -> dict[str, pl.DataType]:
        return {"correct": pl.Boolean(), "why": pl.String()}

    def compute(self, stage: Score, rows: pl.DataFrame, context: Context) -> Iterator[pl.DataFrame]:
        pairs, keys = pairs_of(stage, rows), rows["key"].to_list()
        schema = {"key": pl.String(), **self.schema(stage)}
        found: list[tuple[str, bool | None, str | None]] = []
        for index, grade in _grades(pairs, TIMEOUT_SECONDS, stage.span):
            found.append((keys[index], grade.value, grade.why))
            if len(found) == _FRAME_ROWS:
                yield pl.DataFrame(found, schema=schema, orient="row")
                found = []
        if found:
            yield pl.DataFrame(found, schema=schema, orient="row")

    def value(self, stage: Score, stored: pl.DataFrame) -> pl.DataFrame:
        return stored.select("key", pl.col("correct").alias("value"), "why")


def _grades(
    pairs: Sequence[tuple[str, str | None]], timeout: float, span: Span | None
) -> Iterator[tuple[int, Grade]]:
    """Each pair's index and grade, once, as they are known: first what needs no judge."""
    doubtful = []
    for index, (response, reference) in enumerate(pairs):
        if reference is None or not reference.strip():
            yield index, Grade(None, "no reference")
        elif surely_equal(response, reference):
            yield index, Grade(True)
        else:
            doubtful.append(index)
    if doubtful and find_spec("math_verify") is None:
        raise Fault(Diagnostic(
            "MIX0509", "`verify_math` needs the package `math-verify`, which is not installed",
            Label(span, "this needs it") if span else None, help='run `pip install "mixc[train]"`',
        ))  # fmt: skip
    for position, answer in workers.work(judge, [pairs[i] for i in doubtful], timeout=timeout):
        yield doubtful[position], _grade(answer, timeout)


def _chosen(named: tuple[str, ...], reference: str | None) -> Grade:
    right = letter(reference or "")
    if right is None:
        return Grade(None, "unknown: the reference is no letter" if reference and reference.strip() else "no reference")
    if len(named) > 1:
        return Grade(None, f"unknown: several answers: {', '.join(named)}")
    return Grade(named == (right,))


def _grade(answer: workers.Answer, timeout: float) -> Grade:
    match answer.failure:
        case None if isinstance(answer.value, bool):
            return Grade(answer.value)
        case None:
            return Grade(None, "unknown: no answer found in the reference")
        case workers.TIMED_OUT:
            return Grade(None, f"unknown: timed out after {timeout:g} s")
        case _:
            return Grade(None, "unknown: the grader failed")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

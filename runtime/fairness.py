"""What makes a comparison of two builds unfair, or less than it seems: other students, budgets, trainings, ways of asking. Tells; decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..compiler.plan.stages import Benchmark, Evaluate, Plan, Train
from .contender import RECIPE, Contender
from .results import file_digest

NEAR = 0.05
"""Selections whose tokens are apart by no more than this share count as of one size."""


@dataclass(frozen=True, slots=True)
class Caution:
    """`about`: student, budget, training, asking, benchmark, version, seeds. `builds`: whom it is about, the reference last."""

    about: str
    builds: tuple[str, ...]
    says: str


def cautions(build: Contender, reference: Contender) -> Iterator[Caution]:
    """What is to be known before a figure of `build` is set beside one of `reference`."""
    between = (build.name, reference.name)
    for about, says in (*_students(build, reference), *_budgets(build, reference), *_trainings(build.plan, reference.plan), *_asking(build, reference)):
        yield Caution(about, between, says)


def _students(one: Contender, other: Contender) -> Iterator[tuple[str, str]]:
    mine, theirs = one.student, other.student
    if mine is None or theirs is None:
        return
    if mine.get("weights") != theirs.get("weights"):
        yield "student", f"other students ({mine.get('model')}, {theirs.get('model')}): a difference is of the student as well as of the data"
    elif mine.get("template") != theirs.get("template"):
        yield "student", "the students have other chat templates"
    elif mine.get("dtype") != theirs.get("dtype"):
        yield "student", f"the student is in {mine.get('dtype')} here and in {theirs.get('dtype')} there"


def _budgets(one: Contender, other: Contender) -> Iterator[tuple[str, str]]:
    counts = [each.manifest.get("counts", {}).get("selected") for each in (one, other)]
    if None in counts:
        return
    mine, theirs = counts
    if mine != theirs:
        yield "budget", f"{mine:,} rows selected, {theirs:,} in the reference: the size of the data differs with the recipe"
        return
    here, there = _tokens(one), _tokens(other)
    if here is not None and there is not None and abs(here - there) > NEAR * max(here, there):
        yield "budget", f"as many rows, but {here:,} tokens, {there:,} in the reference"


def _tokens(build: Contender) -> int | None:
    rows = build.selections.get(RECIPE)
    return None if rows is None or rows["tokens"].null_count() else int(rows["tokens"].sum())


def _trainings(one: Plan, other: Plan) -> Iterator[tuple[str, str]]:
    mine, theirs = (next((stage for stage in plan.stages if isinstance(stage, Train)), None) for plan in (one, other))
    if mine is None or theirs is None:
        return
    names = ("method", "epochs", "steps", "learning_rate", "batch", "max_length")
    apart = [f"{name} {_said(getattr(mine, name))}, not {_said(getattr(theirs, name))}" for name in names if getattr(mine, name) != getattr(theirs, name)]
    if apart:
        yield "training", f"trained otherwise: {'; '.join(apart)}"


def _asking(one: Contender, other: Contender) -> Iterator[tuple[str, str]]:
    mine, theirs = one.measuring, other.measuring
    if mine is None or theirs is None:
        return
    names = ("max_tokens", "temperature")
    apart = [f"{name} {_said(getattr(mine, name))}, not {_said(getattr(theirs, name))}" for name in names if getattr(mine, name) != getattr(theirs, name)]
    if apart:
        yield "asking", f"asked otherwise: {'; '.join(apart)}"
    there = {each.name: each for each in theirs.benchmarks}
    for each in mine.benchmarks:
        if each.name in there:
            yield from (("benchmark", f"`{each.name}`: {says}") for says in _benchmark(one, other, each, there[each.name], mine, theirs))
    lacking = [f"`{each.name}`" for each in theirs.benchmarks if each.name not in {here.name for here in mine.benchmarks}]
    if lacking:
        yield "benchmark", f"not measured on {', '.join(lacking)}"


def _benchmark(one: Contender, other: Contender, here: Benchmark, there: Benchmark, mine: Evaluate, theirs: Evaluate) -> Iterator[str]:
    if file_digest(one, here.name) != file_digest(other, here.name):
        yield "the files are not the same; only problems of the same id and answer are compared"
    elif here.limit != there.limit or (here.limit is not None and mine.seed != theirs.seed):
        yield f"limit {_said(here.limit)}, not {_said(there.limit)}, or another seed; only the problems that both have are compared"
    if here.samples != there.samples:
        yield f"{here.samples} samples a problem, not {there.samples}"


def _said(value: object) -> str:
    return "unset" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

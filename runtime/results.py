"""The benchmarks and held-out rows of several builds as one table: every recipe of every build, each beside the reference where that is sound."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from .contender import RECIPE, Contender
from .recipes import HELDOUT, READS, Paired, Scores, paired, scores

NO_ANSWERS = "the build has no `answers.parquet`; build it again with this version"


@dataclass(frozen=True, slots=True)
class Result:
    """A recipe on a benchmark (or `heldout`: nats a token, lower is better). `low` and `high` are None where only a mean is known.

    `paired`: beside the reference; None for the reference itself, and where `apart` says why they cannot be compared.
    """

    label: str
    build: str
    recipe: str | None
    benchmark: str
    value: float
    low: float | None
    high: float | None
    runs: int
    problems: int
    samples: int = 1
    unknown: int = 0
    left_out: int = 0
    pass_at_k: tuple[tuple[int, float], ...] = ()
    paired: Paired | None = None
    apart: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A result with what it is made of, where the answers are there."""

    result: Result
    source: Contender
    scores: Scores | None = None


def label(build: str, recipe: str | None, alone: bool) -> str:
    """What a recipe of a build is called: the build for its own recipe, `build: random` for another; where the build stands alone, the recipe."""
    if alone:
        return recipe or "before"
    return build if recipe == RECIPE else f"{build}: {recipe or 'before'}"


def results(contenders: Sequence[Contender], reference: str) -> list[Result]:
    """Every recipe of every benchmark, beside the recipe `RECIPE` of the build `reference` (beside its student where it trained nothing)."""
    alone = len(contenders) == 1
    rows = _merged([row for each in contenders for row in _rows(each, alone)], alone)
    bases = {benchmark: _base(rows, reference, benchmark) for benchmark in dict.fromkeys(row.result.benchmark for row in rows)}
    pairs, asked, why = [], [], {}
    for place, row in enumerate(rows):
        base = bases[row.result.benchmark]
        if base is None or row is base:
            continue
        reason, left, right = _sound(row, base)
        if reason is None and left is not None and right is not None:
            pairs.append((left, right))
            asked.append(place)
        else:
            why[place] = reason
    told = dict(zip(asked, paired(pairs), strict=True))
    return [replace(row.result, paired=told.get(place), apart=why.get(place)) for place, row in enumerate(rows)]


def _rows(build: Contender, alone: bool) -> list[_Row]:
    """The recipes of one build: from its answers, else from its `eval.json`."""
    found = []
    if build.answers is not None:
        for each in scores(build.answers.select(READS)):
            recipe = None if each.recipe == "before" else each.recipe
            name, mean = label(build.name, recipe, alone), each.mean()
            ks = tuple((k, each.pass_at(k)) for k in dict.fromkeys((1, each.samples)) if each.is_share)
            result = Result(
                name, build.name, recipe, each.benchmark, mean.value, mean.low, mean.high, mean.runs, mean.problems,
                each.samples, each.unknown, each.left_out, ks,
            )  # fmt: skip
            found.append(_Row(result, build, replace(each, recipe=name)))
        return found
    recipes = {arm.name: arm.recipe for arm in build.arms}
    for m in build.measured or ():
        if m.arm in recipes:
            recipe = recipes[m.arm]
            name = label(build.name, recipe, alone)
            result = Result(name, build.name, recipe, m.benchmark, m.value, m.low, m.high, 1, m.problems, m.samples, m.unknown, 0, m.pass_at_k)
            found.append(_Row(result, build))
    return found


def _merged(rows: Sequence[_Row], alone: bool) -> list[_Row]:
    """By benchmark, the untrained students first; builds of one student with one result show it once."""
    merged = []
    for benchmark in dict.fromkeys(row.result.benchmark for row in rows):
        here = [row for row in rows if row.result.benchmark == benchmark]
        before = list({_figures(row): row for row in reversed(here) if row.result.recipe is None}.values())[::-1]
        if len(before) == 1 and not alone:
            first = before[0]
            before = [replace(first, result=replace(first.result, label="before"), scores=first.scores and replace(first.scores, recipe="before"))]
        merged += [*before, *(row for row in here if row.result.recipe is not None)]
    return merged


def _figures(row: _Row) -> tuple[object, ...]:
    student, r = row.source.student or {}, row.result
    return student.get("weights"), student.get("template"), r.value, r.problems, r.unknown, r.samples


def _base(rows: Sequence[_Row], reference: str, benchmark: str) -> _Row | None:
    here = [row for row in rows if row.result.benchmark == benchmark and row.result.build == reference]
    return next((row for row in here if row.result.recipe == RECIPE), next(iter(here), None))


def _sound(row: _Row, base: _Row) -> tuple[str | None, Scores | None, Scores | None]:
    """Both tables cut to the problems that are the same in both, or why they are not compared."""
    for each in (row, base):
        if each.scores is None:
            return NO_ANSWERS if each is row else f"{NO_ANSWERS} ({each.source.name})", None, None
    left, right = row.scores, base.scores
    assert left is not None and right is not None
    if row.source is base.source:
        return None, left, right
    benchmark = row.result.benchmark
    if benchmark == HELDOUT:
        mine, theirs = ((each.source.student or {}).get("tokenizer") for each in (row, base))
        if mine != theirs:
            return "another tokenizer: its nats a token are of other tokens", None, None
        same = set(left.ids) & set(right.ids)
    else:
        same = _same(row.source, base.source, benchmark)
        if same is None:
            return "its problems have no ids, and the file is another one", None, None
    kept = sorted(same & set(left.ids) & set(right.ids))
    if not kept:
        return "no problem in common", None, None
    return None, _cut(left, kept), _cut(right, kept)


def _same(one: Contender, other: Contender, benchmark: str) -> set[str] | None:
    """The ids under which both builds asked for the same answer; None where the ids are line numbers of two files."""
    asked = [_asked(each, benchmark) for each in (one, other)]
    files = {file_digest(each, benchmark) for each in (one, other)}
    if len(files) > 1 and any(id.startswith("line ") for each in asked for id, _ in each):
        return None
    return {id for id, _ in set(asked[0]) & set(asked[1])}


def _asked(build: Contender, benchmark: str) -> list[tuple[str, str | None]]:
    if build.answers is None:
        return []
    return build.answers.filter(pl.col("benchmark") == benchmark).select("id", "answer").unique().rows()


def file_digest(build: Contender, benchmark: str) -> str | None:
    """The digest of a benchmark's file as the build read it."""
    stage = build.measuring
    path = next((each.path for each in stage.benchmarks if each.name == benchmark), None) if stage else None
    return build.manifest.get("files", {}).get(path) if path else None


def _cut(found: Scores, ids: Sequence[str]) -> Scores:
    places = {id: place for place, id in enumerate(found.ids)}
    columns = [places[id] for id in ids]
    return replace(found, ids=tuple(ids), values=found.values[:, columns], right=found.right[:, columns], asked=found.asked[:, columns])

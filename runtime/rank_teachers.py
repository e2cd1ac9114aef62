"""Runs a plan as far as one score needs it and ranks the teachers by it. What it computes is what a build would, and is kept in the store."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.expressions import columns
from ..compiler.plan.pending import concerns
from ..compiler.plan.stages import Filter, Plan, Profile, Score, Select, Stage, Tag, Where
from .context import Context
from .events import Event, Passed, StageFinished, StageStarted, Watch
from .execute import refuse
from .identity import seeded_hash
from .needs import needs
from .ranked_by import better, declared, reads
from .ranking import Ranking, correct, rank, valued
from .rates import remember
from .walk import Walk, advance

UNSAMPLED = "rank-teachers: the prompt is not in the sample"
WRONG = "rank-teachers: the response is not correct"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a plan. `by`: the score. `judge`: the score that tells correct responses, None where none does.

    `every`: all responses count, not the correct ones alone. `sample`: of so many prompts, None for all.
    """

    by: str
    judge: str | None = None
    every: bool = False
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The answer. `correct`: by teacher, its responses that are correct and those that the judge has a verdict on, among the rows that came to the judge.

    `prompts` were looked at, `of` so many; `waived` are the conditions left out because they ask for correct responses.
    """

    question: Question
    better: str
    unit: str | None
    ranking: Ranking
    correct: dict[str, tuple[int, int]]
    prompts: int
    of: int
    waived: tuple[str, ...]


def rank_teachers(plan: Plan, question: Question, context: Context) -> Ranked:
    """Score what a build would score by `question.by`, or the part of it that the sample is, and rank.

    The candidates are the rows that pass every `where` which the plan runs before that score, less those that are not correct; with `every`
    the conditions that read the judge are left out. A sample are the prompts with the smallest seeded hash of the id among those that still
    have a row when the first score or filter begins. Fault MIX0410 for a stage that cannot run yet, MIX0503 where no response has a value,
    and what scanning and scoring raise.
    """
    by = declared(plan)[question.by]
    stages, waived = _stages(plan, by, question)
    refuse(plan, [p for p in plan.pending if any(concerns(p, stage, plan) for stage in stages)])
    context = replace(context, watch=_remembering(context))
    walk = Walk(needed=needs(plan.stages))
    looked: tuple[int, int] | None = None
    teachers: list[str] = []
    for stage in stages:
        if looked is None and isinstance(stage, (Filter, Score)):
            looked = _sample(walk, question.sample, plan.seed)
            teachers = walk.rows.candidates(["teacher"])["teacher"].unique().to_list()
        if stage.id == by.id and not question.every and question.judge not in (None, by.name):
            _drop(walk, pl.col(f"score:{question.judge}").not_().fill_null(value=True), WRONG)
        _run(stage, walk, context)
    found = valued(walk.rows.candidates(), by.name)
    if found.is_empty():
        raise _nothing(by, walk, question)
    ranking = rank(found, by.name, plan.seed, teachers, better(plan, by.name))
    prompts, of = looked or (0, 0)
    return Ranked(question, better(plan, by.name), by.unit, ranking, correct(walk.rows.frame(["teacher", f"score:{question.judge}"]), question.judge), prompts, of, waived)


def _stages(plan: Plan, by: Score, question: Question) -> tuple[list[Stage], tuple[str, ...]]:
    """The stages to run, the judge and the score last, and the conditions left out."""
    end = next(i for i, s in enumerate(plan.stages) if s.id == by.id or isinstance(s, Select))
    before = plan.stages[:end]
    judge = () if question.judge is None else (question.judge,)
    waived = judge if question.every else ()
    kept = [w for s in before if isinstance(s, Filter) for w in s.wheres if not reads(w, waived)]
    needed = {c.name for w in kept for c in columns(w.condition) if c.source == "score"}
    found: list[Stage] = []
    for stage in before:
        match stage:
            case Filter():
                wheres = tuple(w for w in stage.wheres if w in kept)
                found += [replace(stage, wheres=wheres)] if wheres else []
            case Score():
                found += [stage] if stage.name in needed or stage.name in judge else []
            case Tag():
                found += [stage] if any(c.name == "skill" for w in kept for c in columns(w.condition)) else []
            case Profile():
                pass
            case _:
                found.append(stage)
    ids = {s.id for s in found}
    found += [s for name in dict.fromkeys((*judge, by.name)) if (s := declared(plan)[name]).id not in ids]
    return found, tuple(w.text for w in _wheres(before) if w not in kept)


def _wheres(stages: tuple[Stage, ...]) -> Iterator[Where]:
    for stage in stages:
        if isinstance(stage, Filter):
            yield from stage.wheres


def _run(stage: Stage, walk: Walk, context: Context) -> None:
    context.watch(StageStarted(stage.id))
    began = time.monotonic()
    summary = advance(stage, walk, context)
    context.watch(StageFinished(stage.id, summary, time.monotonic() - began))


def _sample(walk: Walk, size: int | None, seed: int) -> tuple[int, int]:
    """Drop the rows of prompts outside the sample; how many prompts are left, of how many."""
    ids = walk.rows.candidates(["prompt_id"])["prompt_id"].unique()
    if size is None or size >= len(ids):
        return len(ids), len(ids)
    hashed = pl.DataFrame({"prompt_id": ids, "hash": seeded_hash(seed, ids)})
    chosen = hashed.sort("hash", "prompt_id").head(size)["prompt_id"]
    _drop(walk, ~pl.col("prompt_id").is_in(chosen.implode()), UNSAMPLED)
    return size, len(ids)


def _drop(walk: Walk, without: pl.Expr, reason: str) -> None:
    dropped = pl.when(pl.col("reason").is_null() & without).then(pl.lit(reason)).otherwise("reason")
    walk.rows = walk.rows.map(lambda part: part.with_columns(reason=dropped))


def _nothing(by: Score, walk: Walk, question: Question) -> Fault:
    column = f"score:{by.name}:why"
    live = walk.rows.candidates()
    alike = Counter(re.sub(r"[0-9][0-9,.]*", "…", why) for why in live[column].drop_nulls()) if column in live.columns else Counter[str]()
    notes = [f"{step.rows:,} rows after `{step.clause}`" for step in walk.funnel[-1:]] if live.is_empty() else []
    notes += [f"{count:,} without a value: {why}" for why, count in sorted(alike.items())]
    if not question.every and (wrong := sum(int((part["reason"] == WRONG).sum()) for part in walk.rows.each(["reason"]))):
        notes.append(f"{wrong:,} are not correct by `{question.judge}`")
    help = "rank all responses with `--all`" if not question.every and question.judge else "loosen the clause that dropped the last rows, or rank by another score"
    return Fault(
        Diagnostic("MIX0503", f"no response has a value of `{by.name}` to rank teachers by", Label(by.span, "ranked by"), notes=tuple(notes), help=help)
    )


def _remembering(context: Context) -> Watch:
    def watch(event: Event) -> None:
        if isinstance(event, Passed):
            remember(context.store.root, event)
        context.watch(event)

    return watch

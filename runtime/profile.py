"""A measured `Profile` stage: a student answers a sample of the prompts of each leaf skill, and its answers are graded.

Which prompts are asked next depends on the answers alone: with a width, skills whose Wilson interval is still wider are asked half as many prompts
again, until it is not, or the prompts that a skill may have are at an end.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.plan.stages import Profile
from .context import Context
from .events import Notice
from .grade import graded, known_grades
from .measured import Measured, Profiled, Skill, tallies
from .responses import Asking, LocalModel, Question, are_stored, responses
from .strata import Strata
from .texts import OWN

FEWEST_MORE = 10
"""A round asks of a skill half as many prompts again, and no fewer than this."""
SHOWN = 6
COUNTS = ("attempts", "correct", "unknown", "cut")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a run of the stage would ask: responses `stored` already, and `most` that are not, exactly so many unless `open`: then fewer may do.
    `profiled` where nothing is left to ask."""

    stored: int
    most: int
    open: bool
    profiled: Profiled | None


def profile(stage: Profile, strata: Strata, context: Context) -> Profiled:
    """Ask and grade. Faults MIX0507 before the weights are loaded, MIX0530 where no answer could be graded, and those of model and grader."""
    _tell_strata(stage, strata, context)
    context.students.tokenizer(stage.model).prompt("")  # a student without a template cannot be asked: told before its weights are read
    whys: Counter[str] = Counter()

    def ask(places: Sequence[int]) -> pl.DataFrame:
        prompts = _texts(strata, places, context)
        found = responses(asking(stage), _questions(prompts), LocalModel(stage.model, context), context)
        answers = _answers(prompts, found)
        assert stage.grade is not None
        grades = graded(stage.id, stage.grade, answers.filter(pl.col("response").is_not_null()), stage.span, context)
        whys.update(grades["why"].drop_nulls())
        whys.update(answers["why_none"].drop_nulls())
        return _counted(answers, grades)

    measured = _rounds(stage, strata, ask)
    assert measured is not None
    if not any(skill.attempts for skill in measured.skills):
        notes = tuple(f"{count:,} times: {why}" for why, count in whys.most_common(3))
        said = f"the profile of `{stage.model.student}` cannot be measured: none of its {measured.responses:,} answers could be graded"
        raise Fault(Diagnostic("MIX0530", said, Label(stage.span, "no grade"), notes=notes, help="take another grader, or mend the references"))
    _tell(stage, measured, whys, context)
    return _profiled(stage, measured, context)


def foreseen(stage: Profile, strata: Strata, context: Context) -> Foreseen:
    """The same from the store, asking nobody. Faults as those of the grader."""
    assert stage.grade is not None
    grade, here = stage.grade, context.students.is_here(stage.model)
    known, who = {"stored": 0, "due": 0}, LocalModel(stage.model, context)

    def ask(places: Sequence[int]) -> pl.DataFrame | None:
        prompts = _texts(strata, places, context)
        stored = int(are_stored(asking(stage), _questions(prompts), who, context).sum()) if here else 0
        known["stored"] += stored * stage.attempts
        known["due"] += (prompts.height - stored) * stage.attempts
        if stored < prompts.height:
            return None
        answers = _answers(prompts, responses(asking(stage), _questions(prompts), who, context))
        grades = known_grades(stage.id, grade, answers.filter(pl.col("response").is_not_null()), stage.span, context)
        return None if grades is None else _counted(answers, grades)

    measured = _rounds(stage, strata, ask)
    if measured is not None:
        return Foreseen(known["stored"], 0, False, _profiled(stage, measured, context))
    every = len({int(place) for places in strata.leaves.values() for place in places}) * stage.attempts
    more = every - known["stored"] - known["due"]
    return Foreseen(known["stored"], known["due"] + more, more > 0, None)


def asking(stage: Profile) -> Asking:
    """How the student is asked: no other run's answers are compared with these, so those of any engine count."""
    return Asking(stage=stage.id, max_tokens=stage.max_tokens, samples=stage.attempts, temperature=stage.temperature, seed=stage.seed)


def _rounds(stage: Profile, strata: Strata, ask: Callable[[Sequence[int]], pl.DataFrame | None]) -> Measured | None:
    """Ask in rounds until every skill has enough; None where `ask` once has no answer."""
    counts = {name: np.zeros(strata.prompts.height, np.int64) for name in COUNTS}
    asked = np.zeros(strata.prompts.height, bool)
    sizes = {leaf: len(places) if stage.least is None else min(stage.least, len(places)) for leaf, places in strata.leaves.items()}
    while True:
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *(places[: sizes[leaf]] for leaf, places in strata.leaves.items())]))
        due = wanted[~asked[wanted]]
        if due.size:
            found = ask(due.tolist())
            if found is None:
                return None
            for name in COUNTS:
                counts[name][due] = found[name].to_numpy()
            asked[due] = True
        skills = {leaf: _skill(strata, leaf, sizes[leaf], counts) for leaf in strata.leaves}
        wide = [leaf for leaf, skill in skills.items() if stage.width is not None and skill.asked and skill.width > stage.width / 100]
        grown = {leaf: min(sizes[leaf] + max(sizes[leaf] // 2, FEWEST_MORE), len(strata.leaves[leaf])) for leaf in wide}
        if all(sizes[leaf] == size for leaf, size in grown.items()):
            break
        sizes |= grown
    return Measured(
        skills=tuple(sorted((skill for skill in skills.values() if skill.asked), key=lambda skill: skill.name)),
        empty=tuple(sorted(strata.names[leaf] for leaf, skill in skills.items() if not skill.asked)),
        prompts=int(asked.sum()),
        without=strata.without,
        responses=int(asked.sum()) * stage.attempts,
        unknown=int(counts["unknown"].sum()),
        cut=int(counts["cut"].sum()),
        wide=tuple(sorted(strata.names[leaf] for leaf in wide)),
    )


def _skill(strata: Strata, leaf: str, size: int, counts: dict[str, np.ndarray]) -> Skill:
    places = strata.leaves[leaf][:size]
    return Skill(name=strata.names[leaf], chain=leaf, available=strata.available[leaf], asked=len(places), **{name: int(counts[name][places].sum()) for name in COUNTS})


def _texts(strata: Strata, places: Sequence[int], context: Context) -> pl.DataFrame:
    """The prompts at these places, with their texts."""
    return context.texts.add(strata.prompts[places], ("prompt",)).drop(*OWN, strict=False)


def _questions(prompts: pl.DataFrame) -> list[Question]:
    return [Question(text) for text in prompts["prompt"]]


def _answers(prompts: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """A row a response, with what the grader reads of its prompt; `why_none` says why there is no response."""
    told = found.select("question", pl.col("text").alias("response"), "finished", pl.col("why").alias("why_none"))
    return told.join(prompts.with_row_index("question"), on="question", how="left", maintain_order="left")


def _counted(answers: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """COUNTS of each question, in their order; a response that is not there is unknown."""
    verdicts = grades.select("question", "correct", "finished")
    none = answers.filter(pl.col("response").is_null()).select("question", pl.lit(None, pl.Boolean).alias("correct"), pl.lit(True).alias("finished"))
    counted = pl.concat([verdicts, none]).group_by("question").agg(
        pl.col("correct").is_not_null().sum().alias("attempts"),
        pl.col("correct").fill_null(value=False).sum().alias("correct"),
        pl.col("correct").is_null().sum().alias("unknown"),
        pl.col("finished").not_().sum().alias("cut"),
    )  # fmt: skip
    return counted.sort("question")


def _profiled(stage: Profile, measured: Measured, context: Context) -> Profiled:
    return Profiled(stage, tallies(measured), measured, context.students.files(stage.model).digest)


def _tell_strata(stage: Profile, strata: Strata, context: Context) -> None:
    assert stage.grade is not None
    reads = " and ".join(f"`{read.removeprefix('column:')}`" for read in stage.grade.reads)
    if strata.without:
        context.watch(Notice(stage.id, f"{strata.without:,} of {strata.every:,} prompts have no {reads} to be graded by, and are not asked"))
    if strata.differing:
        context.watch(Notice(stage.id, f"{strata.differing:,} prompts have rows that differ in {reads}; that of the first row by id counts"))


def _tell(stage: Profile, measured: Measured, whys: Counter[str], context: Context) -> None:
    def tell(said: str) -> None:
        context.watch(Notice(stage.id, said))

    if measured.empty:
        tell(f"{_skills(measured.empty)} no prompt that can be asked, and {'is' if len(measured.empty) == 1 else 'are'} not in the profile: {_listed(measured.empty)}")
    if measured.cut:
        tell(f"{measured.cut:,} of {measured.responses:,} responses were cut at {stage.max_tokens:,} tokens")
    if measured.unknown:
        why = ", ".join(f"{why} ({count:,})" for why, count in whys.most_common(3))
        tell(f"{measured.unknown:,} of {measured.responses:,} responses have no grade and count neither as attempts nor as correct: {why}")
    if measured.wide:
        known = {skill.name: skill for skill in measured.skills}
        said = [f"{name} {known[name].width:.0%} after {known[name].asked:,} prompt{'' if known[name].asked == 1 else 's'}" for name in measured.wide]
        tell(f"{_skills(measured.wide)} an interval wider than {stage.width:g}% and no more prompts to be asked: {_listed(said, quoted=False)}")


def _skills(names: Sequence[str]) -> str:
    return f"{len(names):,} skill has" if len(names) == 1 else f"{len(names):,} skills have"


def _listed(names: Sequence[str], *, quoted: bool = True) -> str:
    shown = ", ".join(f"`{name}`" if quoted else name for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")

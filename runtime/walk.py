"""The relational half of a plan, stage by stage: from scanned rows to chosen ones. A preview is the same walk with nothing computed."""

from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from ..compiler.plan.stages import (
    Arm,
    Decontaminate,
    Dedup,
    Filter,
    Heldout,
    Profile,
    Scan,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
)
from .attribute import Branches
from .baselines import select_arms
from .contents import contents
from .context import Context
from .datasets import refuse_mute, scanned, union
from .decontaminate import decontaminate
from .dedup import dedup
from .events import Notice
from .generate import generate
from .identity import by_row_id
from .licensed import Licensed, licensed
from .llm_tag import tag_by_llm
from .measured import Profiled
from .needs import ALL
from .profile import profile
from .rows import Rows
from .score import score
from .select import Step, filter_rows, select
from .selection.problem import Solution
from .strata import Tree, strata
from .tag import tag
from .teachers import name_teachers
from .texts import CHARACTERS, OWN, PROMPT, TEXTS, with_prompts

HELD_OUT = "heldout: the prompt is held out"
LOOKED = ("row_id", "prompt_id", "reason", *TEXTS, *OWN)
"""What decontaminate and dedup look at."""


@dataclass(slots=True)
class Walk:
    """What the stages so far have made. `rows` are all scanned rows, sorted by row id; `reason` is null for those still in; `evidence` is what
    decontaminate, dedup and a model that tags found, in numbers. `tree` is that of the skills, `profiles` are those known so far, by student.
    `licences` are those of each corpus that states any, as they were scanned.

    `needed` are the texts that the stages to come read as columns of `rows` (`needs`); the others are read when they are asked for. `asks`: teachers that have yet to answer are asked; else `lacking` are the answers, by teacher, that the store does not have.
    `arms` are those of the evaluation to come: the rows that a baseline selects of the same candidates stand in `baselines`, by the arm's name.
    """

    needed: frozenset[str] = ALL
    asks: bool = True
    rows: Rows = field(default_factory=Rows.none)
    scans: list[tuple[Scan, Rows]] = field(default_factory=list)
    heldout: pl.DataFrame | None = None
    teachers: Teachers | None = None
    tree: Tree = None
    profiles: dict[str, Profiled] = field(default_factory=dict)
    solution: Solution | None = None
    funnel: list[Step] = field(default_factory=list)
    licences: dict[str, Licensed] = field(default_factory=dict)
    inputs: list[dict[str, object]] = field(default_factory=list)
    scored: dict[str, tuple[int, int]] = field(default_factory=dict)
    evidence: dict[str, dict[str, object]] = field(default_factory=dict)
    arms: tuple[Arm, ...] = ()
    baselines: dict[str, Rows] = field(default_factory=dict)
    lacking: dict[str, int] = field(default_factory=dict)
    tagged: Branches | None = None


def advance(stage: Stage, walk: Walk, context: Context) -> str:
    """Run one relational or Score stage on the walk; the answer is one line about it."""
    match stage:
        case Scan():
            return _scan(stage, walk, context)
        case Teachers():
            return _teachers(stage, walk, context)
        case Heldout():
            return _heldout(stage, walk, context)
        case Decontaminate():
            if stage.because is not None:
                return "waived"
            rows = by_row_id(walk.rows.candidates(LOOKED))
            marked, walk.evidence[stage.id] = decontaminate(stage, rows, context.texts, context.watch)
            walk.rows = _with_reasons(walk.rows, marked)
            return _left(walk, stage.text)
        case Dedup():
            rows = by_row_id(walk.rows.candidates(LOOKED))
            marked, walk.evidence[stage.id] = dedup(stage, rows, context.texts, context.watch)
            walk.rows = _with_reasons(walk.rows, marked)
            return _left(walk, stage.text)
        case Tag() if stage.attribution is not None:
            walk.rows, walk.tagged = tag_by_llm(stage, walk.rows, context)
            walk.tree = stage.tree
            walk.evidence[stage.id] = walk.tagged.to_data()
            return _tagged(walk.rows)
        case Tag():
            walk.rows, walk.tree = tag(stage, walk.rows, context), stage.tree
            return _tagged(walk.rows)
        case Filter():
            walk.rows, steps = filter_rows(stage, walk.rows)
            walk.funnel.extend(steps)
            return f"{walk.rows.alive:,} rows left"
        case Score():
            done = score(stage, walk.rows, context)
            walk.rows = done.rows
            walk.scored[stage.name] = (done.computed, done.reused)
            return done.summary
        case Profile():
            measured = profile(stage, strata(stage, walk.tree, walk.rows), context) if stage.measured else Profiled(stage, stage.tallies or ())
            walk.profiles[stage.model.student] = measured
            return measured.summary
        case Select():
            chosen = select(aimed(stage, walk), walk.rows, tuple(walk.funnel))
            if chosen.rows.alive:
                walk.baselines = select_arms(walk.arms, walk.rows, walk.funnel, chosen.rows.alive, context)
            walk.rows, walk.solution = chosen.rows, chosen.solution
            walk.funnel.extend(chosen.funnel)
            for notice in chosen.notices:
                context.watch(Notice(stage.id, notice))
            return _left(walk, "select", "selected")
        case _:
            raise TypeError(f"no relational rule for {type(stage).__name__}")


def aimed(stage: Select, walk: Walk) -> Select:
    """The selection with the counts of a profile that was measured on the way."""
    known = walk.profiles.get(stage.soft.student or "") if stage.soft else None
    return replace(stage, tallies=known.tallies) if known is not None and known.stage.measured else stage


def _scan(stage: Scan, walk: Walk, context: Context) -> str:
    rows = scanned(stage, walk.needed, context)
    walk.inputs.append(found_in(stage, rows))
    walk.funnel.append(Step(f"scan {stage.corpus}", rows.alive))
    rows, found = licensed(stage, rows)
    walk.scans.append((stage, rows))
    if found is None:
        return _counted(rows)
    walk.licences[stage.corpus] = found
    walk.evidence[stage.id] = {"licences": found.to_data()}
    if found.allowed is None:
        return _counted(rows)
    walk.funnel.append(Step(found.clause, rows.alive))
    return f"{_counted(rows)}, {sum(found.refused.values()):,} under no allowed licence"


def found_in(scan: Scan, rows: Rows, **more: object) -> dict[str, object]:
    """What is told of a corpus's rows: how many, their digests, and what a lock pins beside them."""
    found = contents(rows)
    digests = {"digest": found.ids, "content": found.values, "columns": list(found.columns), "sketch": found.sketch}
    return {"corpus": scan.corpus, **more, "path": scan.path, "rows": rows.height, **digests}


def _teachers(stage: Teachers, walk: Walk, context: Context) -> str:
    writing = {teacher.corpus for teacher in stage.generated}
    for scan, rows in walk.scans:
        if scan.corpus not in writing:
            refuse_mute(rows, scan)
    prompts = {scan.corpus: (scan, rows) for scan, rows in walk.scans}
    written = [generate(stage, each, *prompts[each.corpus], walk.needed, context, ask=walk.asks) for each in stage.generated]
    named = [rows.map(partial(name_teachers, stage)) for _, rows in walk.scans]
    found = [(one.scan, one.rows) for one in written if one.rows is not None]
    walk.rows = union([*named, *(rows for _, rows in found)], [*(scan for scan, _ in walk.scans), *(scan for scan, _ in found)], context)
    walk.teachers, walk.scans = stage, []
    if written:
        walk.evidence[stage.id] = {each.name: one.facts for each, one in zip(stage.generated, written, strict=True)}
        walk.lacking = {each.name: one.lacking for each, one in zip(stage.generated, written, strict=True) if one.lacking}
    teachers = {name for live in walk.rows.live(["teacher"]) for name in live["teacher"].unique()}
    answers = sum(rows.height for _, rows in found)
    return _left(walk, "teachers", f"{len(teachers):,} teachers" + (f", {answers:,} answers" if written else ""))


def _counted(rows: Rows) -> str:
    count, prompts = rows.height, sum(part["prompt_id"].n_unique() for part in rows.each(["prompt_id"]))
    return f"{count:,} row{'' if count == 1 else 's'} of {prompts:,} prompt{'' if prompts == 1 else 's'}"


def _heldout(stage: Heldout, walk: Walk, context: Context) -> str:
    held_out = scanned(stage.scan, walk.needed | {PROMPT}, context)
    walk.inputs.append(found_in(stage.scan, held_out, heldout=True))
    held_out, _ = licensed(stage.scan, held_out)
    refuse_mute(held_out, stage.scan)
    rows = held_out.frame()
    if walk.teachers is not None:
        rows = name_teachers(walk.teachers, rows)
    walk.heldout = by_row_id(rows.filter(pl.col("reason").is_null()))
    texts = rows.filter(pl.col(CHARACTERS["prompt"]).is_not_null())[PROMPT].unique()
    ids = rows["prompt_id"].unique()
    before, has = walk.rows.alive, PROMPT in walk.rows.columns
    held = pl.col("prompt_id").is_in(ids.implode()) | pl.col(PROMPT).is_in(texts.implode())

    def out(part: pl.DataFrame) -> pl.DataFrame:
        marked = with_prompts(part).with_columns(reason=pl.when(pl.col("reason").is_null() & held).then(pl.lit(HELD_OUT)).otherwise("reason"))
        return marked if has else marked.drop(PROMPT)

    walk.rows = walk.rows.map(out)
    shared = before - walk.rows.alive
    said = f"{_counted(Rows.of(walk.heldout))} set aside"
    return _left(walk, "heldout", f"{said}, {shared:,} candidates share one") if shared else said


def _with_reasons(rows: Rows, marked: pl.DataFrame) -> Rows:
    """The rows with the reasons that the candidates `marked` got."""
    dropped = marked.filter(pl.col("reason").is_not_null()).select("row_id", why="reason")

    def add(part: pl.DataFrame) -> pl.DataFrame:
        joined = part.join(dropped, on="row_id", how="left", maintain_order="left")
        return joined.with_columns(pl.coalesce("reason", "why").alias("reason")).drop("why")

    return rows.map(add)


def _tagged(rows: Rows) -> str:
    tagged = [live["skills"] for live in rows.live(["skills"])]
    names = {name for skills in tagged for name in skills.explode().drop_nulls().unique()}
    return f"{len(names):,} skills on {sum(int((skills.list.len() > 0).sum()) for skills in tagged):,} rows"


def _left(walk: Walk, clause: str, said: str = "") -> str:
    walk.funnel.append(Step(clause, walk.rows.alive))
    counted = f"{walk.rows.alive:,} rows {'left' if said != 'selected' else 'selected'}"
    return f"{said}, {counted}" if said and said != "selected" else counted

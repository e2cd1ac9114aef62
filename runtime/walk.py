"""The relational half of a plan, stage by stage: from scanned rows to chosen ones. A preview is the same walk with nothing computed."""

import hashlib
from dataclasses import dataclass, field

import polars as pl

from ..compiler.plan.stages import (
    Decontaminate,
    Dedup,
    Filter,
    Heldout,
    Scan,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
)
from .context import Context
from .datasets import narrow, union
from .decontaminate import decontaminate
from .dedup import dedup
from .events import Notice
from .identity import by_row_id
from .needs import ALL
from .score import score
from .select import Step, alive, filter_rows, select
from .selection.problem import Solution
from .tag import tag
from .teachers import name_teachers
from .texts import CHARACTERS, OWN, PROMPT, REFERENCE, TEXTS, with_prompts

HELD_OUT = "heldout: the prompt is held out"
_SLICE = 100_000


@dataclass(slots=True)
class Walk:
    """What the stages so far have made. `rows` are all scanned rows, sorted by row id; `reason` is null for those still in; `evidence` is what
    decontaminate and dedup found, in numbers.

    `needed` are the texts that the stages to come read as columns of `rows` (`needs`); the others are read when they are asked for.
    """

    needed: frozenset[str] = ALL
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    scans: list[tuple[Scan, pl.DataFrame]] = field(default_factory=list)
    heldout: pl.DataFrame | None = None
    teachers: Teachers | None = None
    solution: Solution | None = None
    funnel: list[Step] = field(default_factory=list)
    inputs: list[dict[str, object]] = field(default_factory=list)
    scored: dict[str, tuple[int, int]] = field(default_factory=dict)
    evidence: dict[str, dict[str, object]] = field(default_factory=dict)


def advance(stage: Stage, walk: Walk, context: Context) -> str:
    """Run one relational or Score stage on the walk; the answer is one line about it."""
    match stage:
        case Scan():
            return _scan(stage, walk, context)
        case Teachers():
            named = [name_teachers(stage, rows) for _, rows in walk.scans]
            walk.rows = union(named, [scan for scan, _ in walk.scans], context.watch, context.texts)
            walk.teachers, walk.scans = stage, []
            return _left(walk, "teachers", f"{walk.rows.filter(pl.col('reason').is_null())['teacher'].n_unique():,} teachers")
        case Heldout():
            return _heldout(stage, walk, context)
        case Decontaminate():
            if stage.because is not None:
                return "waived"
            walk.rows, walk.evidence[stage.id] = decontaminate(stage, walk.rows, context.texts, context.watch)
            return _left(walk, stage.text)
        case Dedup():
            walk.rows, walk.evidence[stage.id] = dedup(stage, walk.rows, context.texts, context.watch)
            return _left(walk, stage.text)
        case Tag():
            walk.rows = tag(stage, walk.rows, context.watch)
            live = walk.rows.filter(pl.col("reason").is_null())
            return f"{live['skills'].explode().n_unique():,} skills on {live.filter(pl.col('skills').list.len() > 0).height:,} rows"
        case Filter():
            walk.rows, steps = filter_rows(stage, walk.rows)
            walk.funnel.extend(steps)
            return f"{alive(walk.rows):,} rows left"
        case Score():
            done = score(stage, walk.rows, context)
            walk.rows = done.rows
            walk.scored[stage.name] = (done.computed, done.reused)
            return done.summary
        case Select():
            chosen = select(stage, walk.rows, tuple(walk.funnel))
            walk.rows, walk.solution = chosen.rows, chosen.solution
            walk.funnel.extend(chosen.funnel)
            for notice in chosen.notices:
                context.watch(Notice(stage.id, notice))
            return _left(walk, "select", "selected")
        case _:
            raise TypeError(f"no relational rule for {type(stage).__name__}")


def _scan(stage: Scan, walk: Walk, context: Context) -> str:
    rows = narrow(stage, walk.needed, context.texts, context.watch, context.store)
    walk.scans.append((stage, rows))
    walk.inputs.append({"corpus": stage.corpus, "path": stage.path, "rows": rows.height, "digest": content_digest(rows), "content": _values_digest(rows)})
    walk.funnel.append(Step(f"scan {stage.corpus}", alive(rows)))
    return _counted(rows)


def _counted(rows: pl.DataFrame) -> str:
    count, prompts = rows.height, rows["prompt_id"].n_unique()
    return f"{count:,} row{'' if count == 1 else 's'} of {prompts:,} prompt{'' if prompts == 1 else 's'}"


def _heldout(stage: Heldout, walk: Walk, context: Context) -> str:
    rows = narrow(stage.scan, walk.needed | {PROMPT}, context.texts, context.watch, context.store)
    if walk.teachers is not None:
        rows = name_teachers(walk.teachers, rows)
    walk.heldout = rows.filter(pl.col("reason").is_null())
    texts = rows.filter(pl.col(CHARACTERS["prompt"]).is_not_null())[PROMPT].unique()
    ids = pl.col("prompt_id").is_in(rows["prompt_id"].unique().implode())
    before, has = alive(walk.rows), PROMPT in walk.rows.columns
    walk.rows = with_prompts(walk.rows)
    held = ids | pl.col(PROMPT).is_in(texts.implode())
    walk.rows = walk.rows.with_columns(reason=pl.when(pl.col("reason").is_null() & held).then(pl.lit(HELD_OUT)).otherwise("reason"))
    walk.rows = walk.rows if has else walk.rows.drop(PROMPT)
    shared = before - alive(walk.rows)
    said = f"{_counted(walk.heldout)} set aside"
    return _left(walk, "heldout", f"{said}, {shared:,} candidates share one") if shared else said


def _left(walk: Walk, clause: str, said: str = "") -> str:
    walk.funnel.append(Step(clause, alive(walk.rows)))
    counted = f"{alive(walk.rows):,} rows {'left' if said != 'selected' else 'selected'}"
    return f"{said}, {counted}" if said and said != "selected" else counted


def _values_digest(rows: pl.DataFrame) -> str:
    """A digest of all values of the rows, whatever their order and files: the same ids with another reference are another content.

    A row id stands for prompt, response and teacher, a digest of its own for the reference.
    """
    names = [name for name in rows.columns if name == REFERENCE or name not in (*TEXTS[:3], *OWN)]
    whole = hashlib.sha256()
    for part in by_row_id(rows).select(sorted(names)).iter_slices(_SLICE):
        whole.update(part.select(pl.struct(pl.all()).struct.json_encode().str.join("\n")).item().encode() + b"\n")
    return whole.hexdigest()[:32]


def content_digest(rows: pl.DataFrame) -> str:
    """A digest of the rows whatever their order and files: SHA-256 over the sorted row ids, a line each, 32 hex digits."""
    whole = hashlib.sha256()
    for number, part in enumerate(by_row_id(rows.select("row_id")).iter_slices(_SLICE)):
        whole.update((("\n" if number else "") + part.select(pl.col("row_id").str.join("\n")).item()).encode())
    return whole.hexdigest()[:32]

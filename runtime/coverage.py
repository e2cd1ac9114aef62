"""Runs a plan as far as tagging, and counts what each skill of the tree has: rows, prompts, tokens, correct responses; beside it the student's accuracy
where a profile is known. Loads no weights but those that tag, and writes the store alone."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ..compiler.diagnostics import Fault
from ..compiler.plan.pending import concerns
from ..compiler.plan.stages import Filter, Plan, Profile, Score, Select, SoftQuota, Stage, Tag, Tally, Teachers
from .attribute import Branches
from .context import Context
from .events import Notice, StageFinished, StageStarted
from .execute import refuse
from .needs import needs
from .profile import foreseen
from .ranked_by import declared
from .selection.targets import by_chain, leaves, prior_of
from .skill_accuracy import Prior, SkillAccuracy, skill_accuracies
from .strata import strata
from .walk import Walk, advance

COUNTS = ("rows", "prompts", "tokens", "right", "judged")


@dataclass(frozen=True, slots=True)
class Count:
    """What some rows come to. `tokens`: of their responses, None where nothing counts them. Of `judged` rows, which have a verdict, `right` are correct."""

    rows: int = 0
    prompts: int = 0
    tokens: int | None = None
    right: int = 0
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A skill with all that lies below it. `chain` is from the root's child; `depth` is 0 there."""

    name: str
    chain: str
    depth: int
    leaf: bool
    count: Count


@dataclass(frozen=True, slots=True)
class Coverage:
    """`nodes` in the order of the tree, those without a row too; without a tree, the values that rows have, by name.

    `every` counts all rows, `without` those that have no skill; a row of several skills counts in each. `judge` and `tokens` are the scores
    that told correct responses and lengths; `left_out` says which could not, and why. `accuracy` is that of the student of `profile` at each chain,
    and at the root, by the prior of the plan's `quota skill weakness`, else beta(1, 1). `branches`: what became of the questions to a model that tags,
    None where none does.
    """

    stage: Tag
    nodes: tuple[Node, ...]
    every: Count
    without: Count
    judge: str | None
    tokens: str | None
    left_out: tuple[str, ...]
    profile: str | None = None
    accuracy: Mapping[str, SkillAccuracy] = field(default_factory=dict)
    branches: Branches | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The attempts of `student` by skill, named by node or by chain."""

    student: str
    tallies: tuple[tuple[str, Tally], ...]


def coverage(plan: Plan, judge: str | None, context: Context, measured: Measured | None = None) -> Coverage:
    """Tag what a build would tag, and count it by skill: the rows that no `where` of `select` has looked at yet, so that wrong responses count too.

    `judge`: the score that tells correct responses, None where none does. Of the scores only it and the one that counts tokens are computed,
    where that asks no model; an embedding model that tags is asked. `measured`: whose accuracy stands beside it, None for the plan's profile. Faults: MIX0410 for a stage that cannot run yet, and what scanning, tagging and scoring raise.
    """
    stage = next(s for s in plan.stages if isinstance(s, Tag))
    counted, left_out = _scores(plan, judge, context)
    stages = (*_before(plan), stage, *counted.values())
    refuse(plan, [p for p in plan.pending if any(concerns(p, each, plan) for each in stages)])
    walk = Walk(needed=needs((*stages, *(s for s in plan.stages if isinstance(s, Profile)))), asks=False)
    for each in stages:
        context.watch(StageStarted(each.id))
        began = time.monotonic()
        summary = advance(each, walk, context)
        for teacher, number in walk.lacking.items() if isinstance(each, Teachers) else ():
            context.watch(Notice(each.id, f"without {number:,} answers of `{teacher}`, which are yet to be written"))
        context.watch(StageFinished(each.id, summary, time.monotonic() - began))
    names = {role: score.name for role, score in counted.items()}
    nodes, every, without = _counted(stage, walk, names)
    measured = measured or profiled(plan, walk, context)
    accuracy = {} if measured is None else _accuracy(plan, stage, measured, nodes)
    if measured is not None and stage.tree is not None and (strangers := by_chain(measured.tallies, stage.tree).keys() - {c for _, c in stage.tree}):
        more = f" and {len(strangers) - 5:,} more" if len(strangers) > 5 else ""
        left_out += (f"left out of the profile: {', '.join(f'`{s}`' for s in sorted(strangers)[:5])}{more}, which the tree does not have",)
    return Coverage(stage, nodes, every, without, names.get("judge"), names.get("tokens"), left_out, measured and measured.student, accuracy, walk.tagged)


def profiled(plan: Plan, walk: Walk, context: Context) -> Measured | None:
    """The profile that the selection aims by, else the only one, where its counts are known: from its file, or of answers that are in the store."""
    profiles = {s.model.student: s for s in plan.stages if isinstance(s, Profile)}
    soft = _soft(plan)
    aimed = profiles.get(soft.student or "") if soft else None
    stage = aimed or (next(iter(profiles.values())) if len(profiles) == 1 else None)
    tallies = None if stage is None else _stored(stage, walk, context) if stage.measured else stage.tallies
    return None if stage is None or tallies is None else Measured(stage.model.student, tallies)


def _stored(stage: Profile, walk: Walk, context: Context) -> tuple[tuple[str, Tally], ...] | None:
    """The counts of a profile that was measured; None where something of it is yet to be asked, or nothing can be."""
    try:
        found = foreseen(stage, strata(stage, walk.tree, walk.rows), context)
    except Fault:  # a build says what is wrong with it
        return None
    return found.profiled and found.profiled.tallies


def _accuracy(plan: Plan, stage: Tag, measured: Measured, nodes: tuple[Node, ...]) -> dict[str, SkillAccuracy]:
    """Of each node and of the root; without a tree, of the skills that rows have or that were attempted."""
    tallies = by_chain(measured.tallies, stage.tree)
    soft = _soft(plan)
    prior = prior_of(soft) if soft is not None and soft.shape == "weakness" and soft.student == measured.student else Prior()
    return skill_accuracies(leaves(stage.tree, [*(n.chain for n in nodes), *tallies]), tallies, prior)


def _soft(plan: Plan) -> SoftQuota | None:
    return next((s.soft for s in plan.stages if isinstance(s, Select)), None)


def _before(plan: Plan) -> list[Stage]:
    """What comes before tagging, without conditions of `select` and scores."""
    kept: list[Stage] = [s for s in plan.stages if not isinstance(s, Filter | Score | Profile)]
    return kept[: next(i for i, s in enumerate(kept) if isinstance(s, Tag))]


def _scores(plan: Plan, judge: str | None, context: Context) -> tuple[dict[str, Score], tuple[str, ...]]:
    """The scores to compute, by what they are for, and what is said of those that are not."""
    known = {s.name: s for s in plan.stages if isinstance(s, Score)}
    wanted = {"judge": judge, "tokens": _lengths(plan, known)}
    found: dict[str, Score] = {}
    left_out = []
    for role, name in wanted.items():
        if name is None:
            continue
        score = replace(known[name], rows="candidates")
        if score.model is None or (score.scorer == "tokens" and context.students.is_here(score.model)):
            found[role] = score
        elif score.scorer == "tokens":
            left_out.append(f"tokens are not counted: the tokenizer of `{score.model.student}` is not here")
        else:
            left_out.append(f"`{name}` asks a model, and is not computed for this")
    return found, tuple(left_out)


def _lengths(plan: Plan, known: Mapping[str, Score]) -> str | None:
    """The score that counts tokens for the selection, else the only one of unit tokens."""
    select = next((s for s in plan.stages if isinstance(s, Select)), None)
    if select is not None and select.tokens in known:
        return select.tokens
    counts = [name for name in declared(plan) if known[name].unit == "tokens"]
    return counts[0] if len(counts) == 1 else None


def _counted(stage: Tag, walk: Walk, names: Mapping[str, str]) -> tuple[tuple[Node, ...], Count, Count]:
    by: dict[str, list[Count]] = {}
    every, without = [], []
    read = ["prompt_id", "skills", *(f"score:{name}" for name in names.values())]
    for part in walk.rows.live(read):
        rows = _numbers(part, names)
        every.append(_count(rows))
        without.append(_count(rows.filter(pl.col("skills").list.len() == 0)))
        for chain, count in _by_node(stage, rows):
            by.setdefault(chain, []).append(count)
    chains = [chain for _, chain in stage.tree] if stage.tree is not None else sorted(by)
    inner = {"->".join(chain.split("->")[:-1]) for chain in chains} if stage.tree is not None else set()
    nodes = []
    for chain in chains:
        above = chain.split("->") if stage.tree is not None else [chain]
        nodes.append(Node(above[-1], chain, len(above) - 1, chain not in inner, _sum(by.get(chain, []), "tokens" in names)))
    return tuple(nodes), _sum(every, "tokens" in names), _sum(without, "tokens" in names)


def _numbers(part: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Of each row its number, prompt and skills, with `tokens`, `right` and `judged` (whether it has a verdict)."""
    tokens = pl.col(f"score:{names['tokens']}").cast(pl.Int64) if "tokens" in names else pl.lit(None, pl.Int64)
    verdict = pl.col(f"score:{names['judge']}") if "judge" in names else pl.lit(None, pl.Boolean)
    return part.select("prompt_id", "skills", tokens.alias("tokens"), verdict.fill_null(value=False).alias("right"), verdict.is_not_null().alias("judged")).with_row_index("row")


_SUMS = (
    pl.len().alias("rows"),
    pl.col("prompt_id").n_unique().alias("prompts"),
    pl.col("tokens").sum(),
    pl.col("right").sum(),
    pl.col("judged").sum(),
)


def _count(rows: pl.DataFrame) -> Count:
    return Count(**rows.select(_SUMS).row(0, named=True))


def _by_node(stage: Tag, rows: pl.DataFrame) -> list[tuple[str, Count]]:
    """A row counts once in each skill that it has, and once in each above one of them."""
    pairs = rows.select("row", "skills").explode("skills").drop_nulls("skills")
    chains = pairs["skills"].unique().to_list()
    nodes = [_upwards(chain) if stage.tree is not None else [chain] for chain in chains]
    above = pl.DataFrame({"skills": chains, "node": nodes}, schema={"skills": pl.String, "node": pl.List(pl.String)}).explode("node")
    held = pairs.join(above, on="skills").select("row", "node").unique().join(rows, on="row")
    return [(found.pop("node"), Count(**found)) for found in held.group_by("node").agg(_SUMS).iter_rows(named=True)]


def _upwards(chain: str) -> list[str]:
    names = chain.split("->")
    return ["->".join(names[:end]) for end in range(1, len(names) + 1)]


def _sum(counts: list[Count], with_tokens: bool) -> Count:
    """Parts hold whole prompts, so their prompts add up."""
    found = Count(**{name: sum(getattr(count, name) or 0 for count in counts) for name in COUNTS})
    return found if with_tokens else replace(found, tokens=None)

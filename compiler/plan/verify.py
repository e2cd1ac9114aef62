"""What must hold in every plan, whatever spec it came from. A failure is a fault of the compiler, never of the user."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..expressions import Column, Expression, columns, is_barrier
from .passes import RESPONSE, TAKES
from .stages import (
    Decontaminate,
    Evaluate,
    Filter,
    Heldout,
    Keep,
    Materialise,
    Plan,
    Profile,
    Quota,
    Scan,
    Score,
    Select,
    SoftQuota,
    Stage,
    Tag,
    Teachers,
    Train,
    Where,
    kind,
)

# Filters, scores, tags and the profile may trade places, so that cheap filters run before dear scores.
ORDER = {
    "scan": 0,
    "teachers": 1,
    "heldout": 2,
    "decontaminate": 3,
    "dedup": 4,
    "tag": 5,
    "filter": 5,
    "score": 5,
    "profile": 5,
    "select": 6,
    "materialise": 8,
    "train": 9,
    "evaluate": 10,
}
AFTER_SELECT = 7
ONCE = ("teachers", "heldout", "select", "materialise", "train", "evaluate")


class Unsound(AssertionError):
    """A plan that must not be run; every fault found is named."""


def verify(plan: Plan) -> None:
    """Raise `Unsound` with all faults of a plan: its order, its references, what its expressions read, its numbers."""
    by_id = {stage.id: stage for stage in plan.stages}
    faults = [*_graph(plan, by_id)]
    if not faults:
        above = _ancestors(plan.stages)
        for stage in plan.stages:
            known = [by_id[name] for name in above[stage.id]]
            faults += [f"{stage.id}: {fault}" for fault in (*_reads(stage, known), *_clauses(stage, known))]
        faults += _heldout_is_kept_apart(plan.stages, above)
        for number, stage in enumerate(plan.stages):
            faults += [f"{stage.id}: {fault}" for fault in (_passes(stage, plan.stages[:number]) if isinstance(stage, Score) else ())]
    if faults:
        raise Unsound("; ".join(faults))


def _graph(plan: Plan, by_id: Mapping[str, Stage]) -> Iterator[str]:
    seen: set[str] = set()
    rank = 0
    kinds = [kind(stage) for stage in plan.stages]
    yield from (f"{kinds.count(kind)} {kind} stages" for kind in ONCE if kinds.count(kind) > 1)
    for stage in plan.stages:
        if stage.id in seen:
            yield f"{stage.id}: the id is not unique"
        yield from (f"{stage.id}: input {name} is no earlier stage" for name in stage.inputs if name not in seen)
        if not stage.inputs and not isinstance(stage, Scan):
            yield f"{stage.id}: only a scan has no input"
        seen.add(stage.id)
        late = isinstance(stage, Score) and stage.rows == "selected"
        here = AFTER_SELECT if late else ORDER[kind(stage)]
        if here < rank:
            yield f"{stage.id}: {kind(stage)} stands too late"
        rank = max(rank, here)
    yield from (f"pending {p.what}: no stage {p.stage}" for p in plan.pending if p.stage not in ORDER)
    if plan.fingerprints and [name for name, _ in plan.fingerprints] != [stage.id for stage in plan.stages]:
        yield "the fingerprints are not those of the stages"


def _ancestors(stages: Iterable[Stage]) -> dict[str, list[str]]:
    """The ids of all stages that a stage depends on, in plan order."""
    above: dict[str, list[str]] = {}
    for stage in stages:
        direct = {name for given in stage.inputs for name in (given, *above[given])}
        above[stage.id] = [name for name in above if name in direct]
    return above


def _heldout_is_kept_apart(stages: Iterable[Stage], above: Mapping[str, list[str]]) -> Iterator[str]:
    """Held-out prompts leave the candidates, so what selects depends on what holds out."""
    heldout = [stage.id for stage in stages if isinstance(stage, Heldout)]
    for stage in stages:
        if isinstance(stage, Select):
            yield from (f"select does not depend on {name}" for name in heldout if name not in above[stage.id])


def _reads(stage: Stage, known: list[Stage]) -> Iterator[str]:
    """Every value that a stage reads is one that an earlier stage gives."""
    if isinstance(stage, Scan | Heldout):
        scan = stage if isinstance(stage, Scan) else stage.scan
        conditions = [scan.where.condition] if scan.where else []
        yield from _missing(conditions, [scan], whole_rows=True)
    else:
        yield from _missing(_expressions(stage), known, whole_rows=False)
    if isinstance(stage, Score):
        yield from (f"reads {name}, which no scan gives" for name in stage.reads if not _given(_value(name), known))
    if isinstance(stage, Profile) and stage.grade:
        yield from (f"grades by {name}, which no scan gives" for name in stage.grade.reads if not _given(_value(name), known))
    if isinstance(stage, Materialise | Train) and stage.weight and not any(isinstance(s, Score) and s.name == stage.weight for s in known):
        yield f"weighs by {stage.weight}, which no earlier stage gives"
    if isinstance(stage, Tag) and stage.column and not _given(Column("column", stage.column), known):
        yield f"tags by {stage.column}, which no scan gives"


def _value(name: str) -> Column:
    return Column("column", name.removeprefix("column:")) if name.startswith("column:") else Column("role", name)


def _missing(expressions: Iterable[Expression], known: list[Stage], *, whole_rows: bool) -> Iterator[str]:
    for expression in expressions:
        for column in sorted(columns(expression), key=lambda c: (c.source, c.name)):
            if whole_rows and column.source == "column":
                continue
            if not _given(column, known):
                yield f"reads the {column.source} {column.name}, which no earlier stage gives"


def _given(column: Column, known: list[Stage]) -> bool:
    scans = [stage for stage in known if isinstance(stage, Scan)]
    match column.source, column.name:
        case "score", name:
            return any(isinstance(s, Score) and s.name == name and s.rows == "candidates" for s in known)
        case "column", name:
            return any(name in scan.columns for scan in scans)
        case "role", "skill":
            return any(isinstance(s, Tag) for s in known)
        case "role", "reference":
            return any(scan.roles.reference for scan in scans)
        case _:
            return column.name in ("prompt", "response", "teacher", "id", "corpus")


def _expressions(stage: Stage) -> list[Expression]:
    match stage:
        case Teachers():
            asked = [g.where.condition for g in stage.generated if g.where]
            return [*(t.condition for t in stage.teachers if t.condition), *asked]
        case Filter():
            return [w.condition for w in stage.wheres]
        case Select():
            steps = [step.by if isinstance(step, Keep) else step.condition for step in stage.steps]
            return [*steps, *([stage.objective] if stage.objective else [])]
        case Evaluate():
            return [expression for arm in stage.arms if arm.select for expression in _expressions(arm.select)]
        case _:
            return []


def _arms(stage: Evaluate) -> Iterator[str]:
    names = [arm.name for arm in stage.arms]
    yield from (f"two arms {name}" for name in sorted(set(names)) if names.count(name) > 1)
    if names and (names[0] != "after" or stage.arms[0].select is not None):
        yield "the first arm is the recipe's"
    for arm in stage.arms:
        if arm.select and (arm.select.quotas or arm.select.soft):
            yield f"the baseline {arm.name} has quotas"


def _clauses(stage: Stage, known: list[Stage]) -> Iterator[str]:
    match stage:
        case Scan(where=Where(condition=condition)) if is_barrier(condition):
            yield "a scan looks at one row at a time"
        case Teachers():
            barriers = [t.name for t in stage.teachers if t.condition and is_barrier(t.condition)]
            barriers += [g.name for g in stage.generated if g.where and is_barrier(g.where.condition)]
            yield from (f"teacher {name} looks at other rows" for name in barriers)
            corpora = [s.corpus for s in known if isinstance(s, Scan)]
            yield from (f"teacher {g.name} answers the prompts of {g.corpus}, which no scan reads" for g in stage.generated if g.corpus not in corpora)
        case Filter():
            yield from (f"`{w.text}` is a barrier" for w in stage.wheres if is_barrier(w.condition))
        case Decontaminate() if (stage.because is None) == (not stage.against or stage.words is None):
            yield "either benchmarks and words, or a reason why not"
        case Select():
            yield from _selection(stage, known)
        case Tag() if [each is not None for each in (stage.column, stage.nearest, stage.attribution)] != [stage.method == m for m in ("column", "embedding", "llm")]:
            yield "a column belongs to tagging by column, a model to tagging by a model"
        case Tag() if stage.nearest is not None and stage.tree is None:
            yield "what is nearest is a leaf of a tree"
        case Tag() if stage.attribution is not None and stage.tree is None:
            yield "a model chooses skills from a tree"
        case Profile():
            if (stage.file is None) == (stage.grade is None):
                yield "either a grader or a file"
            if (stage.least is None) != (stage.width is None) or (stage.least is not None and (stage.sample is None or stage.sample < stage.least)):
                yield "a least number of prompts goes with a width, and with a most that is not under it"
            odd = [skill for skill, tally in stage.tallies or () if tally.correct > tally.attempts]
            yield from (f"more of {skill} is right than was tried" for skill in odd)
        case Train():
            if (stage.epochs is None) == (stage.steps is None):
                yield "exactly one of epochs and steps"
            if (stage.method == "lora") != (stage.lora is not None):
                yield "adapters belong to the method lora, and to no other"
        case Evaluate():
            if stage.heldout and not any(isinstance(s, Heldout) and s.id == stage.heldout for s in known):
                yield f"no heldout stage {stage.heldout} before it"
            names = [b.name for b in stage.benchmarks]
            yield from (f"two benchmarks {name}" for name in sorted(set(names)) if names.count(name) > 1)
            yield from _arms(stage)
        case _:
            return


def _passes(stage: Score, known: Sequence[Stage]) -> Iterator[str]:
    if (stage.passes or stage.tells or stage.shares) and stage.model is None:
        yield "passes of no model"
    if stage.tells and RESPONSE not in stage.passes:
        yield "tells what no pass of its own reads"
    if stage.shares is not None:
        owner = next((s for s in known if s.id == stage.shares), None)
        if not isinstance(owner, Score) or RESPONSE not in owner.passes or RESPONSE in stage.passes:
            yield f"shares the pass of {stage.shares}, which makes none for it"
        elif lacking := [what for what in TAKES.get(stage.scorer, ()) if what not in owner.tells]:
            yield f"takes {', '.join(lacking)} of {owner.id}, which does not tell it"


def _selection(stage: Select, known: list[Stage]) -> Iterator[str]:
    units = [b.unit for b in stage.budgets]
    yield from (f"two budgets in {unit}" for unit in sorted(set(units)) if units.count(unit) > 1)
    for quota in stage.quotas:
        yield from (f"`{quota.text}`: {fault}" for fault in _quota(quota, known))
    if stage.soft:
        yield from (f"`{stage.soft.text}`: {fault}" for fault in _soft(stage, stage.soft, known))
    if stage.tokens and not _given(Column("score", stage.tokens), known):
        yield f"counts tokens by {stage.tokens}, which no earlier stage gives"
    bounds = [*stage.quotas, *stage.budgets]
    if not stage.tokens and any("tokens" in bound.unit for bound in bounds):
        yield "bounds in tokens, and nothing that counts them"


def _quota(quota: Quota, known: list[Stage]) -> Iterator[str]:
    if quota.low is None and quota.high is None:
        yield "no bound"
    if quota.low is not None and quota.high is not None and quota.low > quota.high:
        yield "the lower bound is above the upper"
    if (quota.group.kind == "column") != (quota.group.column is not None):
        yield "a column belongs to a group by column, and to no other"
    if quota.group.column and not _given(Column("column", quota.group.column), known):
        yield f"groups by {quota.group.column}, which no scan gives"
    if quota.group.kind == "skill" and not any(isinstance(s, Tag) for s in known):
        yield "no stage tags skills"


def _soft(stage: Select, soft: SoftQuota, known: list[Stage]) -> Iterator[str]:
    numbers = (soft.max_weight, soft.alpha, soft.beta, soft.min_support)
    if soft.shape == "uniform":
        if soft.student or any(n is not None for n in numbers):
            yield "equal targets have no student and no weights"
    elif any(n is None for n in numbers) or not any(isinstance(s, Profile) and s.model.student == soft.student for s in known):
        yield "weights, and a profile of the student before it"
    if not any(isinstance(s, Tag) for s in known):
        yield "no stage tags skills"
    if not stage.budgets:
        yield "no budget to share out"
    if soft.shape == "paper" and (stage.at_most or stage.quotas or stage.objective or [(b.unit, b.up_to) for b in stage.budgets] != [("examples", False)]):
        yield "the published sampler heeds filters and one budget in examples alone"

"""What a run would find and cost, without running anything dear: the walk over the data with scores from the store only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.plan.pending import concerns
from ..compiler.plan.stages import (
    Evaluate,
    Filter,
    Heldout,
    Keep,
    Materialise,
    Plan,
    Profile,
    Scan,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
    Train,
)
from .arms import evaluation_of, materialised
from .audit import Audit, audit
from .bounds import at_most, impossible, reads, still_in, unknown
from .by_embedding import OPEN, lacking, untagged
from .churn import Churn
from .composition import Composition, composition
from .context import Context
from .costs import READS, Cost, Pricing, arms_training, evaluation, profiling, scoring, training
from .embedding_cost import embedding
from .examples import Report
from .execute import refuse_empty
from .figure import Figure
from .foretell import foretell, foretell_arms
from .generating import generating
from .lazy import listening
from .lengths import Lengths, count, lengths
from .materialise import selected
from .measured import Profiled
from .needs import needs
from .profile import foreseen
from .score import from_store, missing
from .select import Step
from .solvers import solver
from .strata import strata
from .tag_costs import tagging
from .walk import Walk, advance, aimed
from .weigh import refuse_weights

Listen = Callable[[Stage, str, pl.LazyFrame], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one stage: candidates before and after it, their tokens, and what it did or would do, in words.

    `cached` and `missing` are values of a score, or texts that are embedded. `steps`: what each filter in it leaves. All None where nothing is known.
    """

    before: Figure | None = None
    rows: Figure | None = None
    tokens: Figure | None = None
    says: str = ""
    cached: Figure | None = None
    missing: Figure | None = None
    steps: tuple[tuple[str, Figure], ...] = ()


@dataclass(slots=True)
class Preview:
    """`known` by stage id. `costs` of what asks a model. `feasible` is None where it cannot be told yet.

    `audits`: of the likelihood scores of which every value is in the store. `solver`: which one would answer the selection, or has. `stopped`: the clause that the runtime does not do yet and beyond which nothing is known. `unwritten`: the answers of teachers that are yet to be written, and beyond which nothing is known either. `exact`: whether the rows so far are those of a run.
    `tokenised`: what becomes of the selected rows under the template, where these are known.
    `unmeasured`: the student whose profile the selection aims by, where it is yet to be measured.
    """

    known: dict[str, Known] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    composition: Composition | None = None
    feasible: bool | None = None
    stopped: str | None = None
    unwritten: int = 0
    faults: tuple[Diagnostic, ...] = ()
    walk: Walk = field(default_factory=Walk)
    lengths: Lengths = field(default_factory=Lengths)
    exact: bool = True
    keeps: list[Keep] = field(default_factory=list)
    selected: Figure | None = None
    audits: tuple[Audit, ...] = ()
    solver: str | None = None
    churn: Churn | None = None
    tokenised: Report | None = None
    unmeasured: str | None = None

    @property
    def chosen(self) -> pl.Series | None:
        """The ids of the rows that a run selects, where that is known."""
        if self.composition is None or self.composition.of != "selected":
            return None
        return self.walk.rows.candidates(["row_id"])["row_id"]

    @property
    def missing(self) -> dict[str, int]:
        """Values to compute, by score, at most that many."""
        scores = ((id.partition(":")[2], k.missing) for id, k in self.known.items() if id.startswith("score:"))
        return {name: int(missing.value) for name, missing in scores if missing is not None and missing.value}


def preview(
    plan: Plan, context: Context, stages: Sequence[Stage] | None = None, *, rate: float | None = None, listen: Listen | None = None
) -> Preview:
    """Walk `stages` (all of the plan's) as far as counts go; behind the first filter that needs a missing score they are upper bounds.

    `rate`: tokens a second, for all models; without it what earlier runs measured. `listen` hears each lazy plan with its stage and clause.
    """
    measuring = evaluation_of(plan.stages if stages is None else stages)
    seen = Preview(lengths=lengths(plan), walk=Walk(needed=needs(plan.stages), arms=measuring.arms if measuring else (), asks=False))
    pricing = Pricing(context, rate)
    try:
        for stage in plan.stages if stages is None else stages:
            if waiting := [p for p in plan.pending if concerns(p, stage, plan)]:
                seen.stopped, seen.known[stage.id] = waiting[0].what, Known(says="not run yet")
                break
            with listening(partial(listen, stage)) if listen else nullcontext():
                seen.known[stage.id] = _stage(stage, plan, seen, pricing)
            if seen.walk.lacking:  # what their rows would be, nobody knows
                seen.unwritten = sum(seen.walk.lacking.values())
                break
    except Fault as fault:
        seen.faults = (*seen.faults, *fault.diagnostics)
        if any(d.code == "MIX0401" for d in fault.diagnostics):
            seen.feasible = False
    seen.audits = _audits(plan, seen)
    return seen


def _audits(plan: Plan, seen: Preview) -> tuple[Audit, ...]:
    """Of the scores that have, for the very rows of a run, all their values: a run finds the same."""
    whole = {id for id, k in seen.known.items() if k.missing is not None and not k.missing.value and k.cached is not None and not k.cached.most}
    return tuple(a for a in audit(plan, seen.walk.rows) if f"score:{a.score}" in whole)


def _stage(stage: Stage, plan: Plan, seen: Preview, pricing: Pricing) -> Known:
    walk, context = seen.walk, pricing.context
    match stage:
        case Score():
            return _score(stage, seen, pricing)
        case Select():
            return _select(stage, plan, seen, context)
        case Tag(method="embedding"):
            return _embedded(stage, seen, pricing)
        case Filter() if not seen.exact or _blind(stage, seen):
            return _bounded(stage, seen)
        case Tag() if stage.attribution is not None:
            return _attributed(stage, seen, pricing)
        case Materialise() if seen.feasible and stage.weight and stage.weight not in unknown(walk.rows):
            return Known(before=seen.selected, rows=seen.selected, says=refuse_weights(plan, selected(plan, walk.rows, context.texts)) or "")
        case Materialise():
            return Known(before=seen.selected, rows=seen.selected)
        case Profile():
            return _profile(stage, seen, pricing)
        case Teachers() if stage.generated:
            before, scanned = _rows(seen), {scan.corpus: rows for scan, rows in walk.scans}
            seen.costs += [generating(stage, each, scanned[each.corpus], pricing) for each in stage.generated]
            says = advance(stage, walk, context)
            return Known(before=before, says="answers yet to be written") if walk.lacking else _passed(seen, before, says)
        case Train():
            if seen.selected is None:
                return Known()
            chosen = selected(plan, walk.rows, context.texts) if seen.feasible else None
            cost = training(stage, walk.rows, seen.selected, pricing, chosen)
            seen.costs.append(cost)
            if chosen is not None:
                seen.tokenised, seen.faults = foretell(stage, plan, walk.rows, chosen, context)
            return Known(before=seen.selected, rows=seen.selected, tokens=cost.tokens if cost.rows.value else None, says=cost.detail)
        case Evaluate():
            found = [*_arms(stage, plan, seen, pricing), *evaluation(stage, walk.heldout, pricing)]
            seen.costs += found
            return Known(says=", ".join(c.detail for c in found))
        case _:
            before, done = None if isinstance(stage, Scan) else _rows(seen), len(walk.funnel)
            says = advance(stage, walk, context)
            if isinstance(stage, Scan):
                rows = walk.scans[-1][1]
                count(seen.lengths, plan, rows, context)
                return Known(rows=Figure(value=rows.alive), tokens=seen.lengths.of(rows), says=says)
            steps = tuple((s.clause, Figure(value=s.rows)) for s in walk.funnel[done:]) if isinstance(stage, Filter) else ()
            return _passed(seen, before, says.partition(", ")[0] if isinstance(stage, Heldout) else "", steps)


def _arms(stage: Evaluate, plan: Plan, seen: Preview, pricing: Pricing) -> Iterator[Cost]:
    """The trainings of the arms beside the first; whether they are in the store is known where their rows are."""
    training = next((s for s in plan.stages if isinstance(s, Train)), None)
    if training is None or seen.selected is None:
        return
    context, chosen = pricing.context, {}
    if seen.feasible:
        recipe = selected(plan, seen.walk.rows, context.texts)
        chosen = {arm.name: recipe for arm in stage.arms if arm.select is None} | materialised(plan, seen.walk.baselines, context)
        seen.faults = seen.faults or foretell_arms(training, stage.arms, chosen, seen.walk, context)
    if cost := arms_training(training, stage.arms, seen.walk.rows, seen.selected, pricing, chosen):
        yield cost


def _profile(stage: Profile, seen: Preview, pricing: Pricing) -> Known:
    """What a profile would ask of the candidates as they are now, and what is known of it from the store."""
    student = stage.model.student
    if not stage.measured:
        seen.walk.profiles[student] = Profiled(stage, stage.tallies or ())
        return Known()
    if OPEN in unknown(seen.walk.rows):
        return Known(says="known once the rows are tagged")
    before = strata(stage, seen.walk.tree, seen.walk.rows)
    found = foreseen(stage, before, pricing.context)
    seen.costs.append(profiling(stage, found, pricing))
    if found.profiled is not None:
        seen.walk.profiles[student] = found.profiled
        return Known(says=found.profiled.summary)
    due = f"{'at most ' if found.open else ''}{found.most:,} to answer"
    return Known(says=", ".join(filter(None, (due, f"{found.stored:,} cached" if found.stored else ""))))


def _rows(seen: Preview) -> Figure:
    rows = sum(rows.alive for _, rows in seen.walk.scans) if seen.walk.scans else at_most(seen.walk.rows, seen.keeps)
    return Figure(value=rows, most=not seen.exact)


def _passed(seen: Preview, before: Figure | None, says: str = "", steps: tuple[tuple[str, Figure], ...] = ()) -> Known:
    return Known(before=before, rows=_rows(seen), tokens=seen.lengths.of(seen.walk.rows, most=not seen.exact), says=says, steps=steps)


def _blind(stage: Filter | Select, seen: Preview) -> bool:
    """Whether it reads a score that some row has yet to get."""
    open_ = unknown(seen.walk.rows)
    if isinstance(stage, Filter):
        return any(reads(where) & open_ for where in stage.wheres)
    return bool(open_)


def _attributed(stage: Tag, seen: Preview, pricing: Pricing) -> Known:
    """Skills are known where each answer is in the store; otherwise no row's are."""
    before = _rows(seen)
    seen.walk.rows, cost = tagging(stage, seen.walk.rows, pricing)
    seen.walk.tree = stage.tree
    seen.costs.append(cost)
    return replace(_passed(seen, before), cached=cost.cached, missing=cost.rows)


def _score(stage: Score, seen: Preview, pricing: Pricing) -> Known:
    walk, context = seen.walk, pricing.context
    before = _rows(seen) if stage.rows == "candidates" else seen.selected
    if stage.rows == "selected" and seen.composition is not None and seen.composition.of == "candidates":
        return _later(stage, seen, pricing)
    if stage.scorer == "column":
        return Known(before=before, rows=before, says=advance(stage, walk, context))
    absent = stage.model is not None and not context.students.is_here(stage.model)
    lacking = missing(stage, walk.rows, context, absent=absent)
    most = not seen.exact and bool(lacking.height)
    cached = max(walk.rows.alive - lacking.height, 0)
    if stage.model is not None and stage.scorer != "tokens":
        seen.costs.append(scoring(stage, lacking, seen.exact, cached, pricing))
    if not lacking.height and not unknown(walk.rows) and seen.exact:
        return Known(before=before, rows=before, says=advance(stage, walk, context), cached=Figure(value=cached), missing=Figure(value=0))
    walk.rows = from_store(stage, walk.rows, context, absent=absent, exact=seen.exact)
    to_do, had = Figure(value=lacking.height, most=most), Figure(value=cached, most=not seen.exact)
    return Known(before=before, rows=before, cached=had, missing=to_do)


def _embedded(stage: Tag, seen: Preview, pricing: Pricing) -> Known:
    """Skills are known where each prompt and leaf has a vector in the store; otherwise no row's are."""
    walk, context, before = seen.walk, pricing.context, _rows(seen)
    texts, cached, embeddings = lacking(stage, walk.rows, context)
    most = not seen.exact and bool(texts.height)
    had = Figure(value=cached, most=not seen.exact)
    seen.costs.append(embedding(stage, texts, embeddings, had, most, pricing))
    if not texts.height:
        return replace(_passed(seen, before, advance(stage, walk, context)), cached=had, missing=Figure(value=0))
    walk.rows = untagged(walk.rows)
    return Known(before=before, rows=before, cached=had, missing=Figure(value=texts.height, most=most))


def _later(stage: Score, seen: Preview, pricing: Pricing) -> Known:
    """A score of the selected rows, where it is not known which these are: of so many rows like the candidates."""
    if seen.selected is None or stage.scorer == "column":
        return Known(before=seen.selected, rows=seen.selected)
    context = pricing.context
    if stage.model is None or stage.scorer == "tokens":
        return Known(before=seen.selected, rows=seen.selected, missing=seen.selected.at_most())
    absent = not context.students.is_here(stage.model)
    lacking = missing(stage, seen.walk.rows, context, absent=absent)
    among = scoring(stage, lacking, False, seen.walk.rows.alive - lacking.height, pricing)
    share = min(1.0, seen.selected.value / max(1, seen.walk.rows.alive))
    rows = Figure(value=round(lacking.height * share), exact=False)
    parts = {name: Figure(value=round(one.value * share), exact=False) for name in READS if (one := getattr(among, name)) is not None}
    seen.costs.append(replace(among, rows=rows, cached=Figure(value=0), **parts))
    return Known(before=seen.selected, rows=seen.selected, missing=rows)


def _bounded(stage: Filter, seen: Preview) -> Known:
    before, steps = _rows(seen), []
    for where in stage.wheres:
        if reads(where) & unknown(seen.walk.rows):
            seen.exact = False
        seen.walk.rows = still_in(seen.walk.rows, where, stage.seed)
        seen.walk.funnel.append(Step(where.text, seen.walk.rows.alive))
        steps.append((where.text, _rows(seen)))
    return _passed(seen, before, steps=tuple(steps))


def _select(stage: Select, plan: Plan, seen: Preview, context: Context) -> Known:
    walk, before = seen.walk, _rows(seen)
    asked = stage.soft.student if stage.soft and stage.tallies is None else None
    if asked and aimed(stage, walk).tallies is None:
        seen.unmeasured = asked
    if seen.exact and not _blind(stage, seen) and seen.unmeasured is None:
        done = len(walk.funnel)
        advance(stage, walk, context)
        seen.feasible = bool(walk.rows.alive)
        seen.solver = solver(stage, walk.solution.chosen.size) if walk.solution else None
        refuse_empty(stage, walk)
        seen.selected = _rows(seen)
        seen.composition = composition(stage, walk.rows, seen.lengths, True, walk.solution)
        steps = tuple((s.clause, Figure(value=s.rows)) for s in walk.funnel[done:] if s.clause != "select")
        return _passed(seen, before, steps=steps)
    seen.exact = False
    steps = []
    for step in stage.steps:
        walk.rows = still_in(walk.rows, step, stage.seed)
        if isinstance(step, Keep):
            seen.keeps.append(step)
        walk.funnel.append(Step(step.text, int(_rows(seen).value)))
        steps.append((step.text, _rows(seen)))
    seen.composition = composition(stage, walk.rows, seen.lengths, False, None)
    seen.solver = solver(stage, walk.rows.alive)
    if fault := impossible(stage, walk.rows, tuple(walk.funnel)):
        seen.known[stage.id] = Known(before=before, steps=tuple(steps))
        raise Fault(fault)
    candidates = _rows(seen)
    budget = next((b for b in stage.budgets if b.unit == "examples"), None)
    seen.selected = candidates if budget is None else Figure(value=min(budget.amount, candidates.value), most=budget.up_to)
    tokens = None if budget is None else seen.lengths.of(walk.rows).times(seen.selected.value / max(1, walk.rows.alive))
    return Known(before=before, rows=seen.selected, tokens=tokens and Figure(value=round(tokens.value), exact=False), steps=tuple(steps))

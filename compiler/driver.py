"""The pipeline on one page: text to plan. What must be known of the outside is asked for by `wanted` and handed in as `Inputs`."""

from dataclasses import dataclass

from .diagnostics import Diagnostics
from .paths import beside, is_remote
from .plan.lower import lower
from .plan.stages import Plan
from .plan.variants import Trial, Variant, reading
from .plan.verify import verify
from .semantics import ir
from .semantics.blame import blame
from .semantics.check import check
from .semantics.expand import Variation, expand
from .semantics.fixture import fixture
from .semantics.inputs import Inputs, Wanted
from .semantics.resolve import Resolved, resolve
from .source import Source
from .syntax import ast


@dataclass(frozen=True, slots=True)
class Outcome:
    """What compiling gave: the plan unless there were errors, everything reported, and every file that was read.

    `variants` are the plans that `sweep` and `ablate` ask for, `trials` those of the `test` blocks; none where there were errors.
    """

    plan: Plan | None
    notes: Diagnostics
    sources: tuple[Source, ...]
    variants: tuple[Variant, ...] = ()
    trials: tuple[Trial, ...] = ()


def compile(source: Source, inputs: Inputs) -> Outcome:
    """Text and what is known of the outside to a plan, and one for each variant and test. The order here is the language's story."""
    notes = Diagnostics()
    spec = resolve(source, inputs, notes)
    mixture = check(spec, inputs, notes)
    variations = expand(spec, inputs, notes)
    variants = _plans(variations, inputs, notes)
    trials = _trials(spec, mixture, inputs, notes) if mixture else ()
    if mixture is None or notes.has_errors:
        return Outcome(None, notes, spec.sources)
    named = tuple(Variant(v.name, v.title.removeprefix("the variant ").replace("`", ""), plan) for v, plan in variants)
    return Outcome(_plan(mixture), notes, spec.sources, named, trials)


def _plan(mixture: ir.Mixture) -> Plan:
    plan = lower(mixture)
    verify(plan)
    return plan


def _plans(variations: tuple[Variation, ...], inputs: Inputs, notes: Diagnostics) -> list[tuple[Variation, Plan]]:
    """The plans of those that have one; what is wrong in the others is said where they are made."""
    found = [(variation, Diagnostics()) for variation in variations]
    mixtures = [check(variation.spec, inputs, inner) for variation, inner in found]
    blame(found, notes)
    return [(v, _plan(mixture)) for v, mixture in zip(variations, mixtures, strict=True) if mixture is not None]


def _trials(spec: Resolved, mixture: ir.Mixture, inputs: Inputs, notes: Diagnostics) -> tuple[Trial, ...]:
    over = {t.name: v for t in mixture.trials if (v := fixture(t, spec, mixture.scores, inputs, notes)) is not None}
    plans = {v.name: plan for v, plan in _plans(tuple(over.values()), inputs, notes)}
    return tuple(
        Trial(
            name=t.name,
            given=beside(t.given.value, t.given.span.path),
            plan=reading(plans[t.name], {e.group.column for e in t.expectations if e.group and e.group.column}),
            expectations=t.expectations,
            error=t.error,
            span=t.span,
            several=len(mixture.corpora) > 1,
        )
        for t in mixture.trials
        if t.name in plans
    )


def wanted(source: Source, inputs: Inputs) -> tuple[Wanted, ...]:
    """What `compile` would like to know and was not told yet: call until nothing is."""
    spec = resolve(source, inputs, Diagnostics())
    if spec.wanted:
        return spec.wanted
    specs = (spec, *(variation.spec for variation in expand(spec, inputs, Diagnostics())))
    asked = [w for one in specs for w in _asked(one)]
    known = {"text": inputs.texts, "columns": inputs.columns, "present": inputs.present}
    return tuple(dict.fromkeys(w for w in asked if w.path not in known[w.kind] and not is_remote(w.path)))


def _asked(spec: Resolved) -> list[Wanted]:
    asked: list[Wanted] = []
    for block in (d for d in spec.declarations if isinstance(d, ast.Block)):
        for line in block.lines:
            if not isinstance(line, ast.Setting):
                continue
            match block.kind, line.keyword.text, line.value:
                case "corpus", "scan", ast.String() as path:
                    asked += [Wanted(kind, beside(path.value, path.span.path), "corpus") for kind in ("present", "columns")]
                case "test", "given", ast.String() as path:
                    asked += [Wanted(kind, beside(path.value, path.span.path)) for kind in ("present", "columns")]
                case "skills", "tree", ast.String() as path:
                    asked.append(Wanted("text", beside(path.value, path.span.path)))
                case "profile", "from", ast.String() as path:
                    asked.append(Wanted("present", beside(path.value, path.span.path)))
                case "student", "template" | "model", ast.String() as path:
                    asked.append(Wanted("present", beside(path.value, path.span.path), "model"))
                case "evaluate", "benchmark", ast.Benchmark(path=path):
                    asked.append(Wanted("present", beside(path.value, path.span.path), "benchmark"))
                case _:
                    pass
    for node in spec.of(ast.Decontaminate):
        asked += [Wanted("present", beside(a.value, a.span.path)) for a in node.against]
    return asked

"""The pipeline on one page: text to plan. What must be known of the outside is asked for by `wanted` and handed in as `Inputs`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .diagnostics import Diagnostic, Diagnostics, TooMany
from .lint.allow import Allow, allow
from .lint.rules import lint
from .paths import beside, is_remote
from .plan.lower import lower
from .plan.stages import Plan
from .plan.variants import Trial, Variant, reading
from .plan.verify import verify
from .semantics import ir
from .semantics.blame import blame
from .semantics.catalogue import SCORERS
from .semantics.check import check
from .semantics.expand import Variation, expand
from .semantics.extended import show_extends
from .semantics.fixture import fixture
from .semantics.follow import independent
from .semantics.inputs import UNASKED, Inputs, Wanted
from .semantics.resolve import Resolved, resolve
from .semantics.sources import is_local
from .source import Source, Span
from .syntax import ast
from .syntax.format import format_expression

MOST = 500
"""Diagnostics of one run: nobody reads more, and finding them takes its time."""

UNREADABLE = "MIX0501"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What compiling gave: the plan unless there were errors, everything reported, and every file that was read.

    `variants` are the plans that `sweep` and `ablate` ask for, `trials` those of the `test` blocks; none where there were errors.
    `params` are those that hold, with their values as a spec would write them.
    `silenced` are the lints that comments allow; `allowed` are the comments on lints that only the data shows.
    """

    plan: Plan | None
    notes: Diagnostics
    sources: tuple[Source, ...]
    variants: tuple[Variant, ...] = ()
    trials: tuple[Trial, ...] = ()
    silenced: tuple[Diagnostic, ...] = ()
    allowed: tuple[Allow, ...] = ()
    params: tuple[tuple[str, str], ...] = ()


def compile(source: Source, inputs: Inputs, *, plans: bool = True) -> Outcome:
    """Text and what is known of the outside to a plan, and one for each variant and test. The order here is the language's story.

    Without `plans` all is reported and none is made: what an editor asks for at each key.
    """
    notes = Diagnostics(most=MOST)
    try:
        return _compile(source, inputs, notes, plans)
    except TooMany:
        start = Span(source.path, 0, min(1, len(source.text)))
        notes.most = None
        notes.error("MIX0121", f"more than {MOST} diagnostics", start, "the others are not shown", help="is this a spec?")
        return Outcome(None, notes, (source,))


def _compile(source: Source, inputs: Inputs, notes: Diagnostics, plans: bool) -> Outcome:
    spec = resolve(source, inputs, notes)
    mixture = check(spec, inputs, notes)
    variants = _checked(expand(spec, inputs, notes), inputs, notes)
    trials = _trials(spec, mixture, inputs, notes) if mixture else []
    texts = {s.path: s for s in spec.sources}
    found = independent(notes.reported, spec.lost, texts, orphan=spec.orphan)
    notes.reported = show_extends(found, spec.links)
    if mixture is not None and not notes.has_errors:
        lint(spec, mixture, inputs, notes)
    notes, silenced, allowed = allow(spec, notes, whole=mixture is not None)
    if mixture is None or notes.has_errors or not plans:
        return Outcome(None, notes, spec.sources, silenced=silenced)
    named = tuple(Variant(v.name, v.title.removeprefix("the variant ").replace("`", ""), _plan(m), _params(v.spec)) for v, m in variants if m)
    return Outcome(_plan(mixture), notes, spec.sources, named, tuple(_trial(t, m, mixture) for t, m in trials), silenced, allowed, _params(spec))


def _params(spec: Resolved) -> tuple[tuple[str, str], ...]:
    return tuple((name, format_expression(param.value)) for name, param in sorted(spec.params.items()))


def _plan(mixture: ir.Mixture) -> Plan:
    plan = lower(mixture)
    verify(plan)
    return plan


def _checked(variations: Sequence[Variation], inputs: Inputs, notes: Diagnostics) -> list[tuple[Variation, ir.Mixture | None]]:
    """What each means; what is wrong in one is said where it is made."""
    found = [(variation, Diagnostics()) for variation in variations]
    meant = [(variation, check(variation.spec, inputs, inner)) for variation, inner in found]
    blame(found, notes)
    return meant


def _trials(spec: Resolved, mixture: ir.Mixture, inputs: Inputs, notes: Diagnostics) -> list[tuple[ir.Trial, ir.Mixture]]:
    """The tests, each with what the spec means over its fixture."""
    inputs = replace(inputs, columns={**inputs.columns, **dict.fromkeys(_unreadable(mixture.trials, inputs))})
    over = {t.name: v for t in mixture.trials if (v := fixture(t, spec, mixture.scores, inputs, notes)) is not None}
    meant = {v.name: m for v, m in _checked(tuple(over.values()), inputs, notes)}
    return [(t, m) for t in mixture.trials if (m := meant.get(t.name)) is not None]


def _unreadable(trials: Sequence[ir.Trial], inputs: Inputs) -> list[str]:
    """The fixtures that are not to be read, for a test that expects just that: it is the run that finds out."""
    expecting = [beside(t.given.value, t.given.span.path) for t in trials if t.error is not None and t.error.code == UNREADABLE]
    return [path for path in expecting if isinstance(inputs.columns.get(path), str)]


def _trial(trial: ir.Trial, over: ir.Mixture, mixture: ir.Mixture) -> Trial:
    return Trial(
        name=trial.name,
        given=beside(trial.given.value, trial.given.span.path),
        plan=reading(_plan(over), {e.group.column for e in trial.expectations if e.group and e.group.column}),
        expectations=trial.expectations,
        error=trial.error,
        span=trial.span,
        several=len(mixture.corpora) > 1,
    )


def wanted(source: Source, inputs: Inputs) -> tuple[Wanted, ...]:
    """What `compile` would like to know and was not told yet: call until nothing is."""
    try:
        spec = resolve(source, inputs, Diagnostics(most=MOST))
    except TooMany:
        return ()
    if spec.wanted:
        return spec.wanted
    specs = (spec, *(variation.spec for variation in expand(spec, inputs, Diagnostics())))
    asked = [w for one in specs for w in _asked(one)]
    known = {"text": inputs.texts, "columns": inputs.columns, "present": inputs.present, "scorer": {name for name, each in inputs.scorers.items() if each != UNASKED}}
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
                case "skills", "tag", ast.TagBy(method=ast.Name(text="keywords"), value=ast.String() as path):
                    asked.append(Wanted("text", beside(path.value, path.span.path)))
                case "skills", "tag", ast.TagBy(method=ast.Name(text="llm"), value=ast.Call(arguments=arguments)):
                    texts = [a.value for a in arguments if (a.name is None or a.name.text == "model") and isinstance(a.value, ast.String)]
                    asked += [Wanted("present", beside(path.value, path.span.path)) for path in texts if is_local(path.value)]
                case "profile", "from", ast.String() as path:
                    asked.append(Wanted("text", beside(path.value, path.span.path)))
                case "generate", "model", ast.String() as path:
                    asked.append(Wanted("present", beside(path.value, path.span.path)))
                case "student", "template" | "model", ast.String() as path:
                    asked.append(Wanted("present", beside(path.value, path.span.path), "model"))
                case "evaluate", "benchmark", ast.Benchmark(path=path):
                    asked.append(Wanted("present", beside(path.value, path.span.path), "benchmark"))
                case _:
                    pass
    calls = [node.call for node in spec.of(ast.Score)]
    calls += [s.value for b in spec.blocks("profile") for s in b.lines if isinstance(s, ast.Setting) and isinstance(s.value, ast.Call)]
    graders = [s.value.grade for b in spec.blocks("evaluate") for s in b.lines if isinstance(s, ast.Setting) and isinstance(s.value, ast.Benchmark)]
    names = [*(call.function.text for call in calls), *(g.function.text if isinstance(g, ast.Call) else g.text for g in graders if g)]
    asked += [Wanted("scorer", name) for name in names if name not in SCORERS]
    for node in spec.of(ast.Decontaminate):
        asked += [Wanted("present", beside(a.value, a.span.path)) for a in node.against]
    return asked

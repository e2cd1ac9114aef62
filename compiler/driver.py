"""The pipeline on one page: text to plan. What must be known of the outside is asked for by `wanted` and handed in as `Inputs`."""

from dataclasses import dataclass

from .diagnostics import Diagnostics, TooMany
from .paths import beside, is_remote
from .plan.lower import lower
from .plan.stages import Plan
from .plan.verify import verify
from .semantics.check import check
from .semantics.inputs import Inputs, Wanted
from .semantics.resolve import Resolved, resolve
from .source import Source, Span
from .syntax import ast

MOST = 500
"""Diagnostics of one run: nobody reads more, and finding them takes its time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What compiling gave: the plan unless there were errors, everything reported, and every file that was read."""

    plan: Plan | None
    notes: Diagnostics
    sources: tuple[Source, ...]


def compile(source: Source, inputs: Inputs) -> Outcome:
    """Text and what is known of the outside to a plan. The order here is the language's story."""
    notes = Diagnostics(most=MOST)
    try:
        return _compile(source, inputs, notes)
    except TooMany:
        start = Span(source.path, 0, min(1, len(source.text)))
        notes.most = None
        notes.error("MIX0121", f"more than {MOST} diagnostics", start, "the others are not shown", help="is this a spec?")
        return Outcome(None, notes, (source,))


def _compile(source: Source, inputs: Inputs, notes: Diagnostics) -> Outcome:
    spec = resolve(source, inputs, notes)
    mixture = check(spec, inputs, notes)
    if mixture is None:
        return Outcome(None, notes, spec.sources)
    plan = lower(mixture)
    verify(plan)
    return Outcome(plan, notes, spec.sources)


def wanted(source: Source, inputs: Inputs) -> tuple[Wanted, ...]:
    """What `compile` would like to know and was not told yet: call until nothing is."""
    try:
        spec = resolve(source, inputs, Diagnostics(most=MOST))
    except TooMany:
        return ()
    if spec.wanted:
        return spec.wanted
    asked = _asked(spec)
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
                    asked += [Wanted(kind, beside(path.value, path.span.path)) for kind in ("present", "columns")]
                case "skills", "tree", ast.String() as path:
                    asked.append(Wanted("text", beside(path.value, path.span.path)))
                case ("profile", "from", ast.String() as path) | ("student", "template" | "model", ast.String() as path):
                    asked.append(Wanted("present", beside(path.value, path.span.path)))
                case "evaluate", "benchmark", ast.Benchmark(path=path):
                    asked.append(Wanted("present", beside(path.value, path.span.path)))
                case _:
                    pass
    for node in spec.of(ast.Decontaminate):
        asked += [Wanted("present", beside(a.value, a.span.path)) for a in node.against]
    return asked

"""A plan to one that differs from another exactly where the two mean different things: its fingerprints are what a diff compares.

Texts, derived fields and seeds that decide nothing go; what commutes is sorted. Ids stay, so that a stage can be named.
"""

import posixpath
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..clauses import Benchmark, Model, Where
from ..expressions import Constant, Constants, Expression, Operation, is_barrier
from ..paths import is_remote
from ..source import Span
from .stages import Decontaminate, Dedup, Evaluate, Filter, Heldout, Materialise, Profile, Scan, Score, Select, Stage, Tag, Teachers, Train

NOWHERE = Span("", 0, 0)
_TEXTS = ("text", "objective_text")
# What of a student a scorer does not look at.
_UNSEEN: dict[str, dict[str, Any]] = {"tokens": {"dtype": "", "template": None}}


def normalize(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages in a form that leaves out how they were written."""
    found: list[Stage] = [_settled(plain(stage)) for stage in stages]
    found = _sorted_runs(found, Scan, lambda s: s.corpus)
    found = _sorted_runs(found, Score, lambda s: s.name)
    chain = {stage.id for stage in found if _passes_rows_on(stage)} | {stage.id for stage in found if isinstance(stage, Scan)}
    scans = tuple(s.id for s in found if isinstance(s, Scan))
    late = tuple(sorted(s.id for s in found if isinstance(s, Score) and s.rows == "selected"))
    chained: list[Stage] = []
    last: tuple[str, ...] = ()
    for stage in found:
        match stage:
            case Scan():
                inputs: tuple[str, ...] = ()
            case Teachers():
                inputs = scans
            case Score(rows="selected") | Train():
                inputs = ("select",)  # training reads the selected rows, not the columns that are added to them
            case Materialise():
                inputs = ("select", *late)
            case Evaluate():
                inputs = tuple("select" if name == "materialise" else name for name in stage.inputs)
            case _ if _passes_rows_on(stage) or chain & {*stage.inputs}:
                inputs = last
            case _:
                inputs = ()
        others = (name for name in stage.inputs if name not in chain and name not in (*inputs, *late, "materialise"))
        if _passes_rows_on(stage):
            last = (stage.id,)
        chained.append(replace(stage, inputs=(*inputs, *sorted(others))))
    return tuple(chained)


def _passes_rows_on(stage: Stage) -> bool:
    """Whether the next stage works on the rows of this one."""
    late = isinstance(stage, Score) and stage.rows == "selected"
    return not late and isinstance(stage, Teachers | Heldout | Decontaminate | Dedup | Filter | Score | Tag | Select)


def plain(value: Any) -> Any:
    """A part of a plan without places and texts, its expressions and paths in one form."""
    if isinstance(value, Span):
        return NOWHERE
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, Operation | Constant | Constants):
        return _expression(value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    made = replace(value, **{f.name: "" if f.name in _TEXTS else plain(getattr(value, f.name)) for f in fields(value)})
    return _placed(made)


def steps(found: tuple[Any, ...]) -> tuple[Any, ...]:
    """Filters in their order, those between two barriers sorted: a quantile, a rank and `keep best` depend on what stands before them."""
    ordered: list[Any] = []
    free: list[Any] = []
    for step in found:
        if isinstance(step, Where) and not is_barrier(step.condition):
            free.append(step)
            continue
        ordered += [*sorted(free, key=repr), step]
        free = []
    return (*ordered, *sorted(free, key=repr))


def _expression(value: Expression) -> Expression:
    match value:
        case Constant(value=float() as number) if number.is_integer():
            return Constant(int(number))
        case Constants(values=values):
            return Constants(tuple(sorted({_whole(v) for v in values}, key=repr)))
        case Operation(operator="and" | "or" as operator, arguments=arguments):
            parts: list[Expression] = []
            for part in (plain(a) for a in arguments):
                parts += part.arguments if isinstance(part, Operation) and part.operator == operator else (part,)
            unique = {repr(part): part for part in parts}
            return Operation(operator, tuple(unique[key] for key in sorted(unique))) if len(unique) > 1 else parts[0]
        case Operation(operator=operator, arguments=arguments):
            return Operation(operator, tuple(plain(a) for a in arguments))
    return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _placed(value: Any) -> Any:
    """Paths in one part: a digest leaves a path's folder out, but for who compares two plans another folder is another place."""
    match value:
        case Model(model=model, student=name) if name == model:  # it has no name but that of its files
            return _placed(replace(value, student=""))
        case Model(model=model) if model[0] in "./~" or model.endswith(".gguf"):
            return replace(value, model=_one_part(posixpath.normpath(posixpath.join(value.folder, model))), folder="")
        case Model():
            return replace(value, folder="")
        case Scan(path=path):
            return replace(value, path=_one_part(path))
        case Decontaminate(against=against):
            because = None if value.because is None else ""
            return replace(value, against=tuple(sorted(map(_one_part, against))), because=because)
        case Profile(file=str() as path):
            return replace(value, file=_one_part(path))
        case Benchmark():
            return replace(value, path=_one_part(value.path))
    return value


def _one_part(path: str) -> str:
    return path if is_remote(path) else path.replace("/", "\\")


def _settled(stage: Any) -> Any:
    match stage:
        case Scan():
            return _scan(stage)
        case Score(model=Model() as model):
            return replace(stage, passes=(), tells=(), shares=None, model=replace(model, **_UNSEEN.get(stage.scorer, {})))
        case Heldout():
            return replace(stage, scan=_scan(stage.scan))
        case Teachers():
            return replace(stage, teachers=tuple(sorted(stage.teachers, key=repr)))
        case Filter():
            return replace(stage, wheres=tuple(sorted(stage.wheres, key=repr)), seed=0)  # no condition of a filter asks for chance
        case Select():
            quotas, budgets = (tuple(sorted(each, key=repr)) for each in (stage.quotas, stage.budgets))
            return replace(stage, steps=steps(stage.steps), quotas=quotas, budgets=budgets)
        case Evaluate():
            benchmarks = tuple(sorted(stage.benchmarks, key=repr))
            return replace(stage, benchmarks=benchmarks, baselines=tuple(sorted(stage.baselines)), arms=())  # they follow from the rest
        case Tag():
            tree = None if stage.tree is None else tuple(sorted(stage.tree))
            words = None if stage.keywords is None else tuple(sorted((skill, tuple(sorted(set(listed)))) for skill, listed in stage.keywords))
            said = None if stage.descriptions is None else tuple(sorted(stage.descriptions))
            return replace(stage, taxonomy="", tree=tree, keywords=words, descriptions=said)
    return stage


def _scan(scan: Scan) -> Scan:
    """Which columns are read follows from the other clauses; without a sample the seed decides nothing."""
    return replace(scan, columns=(), seed=scan.seed if scan.sample else 0)


def _sorted_runs(stages: list[Stage], kind: type, key: Callable[[Any], str]) -> list[Stage]:
    """Neighbours of one kind in the order of their keys."""
    found: list[Stage] = []
    run: list[Stage] = []
    for stage in [*stages, None]:
        if isinstance(stage, kind):
            run.append(stage)  # type: ignore[arg-type]
            continue
        found += sorted(run, key=key)
        run = []
        if stage is not None:
            found.append(stage)
    return found

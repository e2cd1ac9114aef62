"""A plan to the same plan in another's names: what only changed its name is found by its content. It knows nothing of what a name stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ..clauses import Group, Model, NamedTeacher
from ..expressions import Column, Expression, Operation, Quantile, Rank
from .normalize import NOWHERE, plain
from .stages import Evaluate, Filter, Keep, Plan, Profile, Scan, Score, Select, Stage, Teachers


@dataclass(frozen=True, slots=True)
class Renaming:
    """`kind`: student, corpus, score or teacher; `stage` is the later plan's stage (or clause) of the new name."""

    kind: str
    before: str
    after: str


def rename(before: Plan, after: Plan) -> tuple[Plan, tuple[Renaming, ...]]:
    """`after` with the names of `before` where a content has only another name, and which those are."""
    found: list[Renaming] = []
    for kind, contents in (("student", _students), ("corpus", _corpora), ("score", _scores), ("teacher", _teachers)):
        names = _pairs(contents(before), contents(after))
        found += [Renaming(kind, old, new) for new, old in names.items()]
        if names:
            after = replace(after, stages=tuple(_put(stage, kind, names) for stage in after.stages))
    return after, tuple(found)


def models(stages: Iterable[Stage]) -> dict[str, Model]:
    """Every student that the stages use, by name."""
    found: dict[str, Model] = {}
    for stage in stages:
        model = getattr(stage, "model", None)
        if isinstance(model, Model):
            found.setdefault(model.student, model)
    return found


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """New name to old name, for contents that one name alone has on either side."""
    gone = {name: content for name, content in before.items() if name not in after}
    come = {name: content for name, content in after.items() if name not in before}
    pairs: dict[str, str] = {}
    for name, content in come.items():
        old = [n for n, c in gone.items() if c == content]
        new = [n for n, c in come.items() if c == content]
        if len(old) == len(new) == 1:
            pairs[name] = old[0]
    return pairs


def _students(plan: Plan) -> dict[str, Any]:
    return {name: replace(plain(model), student="") for name, model in models(plan.stages).items()}


def _corpora(plan: Plan) -> dict[str, Any]:
    """Without a teacher column the corpus's name is the teacher, and part of what a row is: then it is no mere name."""
    scans = [s for s in plan.stages if isinstance(s, Scan) and s.roles.teacher]
    return {s.corpus: replace(plain(s), id="", corpus="", columns=(), seed=0) for s in scans}


def _scores(plan: Plan) -> dict[str, Any]:
    scores = [s for s in plan.stages if isinstance(s, Score)]
    return {s.name: replace(plain(s), id="", name="", inputs=(), rows="") for s in scores}


def _teachers(plan: Plan) -> dict[str, Any]:
    """None where an expression compares the teacher's name: then the name has a meaning."""
    if any(_compares(expression) for stage in plan.stages for expression in _expressions(stage)):
        return {}
    return {t.name: replace(plain(t), name="", span=NOWHERE) for s in plan.stages if isinstance(s, Teachers) for t in s.teachers}


def _expressions(stage: Stage) -> list[Expression]:
    match stage:
        case Filter():
            return [where.condition for where in stage.wheres]
        case Select():
            asked = [step.by if isinstance(step, Keep) else step.condition for step in stage.steps]
            return [*asked, *([stage.objective] if stage.objective else [])]
        case _:
            return []


def _compares(expression: Expression) -> bool:
    """Whether an expression reads the teacher's name other than to group by it."""
    match expression:
        case Operation(arguments=arguments):
            return any(map(_compares, arguments))
        case Quantile(of=of) | Rank(of=of):
            return _compares(of)
        case _:
            return expression == Column("role", "teacher")


def _put(value: Any, kind: str, names: Mapping[str, str]) -> Any:
    """The value with the names of one kind replaced wherever it says one."""
    if isinstance(value, tuple):
        return tuple(_put(item, kind, names) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    value = replace(value, **{f.name: _put(getattr(value, f.name), kind, names) for f in fields(value) if f.init})

    def new(name: Any) -> Any:
        return names.get(name, name) if isinstance(name, str) else name

    match kind, value:
        case "student", Model() | Profile():
            return replace(value, student=new(value.student))
        case "corpus", Scan() | NamedTeacher():
            return replace(value, corpus=new(value.corpus))
        case "score", Score():
            return replace(value, name=new(value.name))
        case "score", Column(source="score"):
            return replace(value, name=new(value.name))
        case "score", Select():
            return replace(value, tokens=new(value.tokens))
        case "score", Evaluate():
            return replace(value, baselines=tuple(map(new, value.baselines)))
        case "teacher", NamedTeacher():
            return replace(value, name=new(value.name))
        case "teacher", Group(kind="teacher"):
            return replace(value, value=new(value.value))
    return value



"""A plan to what its author said, block by block and clause by clause, each with what it means. It knows words, not which of them matter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import singledispatch
from hashlib import sha256
from typing import Any

from ..clauses import GeneratedTeacher, Model, Where
from ..expressions import Operation
from ..source import Span
from .attributed import attributed
from .express import express
from .nearness import nearness
from .normalize import plain
from .rename import models
from .stages import (
    Argument,
    Decontaminate,
    Dedup,
    Evaluate,
    Filter,
    Heldout,
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
    kind,
)

# What follows from other clauses, is said elsewhere, or is no clause at all.
_SILENT = {"id", "inputs", "span", "report_span", "seed", "text", "version", "type"}
_UNITS = {"batch": "examples", "max_length": "tokens", "max_tokens": "tokens", "sample": "prompts"}


@dataclass(frozen=True, slots=True)
class Item:
    """One clause. `key`: what makes it the same clause on both sides; two items of equal `meaning` do the same. `stage`: the kind of stage it works in."""

    key: str
    text: str
    meaning: Any
    stage: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One declaration: `title` names it (`score correct`), `head` is its text where that fits a line."""

    title: str
    stage: str
    head: str
    span: Span | None
    items: tuple[Item, ...] = field(default=())


def recite(plan: Plan) -> tuple[Block, ...]:
    """The declarations of a plan in the language's order; clauses of one declaration that work in several stages stand together."""
    head = [
        Item("mix", f'mix "{plan.name}"', plan.name, "", None),
        Item("seed", f"seed {plan.seed}", plan.seed, "", None),
        *(Item(key, f'{key} "{said}"', said, "", None) for key in ("description", "license") if (said := getattr(plan, key))),
    ]
    found: dict[str, Block] = {"mix": Block("mix", "", f'mix "{plan.name}"', None, tuple(head))}
    for name, model in models(plan.stages).items():
        found[f"student {name}"] = Block(f"student {name}", "student", f"student {name}", model.span, tuple(_model(model)))
    for stage in plan.stages:
        for block in blocks(stage):
            known = found.get(block.title)
            found[block.title] = block if known is None else replace(block, items=(*known.items, *block.items))
    if "select" in found:
        found["select"] = replace(found["select"], items=tuple(_joined(found["select"].items)))
    return tuple(found.values())


def _joined(items: Iterable[Item]) -> Iterator[Item]:
    """A filter whose parts run at different places in the plan is one clause again, at the place of the last."""
    clauses: dict[object, list[Item]] = {}
    for number, item in enumerate(items):
        clauses.setdefault((item.text, item.span) if item.key == "where" and item.span else number, []).append(item)
    for *earlier, last in clauses.values():
        parts = tuple(item.meaning for item in (*earlier, last))
        yield replace(last, meaning=plain(Operation("and", parts))) if earlier else last  # type: ignore[arg-type]


@singledispatch
def blocks(stage: Stage) -> Iterator[Block]:
    """The declarations that a stage came from; of a stage that has no words of its own, its fields under their names."""
    yield Block(kind(stage), kind(stage), kind(stage), stage.span, tuple(_fields(stage, ())))


@blocks.register
def _(stage: Scan) -> Iterator[Block]:
    yield Block(f"corpus {stage.corpus}", "scan", f"corpus {stage.corpus}", stage.span, tuple(_scan(stage)))


def _scan(stage: Scan) -> Iterator[Item]:
    same = plain(stage)
    yield Item("scan", f'scan "{stage.path}"', same.path, "scan", stage.span)
    for role in fields(stage.roles):
        if column := getattr(stage.roles, role.name):
            yield Item(role.name, f"{role.name} {column}", column, "scan", stage.span)
    if stage.where:
        yield Item("where", stage.where.text, plain(stage.where.condition), "scan", stage.where.span)
    yield from _fields(stage, ("corpus", "path", "roles", "where", "columns"))


@blocks.register
def _(stage: Teachers) -> Iterator[Block]:
    for teacher in stage.teachers:
        where = f" where {express(teacher.condition)}" if teacher.condition else ""
        text = f"teacher {teacher.name} from {teacher.corpus}{where}"
        item = Item("teacher", text, (teacher.corpus, plain(teacher.condition)), "teachers", teacher.span)
        more = _fields(teacher, ("name", "corpus", "condition"), "teachers")
        yield Block(f"teacher {teacher.name}", "teachers", text, teacher.span, (item, *more))
    for writer in getattr(stage, "generated", ()):
        title = f"teacher {writer.name}"
        items = (*_server(writer), *_fields(writer, ("name", "folder", "revision", "endpoint", "columns"), "generate"))
        yield Block(title, "generate", f"{title} generate", writer.span, items)
    if more := tuple(_fields(stage, ("teachers", "generated"))):
        yield Block("teachers", "teachers", "teachers", stage.span, more)


def _server(writer: GeneratedTeacher) -> Iterator[Item]:
    if writer.revision:
        yield Item("revision", f'revision "{writer.revision}"', writer.revision, "generate", writer.span)
    if writer.endpoint:
        yield Item("endpoint", f'endpoint "{writer.endpoint.url}"', writer.endpoint.url, "generate", writer.span)
        if writer.endpoint.key:  # another key to the same server changes no answer
            yield Item("key", f'key "{writer.endpoint.key}"', writer.endpoint.key, "", writer.span)


@blocks.register
def _(stage: Heldout) -> Iterator[Block]:
    where = f" {stage.scan.where.text}" if stage.scan.where else ""
    meaning = (stage.scan.corpus, plain(stage.scan.where))
    item = Item("heldout", f"heldout {stage.scan.corpus}{where}", meaning, "heldout", stage.span)
    yield Block("evaluate", "heldout", "evaluate", stage.span, (item, *_fields(stage, ("scan",))))


@blocks.register
def _(stage: Decontaminate) -> Iterator[Block]:
    if stage.because is not None:
        text = f'decontaminate none because "{stage.because}"'
    else:
        against = ", ".join(f'"{path}"' for path in stage.against)
        of_field = f" field: {stage.field}" if stage.field else ""
        text = f"decontaminate against {against} by {stage.words}-grams of {stage.of}{of_field}"
    same = plain(stage)
    meaning = (same.against, same.words, same.of, same.field, same.because)
    known = ("against", "words", "of", "field", "because")
    items = (Item("decontaminate", text, meaning, "decontaminate", stage.span), *_fields(stage, known))
    yield Block("decontaminate", "decontaminate", text, stage.span, items)


@blocks.register
def _(stage: Dedup) -> Iterator[Block]:
    threshold = "" if stage.threshold is None else f"(threshold: {stage.threshold:g})"
    text = f"dedup by {stage.method}{threshold} of {stage.of}"
    item = Item("dedup", text, (stage.method, stage.threshold, stage.of), "dedup", stage.span)
    yield Block("dedup", "dedup", text, stage.span, (item, *_fields(stage, ("method", "threshold", "of"))))


@blocks.register
def _(stage: Filter) -> Iterator[Block]:
    yield Block("select", "filter", "select", None, (*_steps(stage.wheres, "filter"), *_fields(stage, ("wheres",))))


@blocks.register
def _(stage: Select) -> Iterator[Block]:
    said: list[Item] = [*_steps(stage.steps, "select")]
    if stage.at_most:
        said.append(Item("keep at most", stage.at_most.text, stage.at_most.count, "select", stage.at_most.span))
    for quota in stage.quotas:
        group = " ".join(filter(None, (quota.group.kind.removesuffix("_value"), quota.group.column, quota.group.value)))
        said.append(Item(f"quota {group}", quota.text, plain(quota), "select", quota.span))
    if stage.soft:
        said.append(Item("quota skill", stage.soft.text, plain(stage.soft), "select", stage.soft.span))
    said += [Item(f"budget {b.unit}", b.text, plain(b), "select", b.span) for b in stage.budgets]
    said.append(Item("maximize", f"maximize {stage.objective_text}", plain(stage.objective), "select", stage.span))
    if stage.tokens:
        said.append(Item("count tokens", f"count tokens by {stage.tokens}", stage.tokens, "select", stage.span))
    if stage.solver != "auto":
        said.append(Item("solver", f"solver {stage.solver}", stage.solver, "select", stage.span))
    known = ("steps", "at_most", "quotas", "budgets", "objective", "objective_text", "tokens", "soft", "tallies", "tree", "solver", "draw")
    yield Block("select", "select", "select", stage.span, (*said, *_fields(stage, known)))


def _steps(found: Iterable[Any], stage: str) -> Iterator[Item]:
    for step in found:
        if isinstance(step, Where):
            yield Item("where", step.text, plain(step.condition), stage, step.span)
        else:
            yield Item("keep best", step.text, plain(step), stage, step.span)


@blocks.register
def _(stage: Score) -> Iterator[Block]:
    items = [Item("scorer", stage.scorer, stage.scorer, "score", stage.span)]
    if stage.version != 1:
        items.append(Item("version", f"version {stage.version} of {stage.scorer}", stage.version, "score", stage.span))
    if stage.model:
        items.append(Item("student", f"student: {stage.model.student}", stage.model.student, "score", stage.span))
    for name, value in stage.arguments:
        if value is not None:
            items.append(Item(name.partition("_")[0] if name.startswith("window_") else name, _argument(name, value), (name, value), "score", stage.span))
    values = {value for _, value in stage.arguments}
    items += [Item("reads", text, text, "score", stage.span) for read in spoken(stage) if (text := read.removeprefix("column:")) not in values]
    if stage.unit and stage.scorer == "column":
        items.append(Item("unit", f"unit: {stage.unit}", stage.unit, "score", stage.span))
    items += _fields(stage, ("name", "scorer", "arguments", "model", "reads", "unit", "rows", "passes", "tells", "shares"))
    given = ", ".join(item.text for item in items if item.key not in ("scorer", "version"))
    yield Block(f"score {stage.name}", "score", f"score {stage.name} = {stage.scorer}({given})", stage.span, tuple(items))


def spoken(stage: Score) -> tuple[str, ...]:
    """What a score reads of a row, as far as its call says so: `pass_rate()` reads the reference without a word."""
    return () if stage.scorer == "pass_rate" and stage.reads == ("reference",) else stage.reads


def _argument(name: str, value: Argument) -> str:
    if name == "window_steps":
        return f"window: {value} steps"
    return f"window: {value}%" if name == "window_percent" else f"{name}: {_scalar(value)}"


@blocks.register
def _(stage: Tag) -> Iterator[Block]:
    title = f"skills {stage.taxonomy}"
    near = nearness(stage.nearest) if stage.nearest is not None else ""
    asked = attributed(stage.attribution) if stage.attribution is not None else ""
    by = f"tag by {stage.method} {stage.column or near or asked}".rstrip()
    server = stage.attribution.endpoint if stage.attribution is not None else None
    asking = replace(stage.attribution, endpoint=replace(server, key=None)) if stage.attribution is not None and server is not None else stage.attribution
    items = [Item("tag", by, (stage.method, stage.column, plain(stage.nearest), plain(asking)), "tag", stage.span)]
    if server is not None and server.key:  # another key to the same server changes no answer
        items.append(Item("key", f'key: "{server.key}"', server.key, "", stage.span))
    if stage.tree is not None:
        items.append(Item("tree", f"tree of {len(stage.tree):,} skills", tuple(sorted(stage.tree)), "tag", stage.span))
    if stage.keywords is not None:
        words = tuple(sorted((skill, tuple(sorted(listed))) for skill, listed in stage.keywords))
        counted = f"{sum(len(listed) for _, listed in words):,} keywords for {len(words):,} skills"
        items.append(Item("keywords", f"{counted} (digest {sha256(repr(words).encode()).hexdigest()[:8]})", words, "tag", stage.span))
    if stage.descriptions:
        said = tuple(sorted(stage.descriptions))
        items.append(Item("descriptions", f"descriptions of {len(said):,} skills (digest {sha256(repr(said).encode()).hexdigest()[:8]})", said, "tag", stage.span))
    yield Block("skills", "tag", title, stage.span, (*items, *_fields(stage, ("taxonomy", "method", "column", "nearest", "attribution", "keywords", "tree", "descriptions"))))


@blocks.register
def _(stage: Profile) -> Iterator[Block]:
    first = f'from "{stage.file}"' if stage.file else "measured"
    model = getattr(stage, "model", None)
    student = model.student if isinstance(model, Model) else getattr(stage, "student", "")
    items = [Item("profile", f"profile {student} {first}", plain(stage.file), "profile", stage.span)]
    settings = getattr(stage, "settings", ())
    items += [Item(name, f"{name} {_scalar(value)}", value, "profile", stage.span) for name, value in settings]
    least = getattr(stage, "least", None)
    if least is not None:
        most = _amount("sample", stage.sample)
        items.append(Item("sample", f"sample {least}..{most}", (least, stage.sample), "profile", stage.span))
        items.append(Item("width", f"width {_scalar(stage.width)}%", stage.width, "profile", stage.span))
    more = _fields(stage, ("student", "model", "file", "settings", *(("least", "sample", "width") if least is not None else ())))
    yield Block(f"profile {student}", "profile", items[0].text, stage.span, (*items, *more))


@blocks.register
def _(stage: Materialise) -> Iterator[Block]:
    if more := tuple(_fields(stage, ("format",))):  # the format is the one of `train`
        yield Block("materialise", "materialise", "materialise", stage.span, more)


@blocks.register
def _(stage: Train) -> Iterator[Block]:
    head = Item("train", f"train {stage.model.student}", stage.model.student, "train", stage.span)
    adapters = "" if stage.lora is None else _value(stage.lora)
    method = Item("method", f"method {stage.method}{adapters}", (stage.method, plain(stage.lora)), "train", stage.span)
    yield Block("train", "train", head.text, stage.span, (head, method, *_fields(stage, ("model", "method", "lora"))))


@blocks.register
def _(stage: Evaluate) -> Iterator[Block]:
    items = []
    for b in stage.benchmarks:
        limit = f" limit {b.limit} prompts" if b.limit else ""
        columns = f" ({', '.join(f'{field}: {name}' for field, name in b.columns)})" if b.columns else ""
        grade = f" grade {b.grade.scorer}" if b.grade else ""
        text = f'benchmark {b.name} "{b.path}"{columns} samples {b.samples}{limit}{grade}'
        items.append(Item(f"benchmark {b.name}", text, plain(b), "evaluate", b.span))
    items += [Item(f"baseline {name}", f"baseline {name}", name, "arms", stage.span) for name in stage.baselines]
    if stage.seeds:
        items.append(Item("seeds", f"seeds [{', '.join(map(str, stage.seeds))}]", stage.seeds, "arms", stage.span))
    items += _fields(stage, ("model", "benchmarks", "baselines", "seeds", "heldout", "arms"))
    yield Block("evaluate", "evaluate", "evaluate", stage.span, tuple(items))


def _model(model: Model) -> Iterator[Item]:
    yield Item("model", f'model "{model.model}"', plain(model).model, "student", model.span)
    for name, written in (("revision", '"{}"'), ("dtype", "{}"), ("template", '"{}"')):
        if (value := getattr(model, name)) is not None:
            yield Item(name, f"{name} {written.format(value)}", value, "student", model.span)
    yield from _fields(model, ("student", "model", "folder", "revision", "dtype", "template"), "student")


def _fields(value: Any, known: tuple[str, ...], stage: str = "") -> Iterator[Item]:
    """The fields of a stage that have no words of their own, under their names."""
    stage = stage or kind(value)
    for f in fields(value):
        given = getattr(value, f.name)
        if f.name in known or f.name in _SILENT or given is None or given == ():
            continue
        parts = given if isinstance(given, tuple) and all(hasattr(part, "text") for part in given) else (given,)
        for part in parts:
            said = getattr(part, "text", None) or f"{f.name} {_amount(f.name, part)}"
            yield Item(f.name, said, plain(part), stage, getattr(part, "span", None) or value.span)


def _amount(name: str, value: Any) -> str:
    if name not in _UNITS or not isinstance(value, int):
        return _value(value)
    thousands, rest = divmod(value, 1000)
    return f"{thousands}k {_UNITS[name]}" if thousands and not rest else f"{value} {_UNITS[name]}"


def _value(value: Any) -> str:
    match value:
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _ if hasattr(value, "value") and hasattr(value, "unit"):
            return f"{_scalar(value.value)}{'' if value.unit.startswith('%') else ' '}{value.unit}"
        case _ if is_dataclass(value) and not isinstance(value, type):
            said = [f"{f.name}: {_value(v)}" for f in fields(value) if f.name not in _SILENT and (v := getattr(value, f.name)) is not None]
            return f"({', '.join(said)})"
        case _:
            return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)

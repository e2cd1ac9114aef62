"""Two specs that were compiled to what their plans do not show: clauses that no stage carries, and how the texts are written otherwise."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .diagnostics import Diagnostics
from .plan.changes import Change, Difference, Said, Work
from .plan.stages import Plan, Score, kind
from .source import Source
from .syntax import ast
from .syntax.format import format_pattern
from .syntax.parse import parse

# What stands in no plan, or in the plans that it makes; the class of a change of it.
_ASIDE = {"test": Work.COSMETIC, "sweep": Work.SELECT, "ablate": Work.SELECT, "require": Work.SELECT}
_NOTES = {"test": "no stage reads it", "sweep": "which builds there are", "ablate": "which builds there are", "require": "checked again"}
_STAGES = {"train": Work.TRAIN, "evaluate": Work.EVALUATE}
_WAITS = "not run yet"
_CARRIED = ("a profile", "`sweep`", "`ablate`", "`require`")  # each clause of a profile is in the plan, the others are compared here


def contrast(before: tuple[Plan, Sequence[Source]], after: tuple[Plan, Sequence[Source]], told: Sequence[Change]) -> tuple[Change, ...]:
    """Changes of clauses that no stage carries; `told` are those already known."""
    found = [*_aside(before[1], after[1]), *_pending(before, after)]
    known = {side and _flat(side.text) for change in told for side in (change.before, change.after)}
    return tuple(c for c in found if not all(side is None or _flat(side.text) in known for side in (c.before, c.after)))


def spread(difference: Difference, changes: Sequence[Change], plan: Plan) -> Difference:
    """The difference with what runs again for changes that `contrast` found: the stages that the clauses wait for, and all after them."""
    kinds = {side.key for change in changes for side in (change.before, change.after) if side and change.note == _WAITS}
    first = next((i for i, stage in enumerate(plan.stages) if kind(stage) in kinds), None)
    if first is None:
        return difference
    late = {stage.id: stage for stage in plan.stages[first:]}
    names = {stage.name for stage in late.values() if isinstance(stage, Score)}
    fates = tuple(replace(f, state="new rows") if f.name in names and f.state == "cached" else f for f in difference.scores)
    run = tuple(stage.id for stage in plan.stages if stage.id in late or stage.id in difference.run)
    return replace(difference, run=run, same=tuple(id for id in difference.same if id not in late), scores=fates)


def wording(before: Sequence[Source], after: Sequence[Source], *, told: bool = False) -> tuple[str, ...]:
    """What the texts of two specs have otherwise, whatever it means: `formatting`, `comments`, `the order of declarations`, …

    Where changes are `told` already, nothing is said of clauses that are written otherwise.
    """
    if [source.text for source in before] == [source.text for source in after]:
        return ()
    old, new = ([parse(source, Diagnostics()) for source in side] for side in (before, after))
    comments = [Counter(" ".join(c.text.split()) for spec in side for c in spec.comments) for side in (old, new)]
    said = ["comments"] if comments[0] != comments[1] else []
    listed = [[d for spec in side for d in spec.declarations] for side in (old, new)]
    for name, node in (("params", ast.ParamDeclaration), ("what is extended", ast.Extends)):
        mine, theirs = ({d for d in side if isinstance(d, node)} for side in listed)
        said += [name] if mine != theirs else []
    mine, theirs = ([d for d in side if not isinstance(d, ast.Extends | ast.ParamDeclaration)] for side in listed)
    explained = told or any(name != "comments" for name in said)
    if mine != theirs and not explained:
        if Counter(mine) == Counter(theirs):
            said.append("the order of declarations")
        else:
            said.append("the order of clauses" if Counter(_lines(mine)) == Counter(_lines(theirs)) else "how clauses are written")
    return tuple(said or ([] if explained else ["formatting"]))


def _lines(declarations: Sequence[ast.Declaration]) -> Iterator[object]:
    """Each clause with the block that it stands in."""
    for each in declarations:
        if isinstance(each, ast.Block):
            yield from ((each.kind, each.name, line) for line in each.lines)
        else:
            yield each


def _aside(before: Sequence[Source], after: Sequence[Source]) -> Iterator[Change]:
    """Tests, sweeps, ablations and requirements, by name; those of an extended spec come first, so that the last one holds."""
    old, new = ({key: said for source in reversed(side) for key, said in _said(source)} for side in (before, after))
    for key in dict.fromkeys((*old, *new)):
        here, there = old.get(key), new.get(key)
        if here and there and _flat(here.text) == _flat(there.text):
            continue
        how = "changed" if here and there else "added" if there else "removed"
        yield Change(_ASIDE[key[0]], how, " ".join(filter(None, key)), here, there, _NOTES[key[0]])


def _said(source: Source) -> Iterator[tuple[tuple[str, str], Said]]:
    for node in parse(source, Diagnostics()).declarations:
        match node:
            case ast.Block(kind="test", name=ast.String(value=name)):
                key = ("test", name)
            case ast.Sweep(param=name):
                key = ("sweep", name.text)
            case ast.Require(subject=name):
                key = ("require", name.text)
            case ast.Ablate(pattern=pattern):
                key = ("ablate", format_pattern(pattern))
            case _:
                continue
        yield key, Said(source.text[node.span.start : node.span.end], key[0], node.span)


def _pending(before: tuple[Plan, Sequence[Source]], after: tuple[Plan, Sequence[Source]]) -> Iterator[Change]:
    """Clauses that the runtime does not do yet, which a stage may carry in part or not at all: compared as they are written."""
    old, new = (dict(_waiting(*side)) for side in (before, after))
    for what in dict.fromkeys((*old, *new)):
        (work, here), (_, there) = old.get(what) or (new[what][0], None), new.get(what) or (old[what][0], None)
        if here and there and _flat(here.text) == _flat(there.text):
            continue
        how = "changed" if here and there else "added" if there else "removed"
        yield Change(work, how, what, here, there, _WAITS)


def _waiting(plan: Plan, sources: Sequence[Source]) -> Iterator[tuple[str, tuple[Work, Said]]]:
    texts = {source.path: source for source in sources}
    blocks = {d.head: d.span for source in sources for d in parse(source, Diagnostics()).declarations if isinstance(d, ast.Block)}
    for each in plan.pending:
        source = texts.get(each.span.path)
        if source is None or each.what in _CARRIED:
            continue
        span = blocks.get(each.span, each.span)
        work = Work.GENERATE if each.what.endswith("generates") else _STAGES.get(each.stage, Work.SELECT)
        what = source.text[each.span.start : each.span.end] if span is not each.span else each.what.strip("`")
        yield what, (work, Said(source.text[span.start : span.end], each.stage, span))


def _flat(text: str) -> str:
    return " ".join(text.split())

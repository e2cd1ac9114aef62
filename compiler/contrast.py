"""Two specs that were compiled to what their plans do not show: clauses that no stage carries, and how the texts are written otherwise."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .diagnostics import Diagnostics
from .plan.changes import Change, Difference, Said, Work
from .plan.stages import Plan, Score, kind
from .semantics.inputs import Inputs
from .semantics.resolve import resolve
from .source import Source, Span
from .syntax import ast
from .syntax.format import format_clause, format_pattern
from .syntax.parse import parse

# What stands in no plan, or in the plans that it makes; the class of a change of it.
_ASIDE = {"test": Work.COSMETIC, "sweep": Work.SELECT, "ablate": Work.SELECT, "require": Work.SELECT}
_NOTES = {"test": "no stage reads it", "sweep": "which builds there are", "ablate": "which builds there are", "require": "checked again"}
_STAGES = {"train": Work.TRAIN, "evaluate": Work.EVALUATE}
_WAITS = "not run yet"


Node = ast.Declaration | ast.Line


@dataclass(frozen=True, slots=True)
class Written:
    """A plan with the texts that it was compiled from, the spec first, and what holds once parents and params are in place."""

    plan: Plan
    sources: tuple[Source, ...]
    declarations: tuple[ast.Declaration, ...]

    def text(self, span: Span) -> str:
        """What stands at a place, in one line."""
        source = next((s for s in self.sources if s.path == span.path), None)
        return _flat(source.text[span.start : span.end]) if source else ""

    def said(self, node: Node | None, key: str) -> Said | None:
        """A clause in canonical form, a declaration as it stands there."""
        if node is None:
            return None
        return Said(format_clause(node) if isinstance(node, ast.Line) else self.text(node.span), key, node.span)


def written(plan: Plan, sources: tuple[Source, ...], settings: Sequence[tuple[str, str]] = ()) -> Written:
    """A plan beside its texts; `settings` are the params that were set from outside."""
    inputs = Inputs({s.path: s.text for s in sources}, {}, {}, tuple(settings))
    return Written(plan, sources, resolve(sources[0], inputs, Diagnostics()).declarations)


def contrast(before: Written, after: Written, told: Sequence[Change]) -> tuple[Change, ...]:
    """Changes of clauses that no stage carries; `told` are those already known."""
    known = [(change.block, side) for change in told for side in (change.before, change.after) if side]
    found = [*_aside(before, after), *_pending(before, after)]
    return tuple(c for c in found if not all(side is None or _is_told(side, c.block, known) for side in (c.before, c.after)))


def _is_told(side: Said, block: str, known: Sequence[tuple[str, Said]]) -> bool:
    """Whether it is said already, in the same words or as that setting of the block."""
    text = _flat(side.text)
    return any(_flat(each.text) == text or (title == block and text.startswith(f"{each.key} ")) for title, each in known)


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


def _aside(before: Written, after: Written) -> Iterator[Change]:
    """Tests, sweeps, ablations and requirements, by name."""
    old, new = ({key: d for d in side.declarations if (key := _key(d))} for side in (before, after))
    for key in dict.fromkeys((*old, *new)):
        here, there = ((side.get(key), written) for side, written in ((old, before), (new, after)))
        yield from _changes(_ASIDE[key[0]], " ".join(key), key[0], _NOTES[key[0]], here, there)


def _key(declaration: ast.Declaration) -> tuple[str, str] | None:
    match declaration:
        case ast.Block(kind="test", name=ast.String(value=name)):
            return "test", name
        case ast.Sweep(param=name):
            return "sweep", name.text
        case ast.Require(subject=name):
            return "require", name.text
        case ast.Ablate(pattern=pattern):
            return "ablate", format_pattern(pattern)
        case _:
            return None


def _pending(before: Written, after: Written) -> Iterator[Change]:
    """Clauses that the runtime does not do yet, which a stage may carry in part or not at all."""
    old, new = (dict(_waiting(side)) for side in (before, after))
    for what in dict.fromkeys((*old, *new)):
        work, stage, _ = old.get(what) or new[what]
        here, there = ((side[what][2] if what in side else None, written) for side, written in ((old, before), (new, after)))
        yield from _changes(work, what[1], stage, _WAITS, here, there)


def _waiting(written: Written) -> Iterator[tuple[tuple[str, str], tuple[Work, str, Node]]]:
    """By what waits and the block or the stage it belongs to: the class of a change of it, the stage, the clause."""
    for each in written.plan.pending:
        node = _node(written.declarations, each.span)
        if node is None or _told_elsewhere(node):
            continue
        work = Work.GENERATE if each.what.endswith("generates") else _STAGES.get(each.stage, Work.SELECT)
        block = written.text(node.head) if isinstance(node, ast.Block) else each.stage
        yield (each.what, block), (work, each.stage, node)


def _told_elsewhere(node: Node) -> bool:
    """Whether the plan carries all of it (a score, each clause of a profile), or `_aside` compares it."""
    return isinstance(node, ast.Score | ast.Require | ast.Sweep | ast.Ablate) or (isinstance(node, ast.Block) and node.kind == "profile")


def _node(declarations: Sequence[ast.Declaration], span: Span) -> Node | None:
    """The clause that stands at a place, or the declaration where the place is its head or its only clause."""
    lines = (line for each in declarations if isinstance(each, ast.Block) for line in each.lines)
    return next((node for node in (*lines, *declarations) if _holds(node.span, span)), None)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.path == inner.path and outer.start <= inner.start and inner.end <= outer.end


def _changes(
    work: Work, title: str, key: str, note: str, before: tuple[Node | None, Written], after: tuple[Node | None, Written]
) -> Iterator[Change]:
    """One change; of a block that both sides have, one for each clause that differs."""
    (old, was), (new, now) = before, after
    if old == new:
        return
    if isinstance(old, ast.Block) and isinstance(new, ast.Block) and old.name == new.name:
        gone = [line for line in old.lines if line not in new.lines]
        come = [line for line in new.lines if line not in old.lines]
        for mine in gone:
            theirs = next((line for line in come if _word(line) == _word(mine)), None)
            come = [line for line in come if line is not theirs]
            how = "changed" if theirs else "removed"
            yield Change(work, how, title, was.said(mine, key), now.said(theirs, key), note)
        yield from (Change(work, "added", title, None, now.said(line, key), note) for line in come)
        return
    how = "changed" if old and new else "added" if new else "removed"
    yield Change(work, how, title, was.said(old, key), now.said(new, key), note)


def _word(line: ast.Line) -> str:
    return format_clause(line).split()[0]


def _flat(text: str) -> str:
    return " ".join(text.split())

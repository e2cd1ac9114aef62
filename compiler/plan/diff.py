"""Two plans to what differs between them by meaning: every change with its class, what must run again and what stays cached.

What runs again is read off the stages' fingerprints; a class says which work a change asks for by itself. It knows no text and no file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..expressions import Expression, columns
from .arrive import narrows
from .changes import Change, Difference, Fate, Said, Work
from .digest import fingerprints
from .match import match
from .normalize import normalize, plain, steps
from .recite import Block, Item, recite
from .rename import Renaming, rename
from .rescore import computes, rescore
from .stages import Evaluate, Filter, Keep, Plan, Profile, Scan, Score, Select, Stage, Teachers, Train, Where

_ROWS = ("scan", "teachers", "heldout", "decontaminate", "dedup", "filter")
_NEW = "for rows that it newly lets in"
_SELECTED = "of the selected rows only"
_KEPT = "no choice of rows depends on it"


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both plans as their fingerprints were taken, and what becomes of the scores. `trusting`: a clause that only takes rows away brings none."""

    before: Sequence[Stage]
    after: Sequence[Stage]
    fates: dict[str, Fate]
    trusting: bool = True

    def score(self, name: str) -> tuple[Score | None, Fate | None]:
        """The later plan's score of that name, and what becomes of it."""
        found = next((s for s in self.after if isinstance(s, Score) and s.name == name), None)
        return found, self.fates.get(found.id) if found else None

    def has(self, *kinds: type) -> bool:
        return any(isinstance(s, kinds) for s in self.after)

    @property
    def rescores(self) -> bool:
        """Whether a score that stays may meet rows that it has not seen."""
        return any(f.state == "new rows" and f.rows == "candidates" and f.name not in self.called for f in self.fates.values())

    @property
    def called(self) -> frozenset[str]:
        """Scores of the selected rows alone that a clause now asks of every candidate."""
        late = {computes(s) for s in self.before if isinstance(s, Score) and s.rows == "selected"}
        early = {computes(s) for s in self.before if isinstance(s, Score) and s.rows == "candidates"}
        asked = [s for s in self.after if isinstance(s, Score) and s.rows == "candidates" and s.scorer != "column"]
        return frozenset(s.name for s in asked if computes(s) in late - early)


def diff(before: Plan, after: Plan) -> Difference:
    """What `after` says otherwise than `before`; nothing, or cosmetic changes alone, where both mean the same."""
    names = {stage.id: stage.name for stage in after.stages if isinstance(stage, Score)}
    order = [stage.id for stage in after.stages]
    alike, renamings = rename(before, after)
    old, new = normalize(before.stages), normalize(alike.stages)
    known = {digest for _, digest in fingerprints(old)}
    changed = frozenset(id for id, digest in fingerprints(new) if digest not in known)
    sides = _Sides(old, new, rescore(old, new))
    changes = [*_changes(before, alike, sides, renamings), *_reordered(before, alike, sides)]
    if sides.rescores and not any(change.work is Work.SCORE for change in changes):
        changes = [*_changes(before, alike, replace(sides, trusting=False), renamings), *_reordered(before, alike, sides)]
    changes += _renamed(renamings, before, after)
    idle = {id for id, fate in sides.fates.items() if fate.state == "cached"}
    return Difference(
        changes=tuple(sorted(changes, key=lambda c: -c.work.cost)),
        run=tuple(id for id in order if id in changed - idle),
        same=tuple(id for id in order if id not in changed),
        scores=tuple(replace(sides.fates[id], name=names[id]) for id in order if id in names),
    )


def _renamed(renamings: Sequence[Renaming], before: Plan, after: Plan) -> Iterator[Change]:
    old, new = ({block.title: block for block in recite(plan)} for plan in (before, after))
    for each in renamings:
        here, there = (block.get(f"{each.kind} {name}") for block, name in ((old, each.before), (new, each.after)))
        mine, theirs = (Said(f"{each.kind} {name}", each.kind, block and block.span) for name, block in ((each.before, here), (each.after, there)))
        note = "its column has another name, its values stay" if each.kind == "score" else "a name for the same"
        yield Change(Work.COSMETIC, "renamed", mine.text, mine, theirs, note)


def _changes(before: Plan, after: Plan, sides: _Sides, renamings: Sequence[Renaming]) -> Iterator[Change]:
    old, new = ({block.title: block for block in recite(plan)} for plan in (before, after))
    for title in dict.fromkeys((*new, *old)):
        here, there = old.get(title), new.get(title)
        if here and there:
            for mine, theirs in match(here.items, there.items):
                yield from _change(there, mine, theirs, sides, renamings)
        elif block := there or here:
            first = block.items[0] if block.items else Item(title, block.head, None, block.stage, block.span)
            said = Said(block.head, first.key, block.span)
            work, note = _work(block, None if there else first, first if there else None, sides)
            if title.startswith("student ") and here is None and work is Work.COSMETIC:
                continue
            yield Change(work, "added" if there else "removed", title, None if there else said, said if there else None, note)


def _change(block: Block, old: Item | None, new: Item | None, sides: _Sides, renamings: Sequence[Renaming]) -> Iterator[Change]:
    item = new or old
    assert item is not None
    if item.key == "count tokens" and not (old and new):
        return  # it follows from a bound in tokens, which is told
    kind = "added" if old is None else "removed" if new is None else "changed"
    mine, theirs = (each and Said(each.text, each.key, each.span) for each in (old, new))
    if old and new and old.meaning == new.meaning:
        if _in_old_names(new.text, renamings) != old.text:
            yield Change(Work.COSMETIC, "reworded", block.title, mine, theirs, "says the same")
        return
    work, note = _work(block, old, new, sides)
    yield Change(work, kind, block.title, mine, theirs, note)


def _in_old_names(text: str, renamings: Sequence[Renaming]) -> str:
    for each in renamings:
        text = re.sub(rf"\b{each.after}\b", each.before, text)
    return text


def _work(block: Block, old: Item | None, new: Item | None, sides: _Sides) -> tuple[Work, str]:
    """The class of a change and what is to say of it. `block` is the later one, the earlier one where it is gone."""
    item = new or old
    assert item is not None
    match item.stage:
        case "":
            return _mix(item, sides)
        case "student":
            return _student(block.title.partition(" ")[2], sides)
        case "score":
            return _score(block.title.partition(" ")[2], old, sides)
        case "filter" | "select" if new and (asked := _asked(new, sides)):
            return Work.SCORE, f"{', '.join(f'`{name}`' for name in asked)} for every candidate"
        case stage if stage in _ROWS:
            if not sides.rescores or (sides.trusting and _fewer(old, new)):
                return Work.SELECT, ""
            return Work.SCORE, _NEW
        case "tag" | "select":
            return Work.SELECT, ""
        case "profile":
            measured = new is not None and (new.key != "profile" or new.meaning is None)
            return (Work.GENERATE, "the student answers again") if measured else (Work.SELECT, "")
        case "materialise":
            return Work.SELECT, _KEPT
        case "train":
            return Work.TRAIN, "" if sides.has(Train) else "nothing is trained any more"
        case "arms":
            return (Work.TRAIN if sides.has(Train) else Work.EVALUATE), ""
        case "evaluate":
            return Work.EVALUATE, "" if sides.has(Evaluate) else "nothing is measured any more"
        case "generate":
            return Work.GENERATE, ""
        case _:
            return Work.SELECT, ""


def _asked(item: Item, sides: _Sides) -> list[str]:
    """The scores of the selected rows alone that this clause now asks of every candidate; a bound in tokens asks for the count."""
    meaning = item.meaning.by if isinstance(item.meaning, Keep) else item.meaning
    read = {c.name for c in columns(meaning) if c.source == "score"} if isinstance(meaning, Expression) else set()
    if item.key.startswith(("quota", "budget")) and "tokens" in item.text:
        read |= {s.tokens for s in sides.after if isinstance(s, Select) and s.tokens}
    return sorted(read & sides.called)


def _mix(item: Item, sides: _Sides) -> tuple[Work, str]:
    if item.key != "seed":
        return Work.COSMETIC, ""
    if drawn := [who for s in sides.after for who in _draw(s)]:
        return Work.GENERATE, f"{', '.join(drawn)}: other answers are drawn"
    if any(isinstance(s, Scan) and s.sample for s in sides.after) and sides.rescores:
        return Work.SCORE, "other prompts are sampled"
    trained = {s.seed for side in (sides.before, sides.after) for s in side if isinstance(s, Train)}
    return Work.SELECT, "it decides ties and `random`" + (", and the order of training" if len(trained) > 1 else "")


def _draw(stage: Stage) -> list[str]:
    """Whose answers in a stage go by the seed: they are drawn at a temperature, or the prompts that are asked are a sample."""
    match stage:
        case Teachers():
            return [f"teacher `{each.name}`" for each in stage.generated if each.temperature]
        case Profile() if stage.measured and (stage.temperature or stage.sample is not None):
            return [f"profile `{stage.model.student}`"]
        case _:
            return []


def _student(name: str, sides: _Sides) -> tuple[Work, str]:
    used = [s for s in sides.after if getattr(getattr(s, "model", None), "student", None) == name]
    scored = [s.name for s in used if isinstance(s, Score) and sides.fates[s.id].state != "cached"]
    if scored:
        return Work.SCORE, f"every value of {', '.join(f'`{each}`' for each in scored)}"
    if any(isinstance(s, Train) for s in used):
        return Work.TRAIN, ""
    return (Work.EVALUATE if any(isinstance(s, Evaluate) for s in used) else Work.COSMETIC), ""


def _score(name: str, old: Item | None, sides: _Sides) -> tuple[Work, str]:
    score, fate = sides.score(name)
    if score is None or fate is None:
        used = any(isinstance(s, Score) and s.name == name and s.rows == "candidates" for s in sides.before)
        return Work.SELECT, "its values stay in the store" + ("" if used else f", {_KEPT}")
    if fate.state == "all rows" or (fate.state == "new rows" and old is None):
        return Work.SCORE, _SELECTED if fate.rows == "selected" else ""
    if name in sides.called:
        return Work.SCORE, "for every candidate"
    if fate.rows == "selected":
        return Work.SELECT, _KEPT
    return Work.SELECT, "the stored values are read otherwise" if fate.state == "cached" and old else ""


def _fewer(old: Item | None, new: Item | None) -> bool:
    """Whether a change of what comes before the scores can only take rows away."""
    item = new or old
    assert item is not None
    if item.key == "where":
        return new is not None and narrows(old.meaning if old else None, new.meaning)
    if item.key in ("teacher", "scan"):
        return new is None
    return old is None and item.key in ("heldout", "dedup", "decontaminate")


def _reordered(before: Plan, after: Plan, sides: _Sides) -> Iterator[Change]:
    """Filters that both have, in an order that is of account: one of them looks at the rows that the others leave."""
    here, there = _steps(before), _steps(after)
    pairs = [(old, new) for old, new in match([item for item, _ in here], [item for item, _ in there]) if old and new]
    partner = {id(new): old for old, new in pairs}
    place = {id(item): number for number, (item, _) in enumerate(here)}
    kept = [each for each in there if id(each[0]) in partner]
    once = sorted(kept, key=lambda each: place[id(partner[id(each[0])])])
    if steps(tuple(plain(step) for _, step in once)) == steps(tuple(plain(step) for _, step in kept)):
        return
    first = next(i for i, (a, b) in enumerate(zip(once, kept, strict=True)) if a is not b)
    olds = [partner[id(item)] for item, _ in once[first : first + 2]]
    mine, theirs = (
        Said(", then ".join(item.text for item in items), "where", items[0].span)
        for items in (olds, [item for item, _ in kept[first : first + 2]])
    )
    work = Work.SCORE if sides.rescores else Work.SELECT
    yield Change(work, "reordered", "select", mine, theirs, "one of them looks at the rows that are left")


def _steps(plan: Plan) -> list[tuple[Item, Where | Keep]]:
    """The filters as the plan runs them, those before the scores first."""
    filters = [w for s in plan.stages if isinstance(s, Filter) for w in s.wheres]
    found = [*filters, *(step for s in plan.stages if isinstance(s, Select) for step in s.steps)]
    items = [i for b in recite(plan) if b.title == "select" for i in b.items if i.key in ("where", "keep best")]
    return list(zip(items, found, strict=True))

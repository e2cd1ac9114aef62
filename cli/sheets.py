"""A comparison of builds as titled tables of words, which text and Markdown share. It counts nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..runtime.chosen import Chosen
from ..runtime.compare import KINDS, Compared, Trained
from .progress import duration
from .results_sheet import results_sheets
from .sheet import NONE, Sheet

WIDE = 6
"""So many selections stand in one table."""
TOLD = 8
"""So many changes of a recipe are told, and so many teachers and skills; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Page:
    """The heading and all sheets, in the order in which they are read."""

    title: str
    sheets: tuple[Sheet, ...]


def page(found: Compared) -> Page:
    """All that there is to show; a section without a row is left out."""
    several = len(found.builds) > 1
    title = f"{len(found.builds)} builds, beside {found.reference}" if several else f"one build, {found.reference}"
    sheets = [_builds(found), _changes(found), *_selections(found), *_shared(found), _trainings(found), *results_sheets(found), _costs(found)]
    return Page(title, tuple(sheet for sheet in sheets if sheet.rows or sheet.notes))


def _builds(found: Compared) -> Sheet:
    rows = [
        (each.name, str(each.folder), str(each.manifest.get("name", "")), str(each.plan.seed), "; ".join(found.lacks[each.name]) or "complete")
        for each in found.builds
    ]
    notes = [f"! {_listed(builds)}: {says}" for says, builds in _grouped((c.says, c.builds[0]) for c in found.cautions).items()]
    return Sheet("builds", ("build", "folder", "recipe", "seed", "what is there"), tuple(rows), tuple(notes), words=5)


def _changes(found: Compared) -> Sheet:
    rows: list[tuple[str, ...]] = []
    notes = []
    for build, changes in found.changes.items():
        for change in changes[:TOLD]:
            before, after = (" ".join(said.text.split()) if said else "" for said in (change.before, change.after))
            said = f"{before} -> {after}" if before and after else f"without {before}" if before else f"with {after}"
            rows.append((build, change.work.value, change.block, said))
        if len(changes) > TOLD:
            notes.append(f"{build}: {len(changes) - TOLD} more; `mixc diff` of the two folders tells all")
        if not changes:
            rows.append((build, NONE, "", "says the same"))
    return Sheet(f"recipe, beside {found.reference}", ("build", "class", "block", "change"), tuple(rows), tuple(notes), words=4)


def _selections(found: Compared) -> Iterator[Sheet]:
    for first in range(0, len(found.selections), WIDE):
        part = found.selections[first : first + WIDE]
        rows = [
            ("rows", *(f"{each.rows:,}" for each in part)),
            ("prompts", *(f"{each.prompts:,}" for each in part)),
            ("tokens", *(NONE if each.tokens is None else f"{each.tokens:,}" for each in part)),
        ]
        teachers, more = _ordered(found.selections, "teachers")
        rows += [(f"teacher {name}", *(_teacher(each, name) for each in part)) for name in teachers]
        skills, others = _ordered(found.selections, "skills")
        rows += [(f"skill {name}", *(_share(each.skills.get(name, 0), each.rows) for each in part)) for name in skills]
        notes = [f"and {count} more {what}; `--format json` has all" for count, what in ((more, "teachers"), (others, "skills")) if count]
        tokens = any(each.by_teacher for each in part)
        if teachers or skills:
            notes.append(f"shares of rows{', of a teacher also of tokens in brackets' if tokens else ''}; a row counts in each of its skills")
        yield Sheet("selection", ("", *(each.name for each in part)), tuple(rows), tuple(notes))


def _ordered(selections: Sequence[Chosen], what: str) -> tuple[list[str], int]:
    """The names that have most rows of all selections together, and how many there are besides."""
    totals: dict[str, int] = {}
    for each in selections:
        for name, count in getattr(each, what).items():
            totals[name] = totals.get(name, 0) + count
    names = sorted(totals, key=lambda name: (-totals[name], name))
    return names[:TOLD], len(names[TOLD:])


def _teacher(of: Chosen, name: str) -> str:
    rows = _share(of.teachers.get(name, 0), of.rows)
    return f"{rows} ({_share(of.by_teacher.get(name, 0), of.tokens)})" if of.by_teacher and of.tokens else rows


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else NONE


def _shared(found: Compared) -> Iterator[Sheet]:
    """Two triangles, of rows and of prompts: how many both have, and of what either has."""
    names = [each.name for each in found.selections]
    same = all((o.rows, o.of_rows) == (o.prompts, o.of_prompts) for o in found.overlaps)
    for what in ("rows",) if same else ("rows", "prompts"):
        cells = {(o.first, o.second): (getattr(o, what), getattr(o, f"of_{what}")) for o in found.overlaps}
        for first in range(0, len(names) - 1, WIDE):
            across = names[first : min(first + WIDE, len(names) - 1)]
            rows = []
            for place, name in enumerate(names[first + 1 :], first + 1):
                shared = [cells[other, name] if names.index(other) < place else None for other in across]
                rows.append((name, *("" if each is None else f"{each[0]:,} ({_share(*each)})" for each in shared)))
            note = ("in brackets: of what either has (Jaccard)",) if same or what == "prompts" else ()
            yield Sheet("shared rows, and as many prompts" if same else f"shared {what}", ("", *across), tuple(rows), note)


def _trainings(found: Compared) -> Sheet:
    rows = [_training(each) for each in found.trainings]
    runs = any(len(each.courses) > 1 for each in found.trainings)
    notes = [f"smoothed: the mean of the losses so far, each weighing 0.9 of the next{'; losses are means over runs' if runs else ''}"] if rows else []
    if any(course.trained for each in found.trainings for course in each.courses):
        notes.append("trained tokens: under the loss, once through the examples; read: in all steps, prompts included")
    return Sheet("training", ("", "runs", "examples", "trained tokens", "steps", "read", "first loss", "last loss", "smoothed"), tuple(rows), tuple(notes))


def _training(each: Trained) -> tuple[str, ...]:
    courses = each.courses
    loss = [sum(values) / len(courses) for values in zip(*((c.losses[0], c.losses[-1], c.smoothed[-1]) for c in courses), strict=True)]
    counts = zip(*((c.examples, c.trained, c.steps[-1], c.tokens) for c in courses), strict=True)
    return (each.label, f"{len(courses)}", *(_from_to(values) for values in counts), *(f"{value:.3f}" for value in loss))


def _from_to(values: Sequence[int | None]) -> str:
    """One number where all runs have it, else the least and the most."""
    known = sorted({value for value in values if value is not None})
    return NONE if not known or None in values else " .. ".join(f"{value:,}" for value in (known[0], known[-1])[: len(known)])


def _costs(found: Compared) -> Sheet:
    kinds = [kind for kind in (*KINDS, "other") if any(kind in cost.seconds for cost in found.costs)]
    rows = [
        (
            cost.build,
            *(duration(cost.seconds[kind]) if kind in cost.seconds else NONE for kind in kinds),
            duration(cost.all), duration(cost.reading), f"{cost.tokens:,}", ", ".join(cost.devices) or NONE,
        )
        for cost in found.costs
    ]  # fmt: skip
    note = "as each build last ran: what the store held cost nothing; in models: without loading them"
    return Sheet("cost", ("build", *kinds, "all", "in models", "tokens", "engines"), tuple(rows), (note,), last=True)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names by what is said of them, in the order of first mention."""
    grouped: dict[str, list[str]] = {}
    for says, name in pairs:
        grouped.setdefault(says, []).append(name)
    return grouped


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))

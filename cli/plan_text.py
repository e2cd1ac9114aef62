"""A plan as a tree that a person reads in ten seconds: what goes in, what drops where, what is computed, what it costs, what comes out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from ..compiler.plan.explain import words
from ..compiler.plan.pending import concerns
from ..compiler.plan.stages import (
    Decontaminate,
    Dedup,
    Filter,
    Heldout,
    Materialise,
    Plan,
    Profile,
    Score,
    Select,
    Stage,
    Tag,
    Teachers,
    kind,
)
from ..runtime.costs import Cost
from ..runtime.figure import Figure
from ..runtime.preview import Known, Preview
from ..runtime.standing import Standing
from .figures import LEGEND, shown
from .plan_sections import outcome

GROUPS = (
    ("in", ("scan", "teachers", "heldout", "decontaminate", "dedup", "tag")),
    ("score and filter", ("score", "filter", "profile")),
    ("select", ("select",)),
    ("out", ("score", "materialise", "train", "evaluate")),
)
GAP = "  "
STEM = "|- "
NARROWEST = 24
NOTE_SHARE = 4  # of the columns, one in so many is for notes


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree; `more` stands below it, across."""

    label: str
    rows: str = ""
    tokens: str = ""
    note: str = ""
    more: tuple[str, ...] = ()


def plan_text(plan: Plan, stages: Sequence[Stage], seen: Preview, stands: Standing, width: int, *, clauses: bool = False) -> str:
    """The tree, then costs, composition and verdict, in at most `width` columns; with `clauses` every clause of a stage below it."""
    groups = [(title, [line for stage in part for line in _lines(plan, stage, seen, clauses)]) for title, part in _grouped(stages)]
    every = [line for _, lines in groups for line in lines]
    rows, tokens = (max((len(getattr(line, name)) for line in every), default=0) for name in ("rows", "tokens"))
    longest = max((len(line.label) for line in every), default=0) + len(STEM)
    label = min(longest, max(NARROWEST, width - width // NOTE_SHARE - rows - tokens - 3 * len(GAP)))
    columns = (label, max(rows, 4), max(tokens, 6), width)
    title = f'mix "{plan.name}", seed {plan.seed}'
    drawn = [_row(title, "rows", "tokens", "", columns)]
    for name, lines in groups:
        drawn += ["", name]
        for number, line in enumerate(lines, 1):
            drawn += _branch(line, number == len(lines), columns)
    drawn += outcome(plan, stages, seen, stands, width)
    if any(mark in text for text in drawn for mark in ("~", "<=")):
        drawn += ["", LEGEND]
    return "".join(f"{text.rstrip()}\n" for text in drawn)


def _grouped(stages: Sequence[Stage]) -> Iterator[tuple[str, list[Stage]]]:
    """The stages in their order, in the groups of a reader; scores of the selected rows only come out."""
    late = next((i for i, s in enumerate(stages) if isinstance(s, Select)), len(stages))
    for title, kinds in GROUPS:
        part = [s for i, s in enumerate(stages) if kind(s) in kinds and (not isinstance(s, Score) or (i > late) == (title == "out"))]
        if part:
            yield title, part


def _lines(plan: Plan, stage: Stage, seen: Preview, clauses: bool) -> Iterator[Line]:
    known = seen.known.get(stage.id, Known())
    more = tuple(words(stage)) if clauses else ()
    waiting = [p.what for p in plan.pending if concerns(p, stage, plan)]
    pending = [f"not done yet: {', '.join(waiting)}"] if waiting else []
    rows, tokens = _change(known.before, known.rows), shown(known.tokens)
    match stage:
        case Filter():
            before = known.before
            steps = dict(known.steps)
            for where in stage.wheres:
                after = steps.get(where.text, known.rows)
                yield Line(where.text, _change(before, after), tokens if where is stage.wheres[-1] else "")
                before = after
        case Select():
            before = known.before
            for text, left in known.steps:
                yield Line(text, _change(before, left))
                before = left
            chosen = ", ".join([*(b.text for b in stage.budgets), f"maximize {stage.objective_text}"])
            yield Line(chosen, _change(before, known.rows), tokens, more=(*pending, *more))
        case _:
            yield Line(_label(stage), rows, tokens, "" if pending else _note(stage, known, seen.costs), (*pending, *more))


def _label(stage: Stage) -> str:
    match stage:
        case Score():
            return f"score {stage.name} = {stage.scorer}"
        case Teachers():
            return f"teachers {', '.join(t.name for t in stage.teachers)}" if stage.teachers else "teachers, each value of the column"
        case Decontaminate():
            return "decontaminate: waived" if stage.because is not None else f"decontaminate by {stage.words}-grams of {stage.of}"
        case Heldout():
            return f"heldout {stage.scan.corpus}"
        case Dedup():
            return f"dedup by {stage.method} of {stage.of}"
        case Profile() if stage.measured:
            return f"profile {stage.model.student}, graded by {stage.grade.scorer if stage.grade else ''}"
        case Materialise():
            return f"materialise, format {stage.format}"
        case _:
            first = next(words(stage))
            return f"{kind(stage)} {first.partition(' (')[0].partition(' from ')[0]}"


def _note(stage: Stage, known: Known, costs: Sequence[Cost]) -> str:
    if not isinstance(stage, Score) and not (isinstance(stage, Tag) and known.missing is not None):
        return known.says.partition(" of ")[2] if kind(stage) == "scan" else known.says
    if known.missing is None:
        return known.says
    cost = next((c for c in costs if c.stage == stage.id), None)
    cached = f"{shown(known.cached)} cached" if known.cached is not None and known.cached.value else ""
    if not known.missing.value:
        return cached or "nothing to score"
    if isinstance(stage, Tag):
        do = "texts to embed" if stage.attribution is None else f"to ask {cost.student if cost else ''}"
        return ", ".join(filter(None, [f"{shown(known.missing)} {do}", cached]))
    if stage.shares and not stage.passes and cost and cost.tokens and not cost.tokens.value:
        return ", ".join(filter(None, [f"{shown(known.missing)} from the pass of {stage.shares.removeprefix('score:')}", cached]))
    model = f" by {cost.student}" if cost else ""
    return ", ".join(filter(None, [f"{shown(known.missing)} to score{model}", cached]))


def _change(before: Figure | None, after: Figure | None) -> str:
    if before is None or after is None or before.value == after.value:
        return shown(after if after is not None else before)
    return f"{shown(before)} -> {shown(after)}"


def _branch(line: Line, last: bool, columns: tuple[int, int, int, int]) -> list[str]:
    stem, below = ("`- ", "   ") if last else ("|- ", "|  ")
    drawn = [_row(f"{stem}{line.label}", line.rows, line.tokens, line.note, columns)]
    return drawn + [f"{below}    {part}" for text in line.more for part in wrap(text, columns[3] - 7)]


def _row(label: str, rows: str, tokens: str, note: str, columns: tuple[int, int, int, int]) -> str:
    """One line; what is too long for its column goes on below (a note) or is cut with `...` (a label)."""
    wide, for_rows, for_tokens, width = columns
    short = label if len(label) <= wide else f"{label[: wide - 3]}..."
    head = f"{short:<{wide}}{GAP}{rows:>{for_rows}}{GAP}{tokens:>{for_tokens}}"
    room = width - len(head) - len(GAP)
    if not note:
        return head
    first, *rest = wrap(note, max(room, 10), break_on_hyphens=False)
    stem = "|  " if label.startswith("|") else "   "
    indent = stem + " " * (len(head) + len(GAP) - len(stem))
    return "\n".join([f"{head}{GAP}{first}", *(f"{indent}{text}" for text in rest)])



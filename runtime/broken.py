"""A broken promise in words: what the clause asks for, what was selected and what is trained on, why, and the ways out."""

import sys
from collections.abc import Iterator, Sequence

from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.plan.stages import Train
from .examples import Report
from .promised import Held, Promised

IMPLICIT = "tokens"
"""The score that counts tokens where none is declared."""


def broken_promises(stage: Train, promised: Promised, report: Report, held: Sequence[Held], readable: int | None) -> tuple[Diagnostic, ...]:
    """MIX0513 for each promise that is not kept; `readable`: the most tokens that the student reads, None where that is not known."""
    said = _limit(stage, report)
    way_out = _way_out(stage, promised, report, readable)
    return tuple(
        Diagnostic(
            "MIX0513",
            f"`{each.clause.text}` holds for the rows that are selected, not for what is trained on",
            Label(each.clause.span, f"selected: {amount(each.unit, each.selected, each.selected_share)}; trained on: {amount(each.unit, each.trained, each.trained_share)}"),
            secondary=(Label(stage.span, said),),
            notes=tuple(_why(each, report)),
            help=way_out,
        )
        for each in held
        if not each.kept
    )


def outside(held: Sequence[Held]) -> Iterator[str]:
    """A sentence for each promise that the selected tokens keep, and those that carry loss do not: what the template writes is among these."""
    for each in held:
        if each.kept and not each.within:
            yield (
                f"`{each.clause.text}` is kept by the responses, {amount(each.unit, each.selected, each.selected_share)} selected; with what the chat template "
                f"adds, by the student's tokenizer, {amount(each.unit, each.trained, each.trained_share)} are trained on"
            )


def amount(unit: str, count: int, share: float | None) -> str:
    """`220 tokens`, or `220 tokens (31.4%)`."""
    return f"{count:,} {unit.removesuffix('s') if count == 1 else unit}" + ("" if share is None else f" ({share:.4g}%)")


def _limit(stage: Train, report: Report) -> str:
    """What tokenising did to the rows."""
    whose = f"`max_length {report.max_length} tokens`" if report.max_length == stage.max_length else f"the {report.max_length:,} tokens that `{stage.model.student}` reads"
    parts = []
    if report.truncated:
        parts.append(f"{len(report.truncated):,} of {report.rows:,} responses {_are(len(report.truncated))} cut at {whose}")
    if report.dropped:
        prompts = "is left out: its prompt alone fills" if len(report.dropped) == 1 else "are left out: their prompts alone fill"
        parts.append(f"{len(report.dropped):,} of {report.rows:,} rows {prompts} {whose if not parts else 'it'}")
    return ", ".join(parts)


def _why(each: Held, report: Report) -> Iterator[str]:
    cut, dropped = len(report.truncated) - each.cut, len(report.dropped) - each.dropped
    said = f"of the {each.rows:,} selected rows that it counts {each.cut:,} {_are(each.cut)} cut and {each.dropped:,} {_are(each.dropped)} left out"
    yield said + (f"; of the {report.rows - each.rows:,} others {cut:,} and {dropped:,}" if cut + dropped else "")
    if each.unit == "tokens" and each.left != each.trained:
        yield f"without what the chat template adds, {each.left:,} of the {each.selected:,} tokens are left"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _way_out(stage: Train, promised: Promised, report: Report, readable: int | None) -> str:
    needed = max(turn.start + turn.whole for turn in report.turns)
    ways = []
    if needed <= (readable or sys.maxsize):
        ways.append(f"write `max_length {needed} tokens`, which holds every example")
    else:
        ways.append(f"`{stage.model.student}` reads no more than {readable:,} tokens, and the longest example has {needed:,}: take a student that reads more")
    cut = set(report.truncated)
    least = _fitting(promised, report, cut)
    if promised.counted_by and cut and least > 0:
        declared = promised.counted_by == IMPLICIT
        fit = f"select only rows that fit, `where {'length' if declared else promised.counted_by} <= {least} tokens`"
        fit = f"declare `score length = tokens(student: {stage.model.student})` and {fit}" if declared else fit
        ways.append(fit + (" and shorter prompts" if report.dropped else ""))
    else:
        ways.append(f"select shorter {'rows' if cut and report.dropped else 'responses' if cut else 'prompts'}")
    return ", or ".join(ways)


def _fitting(promised: Promised, report: Report, cut: set[str]) -> int:
    """The most tokens of a response that fit beside the longest prompt that is trained on, and what the template writes; fewer than those of any that is cut."""
    counted = dict(zip(promised.ids, promised.tokens, strict=True))
    around = [turn.start + max(0, turn.whole - int(counted.get(turn.row_id, 0))) for turn in report.turns if turn.trained]
    return min([report.max_length - max(around, default=0), *(int(w) - 1 for id, w in counted.items() if id in cut)])

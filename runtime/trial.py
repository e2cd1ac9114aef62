"""A test of a recipe: its plan walked over the fixture as far as `select`, and what came out held against what is expected.

Training and evaluation never run. Scores that the fixture carries are columns in the plan already; the others are computed as in a build.
"""

import dataclasses
import operator
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.expectations import Expectation
from ..compiler.plan.stages import Heldout, Plan, Profile, Scan, Score, Select, Stage
from ..compiler.plan.variants import Trial
from . import records
from .context import Context
from .events import StageFinished, StageStarted
from .execute import chosen_rows, refuse_pending, stages_until
from .groups import group_rows
from .needs import needs
from .texts import Texts
from .walk import Walk, advance

SHOWN = 4
LONGEST_PROMPT = 48
_NO_ROWS = ("MIX0503", "MIX0544")
_COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`faults`: the expectations that do not hold (MIX0420), and what the run ended with where that was not expected. `selected` is None where nothing was."""

    trial: Trial
    seconds: float
    selected: int | None
    faults: tuple[Diagnostic, ...]

    @property
    def passed(self) -> bool:
        return not self.faults


def run_trial(trial: Trial, context: Context) -> Verdict:
    """Run one test. Faults of the run are part of the verdict."""
    began = time.monotonic()
    walk = Walk(needed=needs(trial.plan.stages))
    try:
        chosen = _run(trial, walk, context)
    except Fault as fault:
        return Verdict(trial, time.monotonic() - began, None, _ended(trial, fault.diagnostics))
    failed = [found for e in trial.expectations if (found := _held(e, trial.plan, walk, chosen, context.texts)) is not None]
    if trial.error is not None:
        seen = f"{chosen.height:,} example{'' if chosen.height == 1 else 's'} selected"
        said = f"the run was to end with {trial.error.code}, and it did not: {seen}"
        failed.append(Diagnostic("MIX0420", said, Label(trial.error.span, "no error"), notes=_notes(walk.rows.frame(), None, context.texts)))
    return Verdict(trial, time.monotonic() - began, chosen.height, tuple(failed))


def _ended(trial: Trial, faults: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """What is wrong with a run that ended so."""
    if trial.error is None:
        return faults
    other = tuple(d for d in faults if d.code != trial.error.code)
    if not other:
        return ()
    codes = " and ".join(sorted({d.code for d in faults}))
    message = f"the run was to end with {trial.error.code}, and it ended with {codes}"
    return Diagnostic("MIX0420", message, Label(trial.error.span, "another error")), *other


def _run(trial: Trial, walk: Walk, context: Context) -> pl.DataFrame:
    """The selected rows; `walk` is left at its end, with the tokens of the selected rows where they are counted."""
    plan = trial.plan
    try:
        refuse_pending(plan, "select")
    except Fault as fault:
        raise Fault(*(dataclasses.replace(d, help="the test cannot run before the runtime does this") for d in fault.diagnostics)) from None
    if trial.several:
        _refuse_unknown_corpora(trial)
    empty: list[Fault] = []
    chosen = pl.DataFrame()
    for stage in (s for s in stages_until(plan, "select") if not isinstance(s, Profile) or _aims(plan, s)):
        try:
            _advance(stage, walk, context)
        except Fault as fault:
            if not _may_be_empty(stage, trial, fault):
                raise
            empty.append(fault)
        if empty and len(empty) == sum(isinstance(s, Scan) for s in plan.stages) and not walk.scans and not walk.rows.height:
            raise empty[0]
        if isinstance(stage, Select):
            chosen = chosen_rows(plan, stage, walk, context)
    if any("tokens" in e.unit for e in trial.expectations):
        for stage in plan.stages:
            if isinstance(stage, Score) and stage.rows == "selected" and stage.unit == "tokens":
                _advance(stage, walk, context)
                chosen = chosen_rows(plan, next(s for s in plan.stages if isinstance(s, Select)), walk, context)
    return chosen


def _aims(plan: Plan, profile: Profile) -> bool:
    """Whether the selection needs the profile, and it has to be measured on the fixture."""
    return profile.measured and any(isinstance(s, Select) and s.soft and s.soft.student == profile.model.student for s in plan.stages)


def _advance(stage: Stage, walk: Walk, context: Context) -> None:
    began = time.monotonic()
    context.watch(StageStarted(stage.id))
    summary = advance(stage, walk, context)
    context.watch(StageFinished(stage.id, summary, time.monotonic() - began))


def _may_be_empty(stage: Stage, trial: Trial, fault: Fault) -> bool:
    """A fixture need not have rows that are held out, nor rows of every corpus."""
    return (isinstance(stage, Heldout) or (isinstance(stage, Scan) and trial.several)) and all(
        d.code in _NO_ROWS for d in fault.diagnostics
    )


def _refuse_unknown_corpora(trial: Trial) -> None:
    scans = [s for s in trial.plan.stages if isinstance(s, Scan)]
    known = [s.corpus for s in scans]
    try:
        frames = [records.collect(records.scan(path, ["corpus"]), path) for path in records.find(trial.given)]
    except records.Unreadable as error:
        raise Fault(Diagnostic("MIX0501", str(error), Label(scans[0].span, "the fixture"), help=error.help)) from error
    named = {value for frame in frames for value in frame["corpus"].unique().to_list()}
    for name in sorted((n for n in named if n not in known), key=str):
        said = f"names the corpus `{name}`, which the spec does not have" if name is not None else "does not say which corpus it is of"
        help = f"the corpora are {', '.join(f'`{k}`' for k in known)}"
        raise Fault(Diagnostic("MIX0502", f"a row of the fixture {said}", Label(scans[0].span, "its column `corpus`"), help=help))


def _held(expected: Expectation, plan: Plan, walk: Walk, chosen: pl.DataFrame, texts: Texts) -> Diagnostic | None:
    """None where the expectation holds, else what was seen, and rows that show why."""
    every = walk.rows.frame()
    members = None if expected.group is None else pl.Series(group_rows(expected.group, every))
    alive = every["reason"].is_null()
    ids = every.filter(alive if members is None else alive & members)["row_id"]
    rows = chosen.filter(pl.col("row_id").is_in(ids.to_list()))
    amount, seen = _amount(expected.unit, rows, chosen)
    if amount is not None and _COMPARE[expected.operator](amount, Fraction(str(expected.amount))):
        return None
    wanted = expected.text.removeprefix("expect ")
    return Diagnostic("MIX0420", f"expected `{wanted}`, saw {seen}", Label(expected.span, seen), notes=_notes(every, members, texts))


def _amount(unit: str, rows: pl.DataFrame, chosen: pl.DataFrame) -> tuple[Fraction | None, str]:
    """How much there is, exactly, and in words; None where the tokens of a row are not known."""
    if "tokens" in unit and (unknown := chosen["tokens"].null_count()):
        return None, f"{unknown:,} selected row{'' if unknown == 1 else 's'} whose tokens are not known"
    match unit:
        case "examples" | "prompts":
            count = rows.height if unit == "examples" else rows["prompt_id"].n_unique()
            return Fraction(count), f"{count:,} {unit.removesuffix('s') if count == 1 else unit}"
        case "tokens":
            count = int(rows["tokens"].sum())
            return Fraction(count), f"{count:,} tokens"
    part, whole, of = rows.height, chosen.height, "examples"
    if unit == "% of tokens":
        part, whole, of = int(rows["tokens"].sum()), int(chosen["tokens"].sum()), "tokens"
    share = Fraction(100 * part, whole) if whole else Fraction(0)
    return share, f"{float(share):.4g}% ({part:,} of {whole:,} {of})"


def _notes(rows: pl.DataFrame, members: pl.Series | None, texts: Texts) -> tuple[str, ...]:
    """A few of the rows that count: selected, and dropped with their reasons; the others as a number."""
    counted = rows if members is None else rows.filter(members)
    if counted.is_empty():
        return ("no row of the fixture belongs to that group",)
    inside, outside = counted.filter(pl.col("reason").is_null()), counted.filter(pl.col("reason").is_not_null())
    return tuple(note for note in (_listed("selected", inside, texts), _listed("dropped", outside, texts)) if note)


def _listed(word: str, rows: pl.DataFrame, texts: Texts) -> str | None:
    if rows.is_empty():
        return None
    shown = texts.add(rows.sort("reason", "prompt_id", "row_id").head(SHOWN), ("prompt",))
    lines = [_row(row) for row in shown.iter_rows(named=True)]
    more = [f"and {rows.height - SHOWN:,} more"] if rows.height > SHOWN else []
    return "\n".join([f"{word}, {rows.height:,} row{'' if rows.height == 1 else 's'}:", *lines, *more])


def _row(row: dict[str, object]) -> str:
    prompt = " ".join(str(row["prompt"] or "").split())
    short = prompt if len(prompt) <= LONGEST_PROMPT else f"{prompt[: LONGEST_PROMPT - 1]}…"
    reason = f", {row['reason']}" if row["reason"] else ""
    return f'"{short}" by {row["teacher"]}{reason}'

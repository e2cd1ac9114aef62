"""Holds the promises of a selection against what is trained on: every clause once more, over the rows as the tokenizer left them."""

from dataclasses import replace

import numpy as np

from ..compiler.diagnostics import Fault
from ..compiler.plan.stages import Train
from .broken import broken_promises, outside
from .context import Context
from .events import Notice
from .examples import Report, Turn
from .promised import Held, Promised
from .selection.outcomes import broken, outcomes
from .selection.problem import Outcome, Problem


def hold(stage: Train, report: Report, promised: Promised | None, context: Context) -> Report:
    """The report with what became of each promise. Fault MIX0513 where tokenising broke one; what the template alone moves is told.

    Nothing is loaded but what is known of the student already: it costs no time on a device.
    """
    if promised is None:
        return report
    held = kept(promised, report)
    if any(not each.kept for each in held):
        raise Fault(*broken_promises(stage, promised, report, held, context.students.context(stage.model)))
    for sentence in outside(held):
        context.watch(Notice(stage.id, sentence))
    return replace(report, promises=held)


def kept(promised: Promised, report: Report) -> tuple[Held, ...]:
    """Each quota and budget over what is trained on.

    Counted twice: in the tokens that carry loss, the template's own among them; and in those of the selection, each row by the share of its response
    that carries loss. A promise is broken where neither count keeps it, and the selection did. Bounds and their tolerances are the selection's own
    (`selection.outcomes`); shares are of what is trained on.
    """
    turns = {turn.row_id: turn for turn in report.turns}
    mine = [turns.get(id, Turn(id, 0, 0, 0, (0, 1))) for id in promised.ids]
    trained = np.array([turn.trained for turn in mine], np.int64)
    left = np.array([_rounded(int(w), *turn.left) for w, turn in zip(promised.tokens, mine, strict=True)], np.int64)
    on = trained > 0
    cut = on & (trained < np.array([turn.whole for turn in mine], np.int64))
    every = np.ones(len(mine), bool)
    before = _outcomes(promised, promised.tokens, every)
    rest = _outcomes(promised, left, on)
    after = _outcomes(promised, trained, on)
    members = [*promised.members, *(every for _ in promised.budgets)]
    return tuple(
        _held(*of, int(inside.sum()), int((inside & cut).sum()), int((inside & ~on).sum()))
        for *of, inside in zip(before, rest, after, members, strict=True)
    )


def _held(before: Outcome, rest: Outcome, after: Outcome, rows: int, cut: int, dropped: int) -> Held:
    clause = after.clause
    assert not hasattr(clause, "count")
    return Held(
        clause=clause,  # type: ignore[arg-type]
        unit=after.unit, selected=before.amount, left=rest.amount, trained=after.amount, low=after.low, high=after.high,
        selected_share=before.share, trained_share=after.share, rows=rows, cut=cut, dropped=dropped,
        within=not broken(after), kept=not broken(after) or not broken(rest) or broken(before),
    )  # fmt: skip


def _outcomes(promised: Promised, tokens: np.ndarray, on: np.ndarray) -> tuple[Outcome, ...]:
    """The clauses over the rows that are `on`, each with so many tokens; one more row, never on, is the longest candidate."""
    longest = max(promised.longest, int(tokens.max(initial=0)))
    size = len(tokens) + 1
    problem = Problem(
        prompt=np.zeros(size), tokens=np.append(tokens, longest), objective=np.zeros(size), tie=np.zeros(size),
        quotas=promised.quotas, members=tuple(np.append(inside, [False]) for inside in promised.members), budgets=promised.budgets,
    )  # fmt: skip
    return outcomes(problem, np.append(on, [False]))


def _rounded(tokens: int, part: int, of: int) -> int:
    """tokens * part / of, halves up."""
    return (2 * tokens * part + of) // (2 * of)

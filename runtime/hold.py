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
    counted = [*promised.members, *(every for _ in promised.budgets)]
    before, rest, after = (_outcomes(promised, *each) for each in ((promised.tokens, every), (left, on), (trained, on)))
    return tuple(
        Held(
            clause=clause, unit=now.unit, selected=was.amount, left=remains.amount, trained=now.amount, low=now.low, high=now.high,
            selected_share=was.share, trained_share=now.share, rows=int(inside.sum()), cut=int((inside & cut).sum()), dropped=int((inside & ~on).sum()),
            within=not broken(now), kept=not broken(now) or not broken(remains) or broken(was),
        )
        for clause, was, remains, now, inside in zip((*promised.quotas, *promised.budgets), before, rest, after, counted, strict=True)
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

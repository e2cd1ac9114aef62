"""What each likelihood score goes with besides naturalness: the length of steps and of responses (ASLEC, 2604.06834), and the teacher.

Data and its measure; whether that is worth a word is `confounded`'s to say.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..compiler.plan.stages import Plan, Score
from .rows import Rows
from .statistics import explained, explained_within, pearson, spearman


@dataclass(frozen=True, slots=True)
class Correlation:
    """Between -1 and 1; `spearman` is of the ranks. None where one of both columns is constant."""

    pearson: float | None
    spearman: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """One score over the `rows` that have a value of it, whatever dropped them later.

    `step_length`: against the mean number of tokens of the response's steps; None with `one_step`, where every response is one step and the
    length of the step is that of the response. `response_length`: against its tokens. `teacher`: the share of the score's variance that the
    teacher explains (eta squared), 0 to 1; `within_prompts`: the same with the prompt's mean taken off. None where it is not defined.
    """

    score: str
    rows: int
    one_step: bool
    step_length: Correlation | None
    response_length: Correlation
    teachers: int
    teacher: float | None
    within_prompts: float | None

    def to_data(self) -> dict[str, object]:
        """As the manifest and `mixc plan --format json` have it."""
        return {
            "score": self.score,
            "rows": self.rows,
            "one_step": self.one_step,
            "step_length": _data(self.step_length),
            "response_length": _data(self.response_length),
            "teacher": {"teachers": self.teachers, "explains": self.teacher, "within_prompts": self.within_prompts},
        }


def audit(plan: Plan, rows: Rows) -> tuple[Audit, ...]:
    """Each score of the plan whose steps are known (`score:NAME:tokens` stands in the rows), in the plan's order. Unscored ones are left out."""
    stages = [s for s in plan.stages if isinstance(s, Score) and f"score:{s.name}:tokens" in rows.columns]
    return tuple(found for stage in stages if (found := _one(stage.name, rows)) is not None)


def _one(name: str, rows: Rows) -> Audit | None:
    score, tokens, steps = (pl.col(f"score:{name}{part}") for part in ("", ":tokens", ":steps"))
    read = ["row_id", "prompt_id", "teacher", *(f"score:{name}{part}" for part in ("", ":tokens", ":steps"))]
    known = pl.concat([part.filter(score.is_not_null(), tokens.is_not_null(), steps > 0) for part in rows.each(read)]).sort("row_id")
    if known.is_empty():
        return None
    value, length, count = (known.select(column.cast(pl.Float64)).to_series().to_numpy() for column in (score, tokens, steps))
    one_step = bool((count == 1).all())
    teachers, prompts = (known[column].rank("dense").fill_null(0).to_numpy().astype(np.int64) for column in ("teacher", "prompt_id"))
    return Audit(
        score=name,
        rows=known.height,
        one_step=one_step,
        step_length=None if one_step else _correlation(value, length / count),
        response_length=_correlation(value, length),
        teachers=known["teacher"].n_unique(),
        teacher=explained(value, teachers),
        within_prompts=explained_within(value, teachers, prompts),
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    return Correlation(pearson(x, y), spearman(x, y))


def _data(found: Correlation | None) -> dict[str, float | None] | None:
    return None if found is None else {"pearson": found.pearson, "spearman": found.spearman}

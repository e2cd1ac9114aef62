"""Two plans to what becomes of the values of the later one's scores. Values are kept by row and by what computes them, never by recipe; no store is asked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .arrive import arrive
from .changes import Fate
from .digest import fingerprints
from .passes import PASSES, RESPONSE, TAKES
from .stages import Score, Stage

# Arguments that only say how stored values are read.
_READINGS = {("local_logprob", "debias")}


def rescore(before: Sequence[Stage], after: Sequence[Stage]) -> dict[str, Fate]:
    """The fate of every score of `after`, by stage id; both as `normalize` leaves them. `cached` is said only where no row can be new."""
    old = [stage for stage in before if isinstance(stage, Score)]
    scores = [stage for stage in after if isinstance(stage, Score)]
    return {s.id: Fate(s.name, _state(s, [one for one in old if _gives(one, s)], before, after), s.rows) for s in scores}


def _gives(old: Score, new: Score) -> bool:
    """Whether what `old` has computed is all that `new` is read from."""
    one, other = computes(old), computes(new)
    if one[0] == other[0] == RESPONSE:
        return {*other[1]} <= {*one[1]} and one[2:] == other[2:]
    return one == other


def computes(score: Score) -> tuple[Any, ...]:
    """All that a score's values depend on besides the row. Equal for two scores that share their values."""
    model = score.model and replace(score.model, student="")
    if PASSES.get(score.scorer) == (RESPONSE,):
        return RESPONSE, TAKES[score.scorer], (), model, score.reads  # tokens are kept, and each of these is a reading of them
    arguments = tuple(pair for pair in score.arguments if (score.scorer, pair[0]) not in _READINGS and pair[1] is not None)
    return score.scorer, score.version, arguments, model, score.reads


def _state(score: Score, known: list[Score], before: Sequence[Stage], after: Sequence[Stage]) -> str:
    if score.scorer == "column":
        return "read"
    if not known:
        return "all rows"
    return "cached" if any(_covers(old, score, before, after) for old in known) else "new rows"


def _covers(old: Score, new: Score, before: Sequence[Stage], after: Sequence[Stage]) -> bool:
    """Whether the rows of `new` are surely among those that `old` was computed for."""
    if old.rows == "candidates":
        return not arrive(before[: before.index(old)], after[: after.index(new)])
    return new.rows == "selected" and _selected(before) == _selected(after)


def _selected(stages: Sequence[Stage]) -> str | None:
    return dict(fingerprints(stages)).get("select")

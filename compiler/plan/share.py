"""Says of every likelihood which passes its model makes for it, and from which score it takes the rest: each pass once."""

from collections.abc import Sequence
from dataclasses import replace

from ..clauses import Model
from ..source import Span
from .passes import PASSES, RESPONSE, TAKES
from .stages import Score, Stage


def share(stages: Sequence[Stage]) -> list[Stage]:
    """The stages with `passes`, `tells` and `shares`. Rows only get fewer, so the first score that reads responses whole can tell for all after it."""
    asking = [s for s in stages if isinstance(s, Score) and s.model is not None and s.scorer in PASSES]
    owners: dict[Model, Score] = {}
    tells: dict[str, list[str]] = {}
    shared: dict[str, str] = {}
    for stage in asking:
        owner = owners.get(_one(stage))
        if owner is not None:
            shared[stage.id] = owner.id
        elif RESPONSE in PASSES[stage.scorer]:
            owner = owners[_one(stage)] = stage
        if owner is not None:
            told = tells.setdefault(owner.id, [])
            told += [what for what in TAKES[stage.scorer] if what not in told]
    return [
        replace(
            stage,
            passes=tuple(p for p in PASSES[stage.scorer] if p != RESPONSE or stage.id not in shared),
            tells=tuple(tells.get(stage.id, ())),
            shares=shared.get(stage.id),
        )
        if isinstance(stage, Score) and stage in asking
        else stage
        for stage in stages
    ]


def _one(stage: Score) -> Model:
    """The model, whatever the student's name."""
    assert stage.model is not None
    return replace(stage.model, student="", span=Span("", 0, 0))

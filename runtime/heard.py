"""Lazy plans as text, before and after Polars optimised them, kept as they are heard; the frames go."""

from dataclasses import dataclass, field

import polars as pl

from ..compiler.plan.stages import Stage


@dataclass(slots=True)
class Heard:
    """One lazy plan: its stage, what it is for, and both its forms."""

    stage: Stage
    what: str
    before: str
    after: str


@dataclass(slots=True)
class Listener:
    """Hears lazy plans, one after the other."""

    heard: list[Heard] = field(default_factory=list)

    def __call__(self, stage: Stage, what: str, frame: pl.LazyFrame) -> None:
        self.heard.append(Heard(stage, what, frame.explain(optimized=False), frame.explain(optimized=True)))

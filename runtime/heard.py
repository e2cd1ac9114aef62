"""Lazy plans as text, before and after Polars optimised them, kept as they are heard; the frames go."""

import re
from dataclasses import dataclass, field

import polars as pl

from ..compiler.plan.stages import Stage

COMMON = re.compile(r"(?<=__POLARS_CSER_)0x[0-9a-f]+|(?<=CACHE\[id: )[0-9a-f-]+(?=\])")


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
        self.heard.append(Heard(stage, what, _text(frame, optimized=False), _text(frame, optimized=True)))


def _text(frame: pl.LazyFrame, *, optimized: bool) -> str:
    """The plan in words; what Polars computes once is numbered here, for Polars names it by chance."""
    text = frame.explain(optimized=optimized)
    names = dict.fromkeys(COMMON.findall(text))
    numbers = {name: str(i) for i, name in enumerate(names, 1)}
    return COMMON.sub(lambda found: numbers[found.group()], text)

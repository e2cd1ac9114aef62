"""What a finished build has for another trainer, and what a file for one says: values. Nothing here knows a trainer or opens a file."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from ..plan.stages import Train

Value = str | int | float | bool | None | list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """`rows` is the build's `train.jsonl` and `model` the student, as the file that is written names them; `rows` has `examples` lines of `messages`.

    `length`: the most tokens of an example, where the spec or the build says it. `stage` None: the recipe does not train.
    `known`: whether `model` was found on this machine or is a hub id.
    """

    name: str
    rows: str
    examples: int
    output: str
    stage: Train | None = None
    model: str | None = None
    known: bool = True
    template: str | None = None
    length: int | None = None
    evaluates: bool = False

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        return ceil(self.examples / self.stage.batch) if self.stage else 0


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a trainer's file. `why` stands above it as a comment; `group` before a run of keys that belong together."""

    key: str
    value: Value
    why: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """The settings of a trainer's file in their order, and what it cannot say as the recipe does, a sentence each."""

    settings: tuple[Setting, ...]
    notes: tuple[str, ...] = ()

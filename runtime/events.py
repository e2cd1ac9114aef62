"""What a run tells whoever watches. Work never prints: it calls a watcher with one of these."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: str


@dataclass(frozen=True, slots=True)
class StageFinished:
    """`summary` is one line for people ("412 scored, 188 from the store"); `seconds` is wall time."""

    stage: str
    summary: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of `unit` (`tokens`, `responses`, `steps`), both counted from the start of this piece of work."""

    stage: str
    done: int
    total: int
    unit: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that changes what the user gets and is not an error: rows collapsed, truncated, timed out."""

    stage: str
    message: str


Event = StageStarted | StageFinished | Progress | Notice
Watch = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A watcher that watches nothing."""

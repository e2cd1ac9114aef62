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


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A model has worked on `tokens` tokens in `seconds`, loading left out. `weights` is the digest of the model's.

    `what`: `read` (for log-probabilities: all that the engine put through the model, padding too), `train` (without padding), or `write` (its own tokens
    alone).
    """

    stage: str
    tokens: int
    seconds: float
    student: str
    weights: str
    dtype: str
    engine: str
    device: str
    what: str = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviated:
    """How far log-probabilities in `dtype` are from float32, in nats, on a sample of `windows` with `tokens` scored tokens: absolute differences of a
    token and of a window's mean, on average and at most."""

    stage: str
    student: str
    dtype: str
    engine: str
    device: str
    windows: int
    tokens: int
    token_mean: float
    token_most: float
    window_mean: float
    window_most: float


@dataclass(frozen=True, slots=True)
class Agreed:
    """Two engines were compared before the values of one were taken; `facts` are the fields of `engines.parity.Agreement`
    (of log-probabilities) or `engines.alike.Alike` (of greedy answers)."""

    stage: str
    facts: dict[str, object]


Event = StageStarted | StageFinished | Progress | Notice | Passed | Deviated | Agreed
Watch = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A watcher that watches nothing."""

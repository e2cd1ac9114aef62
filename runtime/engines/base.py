"""How a model is asked, whichever library answers. Engines know tokens and log-probabilities; they know nothing of scores, steps or stores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Window:
    """A token sequence of which the tokens from index `start` (at least 1) on are scored, each given all before it."""

    tokens: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Generated:
    """A model's continuation; `finished` is False when it was cut at the token limit."""

    text: str
    tokens: int
    finished: bool


class Engine(Protocol):
    """A loaded model on its `device` (`cpu`, or the GPU's name). `context` is the most tokens a sequence may have, None where there is no bound."""

    name: str
    device: str
    context: int | None

    def logprobs(self, windows: Sequence[Window]) -> Iterator[tuple[int, np.ndarray]]:
        """For each window, in an order of the engine's choosing: its index and float32[len(tokens) - start], natural log-probabilities."""
        ...

    def generate(
        self, prompts: Sequence[Sequence[int]], max_tokens: int, done: Callable[[int], None] | None = None
    ) -> list[Generated]:
        """Greedy continuations of token sequences, in their order; `done` hears how many are finished."""
        ...

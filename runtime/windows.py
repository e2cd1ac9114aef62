"""Turns responses in tokens into what must be read of them: which tokens behind which prompt, and which of those are scored. Pure: no model, no text.

Steps that see the same first token of the response share one pass: causal attention gives each the context it would
have alone, so the first k+1 steps of a response are one pass.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from .engines.base import Window


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a step sees: the last `steps` steps, or the last ceil(`percent` of those before it)."""

    steps: int | None = None
    percent: Fraction | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.percent is None):
            raise ValueError("a window is a number of steps or a percentage, and not both")

    def back(self, before: int) -> int:
        """How many of the `before` steps in front of a step it sees."""
        if self.steps is not None:
            return min(self.steps, before)
        share = (self.percent or Fraction(0)) * before / 100
        return min(-(-share.numerator // share.denominator), before)


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt and its response in tokens; `ends[i]` is one past the last response token of step i, no step is empty."""

    prompt: tuple[int, ...]
    response: np.ndarray
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """Response tokens `low..high` are read behind `prompt`, and `start..high` of them are scored."""

    prompt: tuple[int, ...]
    low: int
    start: int
    high: int

    @property
    def length(self) -> int:
        """All its tokens, those of the prompt too."""
        return len(self.prompt) + self.high - self.low

    @property
    def scored(self) -> int:
        """How many tokens are scored."""
        return self.high - self.start

    def window(self, answer: Answer) -> Window:
        """What an engine reads for it."""
        return Window(self.prompt, tuple(answer.response[self.low : self.high].tolist()), self.start - self.low)


def answer(
    prompt: Sequence[int], response: Sequence[int], starts: Sequence[int], steps: Sequence[tuple[int, int]]
) -> Answer:
    """The answer whose token t belongs to the step (a character range) that holds character `starts[t]`; empty steps drop."""
    lows = [low for low, high in steps if low < high]
    of = [max(bisect_right(lows, start) - 1, 0) for start in starts]
    if any(later < earlier for earlier, later in pairwise(of)):
        raise ValueError("tokens must come in the order of their characters")
    ends = tuple(t + 1 for t in range(len(of)) if t + 1 == len(of) or of[t + 1] != of[t])
    return Answer(tuple(prompt), np.asarray(response, dtype=np.int32), ends)


def whole(answer: Answer) -> Pass:
    """All of the response behind its prompt."""
    return Pass(answer.prompt, 0, 0, len(answer.response))


def alone(answer: Answer) -> Pass:
    """All of the response without a prompt. Nothing stands before its first token, which cannot be scored."""
    return Pass((), 0, 1, len(answer.response))


def passes(answer: Answer, reach: Reach) -> Iterator[Pass]:
    """The passes that score every step of `answer` once; the first alone begins with the response, and is a part of `whole`.

    The longest is as long as the longest any step needs.
    """
    offsets = (0, *answer.ends)
    start = 0
    while start < len(answer.ends):
        first = start - reach.back(start)
        end = start + 1
        while end < len(answer.ends) and end - reach.back(end) == first:
            end += 1
        yield Pass(answer.prompt, offsets[first], offsets[start], offsets[end])
        start = end


def contexts(answer: Answer, reach: Reach) -> list[int]:
    """For each step, how many tokens stand before it in its window, those of the prompt too."""
    offsets = (0, *answer.ends)
    return [len(answer.prompt) + offsets[step] - offsets[step - reach.back(step)] for step in range(len(answer.ends))]

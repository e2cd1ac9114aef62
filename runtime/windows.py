"""Turns responses in tokens into the windows an engine must read, and says which log-probabilities are whose. Pure: no model, no text.

Steps that see the same first token of the response share one window: causal attention gives each the context it would
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


EVERYTHING = Reach(percent=Fraction(100))


@dataclass(frozen=True, slots=True)
class Answer:
    """A prompt and its response in tokens; `ends[i]` is one past the last response token of step i, no step is empty."""

    prompt: tuple[int, ...]
    response: np.ndarray
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """The steps `first..end` are read after the prompt, and `start..end` of them are scored; `tokens` counts the prompt too."""

    first: int
    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Part:
    """Scored tokens `begin..end` of a window are step `step` of answer `answer`; `context` tokens come before them."""

    answer: int
    step: int
    begin: int
    end: int
    context: int


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


def passes(answer: Answer, reach: Reach) -> Iterator[Pass]:
    """The passes that score every step of `answer` once. The longest pass is as long as the longest any step needs."""
    offsets = (0, *answer.ends)
    start = 0
    while start < len(answer.ends):
        first = start - reach.back(start)
        end = start + 1
        while end < len(answer.ends) and end - reach.back(end) == first:
            end += 1
        yield Pass(first, start, end, len(answer.prompt) + offsets[end] - offsets[first])
        start = end


def windows(answers: Sequence[Answer], reach: Reach) -> tuple[list[Window], list[list[Part]]]:
    """The different windows of `answers`, and beside each the steps whose log-probabilities it gives."""
    found: dict[Window, list[Part]] = {}
    for number, one in enumerate(answers):
        offsets = (0, *one.ends)
        for part in passes(one, reach):
            origin = offsets[part.start]
            lead = len(one.prompt) - offsets[part.first]  # from an index in the response to one behind the prompt
            read = one.response[offsets[part.first] : offsets[part.end]].tolist()
            window = Window(one.prompt, tuple(read), origin - offsets[part.first])
            found.setdefault(window, []).extend(
                Part(number, step, offsets[step] - origin, offsets[step + 1] - origin, lead + offsets[step])
                for step in range(part.start, part.end)
            )
    return list(found), list(found.values())

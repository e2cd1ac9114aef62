"""How a model is asked, whichever library answers. Engines know tokens and log-probabilities; they know nothing of scores, steps or stores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

LOGPROB, RANK, ENTROPY = "logprob", "rank", "entropy"
"""What an engine can tell of a token, given all before it: its log-probability, its rank, the entropy of the distribution."""


@dataclass(frozen=True, slots=True)
class Window:
    """`prompt` and then `tokens`, at consecutive positions; those of `tokens` from index `start` on are scored, each given all before it.

    Windows of one prompt should share the tuple: an engine may read it once for all of them. Where the prompt is empty, `start` is at least 1.
    """

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    start: int

    @property
    def scored(self) -> int:
        """How many tokens are scored."""
        return len(self.tokens) - self.start

    @property
    def length(self) -> int:
        """All its tokens, those of the prompt too."""
        return len(self.prompt) + len(self.tokens)


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the scored tokens of one window, in order: natural log-probabilities (float32), and where they were asked for
    ranks (int32, 1 + the number of tokens strictly more probable) and entropies of the distribution they were drawn from (float32, nats)."""

    logprob: np.ndarray
    rank: np.ndarray | None = None
    entropy: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A `prompt` to be continued by `max_tokens` tokens at most: by the most probable ones at temperature 0, else drawn at that temperature, by `seed`.

    What is drawn depends on the request and the engine, never on the batch that it is in. With a `schema` (JSON Schema, as text) the continuation
    is JSON without needless spaces that satisfies it, as far as `max_tokens` let it end.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """A model's continuation, its token `ids` without the one that ended it; `finished` is False when it was cut at the token limit."""

    text: str
    ids: tuple[int, ...]
    finished: bool

    @property
    def tokens(self) -> int:
        """How many tokens it has."""
        return len(self.ids)


class Engine(Protocol):
    """A loaded model on its `device` (`cpu`, or the GPU's name). `context` is the most tokens a sequence may have, None where there is no bound.

    `tells` has what it can tell of a token: LOGPROB always. `tokens` are all that have gone through the model for who asked since the engine was
    made, counted where the model is called: padding, and what was read more than once, included.
    """

    context: int | None
    tells: frozenset[str]

    @property
    def name(self) -> str:
        """What is recorded of it beside scores."""
        ...

    @property
    def device(self) -> str:
        """Where it works."""
        ...

    @property
    def tokens(self) -> int:
        """How many tokens have gone through the model."""
        ...

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """For each window, in an order of the engine's choosing: its index and what was asked (LOGPROB and `also`)."""
        ...

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """A continuation for each request, in their order; `done` hears how many are finished."""
        ...

    def end(self) -> None:
        """Give back the memory and the processes that it has."""
        ...

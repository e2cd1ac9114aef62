"""Turns the logits of a batch into those of the tokens that each request asks for: drawn at its temperature, bounded by its schema. Knows no model."""

from collections.abc import Sequence
from typing import Any

from .base import Request


def bounds(tokenizer: Any, vocabulary: int) -> Any:
    """A transformers tokenizer as schemas see it (llguidance's): the text of every token. It takes a second."""
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, max(vocabulary, len(tokenizer)))


def grammar(schema: str) -> str:
    """The grammar of a JSON Schema, without spaces between its parts. Raises ValueError for what is none."""
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_json_schema(schema, defaults={"whitespace_flexible": False})


def _matcher(bounds: Any, schema: str) -> Any:
    from llguidance import LLMatcher

    return LLMatcher(bounds, grammar(schema))


class Drawing:
    """A logits processor of `transformers.generate` for one batch, whose prompts end at the position `width`; the token taken is the likeliest of what
    it gives.

    At temperature T it adds noise of Gumbel's distribution to logits / T, whose greatest is a draw from their softmax (Gumbel, 1954); the noise comes
    from the seed of the request alone. A token that leaves the schema gets minus infinity.
    """

    def __init__(self, requests: Sequence[Request], width: int, bounds: Any, device: Any) -> None:
        import torch

        self._width, self._device = width, device
        self._temperatures = [(row, request.temperature) for row, request in enumerate(requests) if request.temperature]
        self._chances = {row: torch.Generator(device).manual_seed(requests[row].seed) for row, _ in self._temperatures}
        self._matchers = {row: _matcher(bounds, request.schema) for row, request in enumerate(requests) if request.schema is not None}

    def __call__(self, ids: Any, scores: Any) -> Any:
        """Logits (batch, vocabulary), float32, of the token after `ids`, to those to take the greatest of."""
        import torch

        scores = scores.clone()
        if ids.shape[1] > self._width:
            for row, matcher in self._matchers.items():
                if not matcher.is_stopped():
                    matcher.consume_token(int(ids[row, -1]))
        for row, matcher in self._matchers.items():
            # The token of the end alone, once the schema is met; what is left of a mask beyond the vocabulary is not looked at.
            allowed = torch.frombuffer(bytearray(matcher.compute_bitmask()), dtype=torch.uint8)
            bits = (allowed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
            scores[row].masked_fill_(bits.flatten()[: scores.shape[1]].to(self._device) == 0, float("-inf"))
        for row, temperature in self._temperatures:
            noise = torch.empty(scores.shape[1], device=self._device).exponential_(generator=self._chances[row])
            scores[row] = scores[row] / temperature - noise.log()
        return scores

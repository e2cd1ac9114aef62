"""Stands in for a tokenizer that is not at hand, where a count need not be exact: a token is four characters, a template ten tokens."""

import zlib
from collections.abc import Sequence

from .tokenizer import Encoded

CHARACTERS = 4
TEMPLATE = 10


class Characters:
    """Prompts and responses as so many numbers, equal where their characters are."""

    def prompt(self, text: str) -> tuple[int, ...]:
        """As many ids as the prompt may have tokens."""
        return (0,) * TEMPLATE + _ids(text)

    def responses(self, texts: Sequence[str]) -> list[Encoded]:
        """For each text an id every four characters."""
        return [Encoded(_ids(text), tuple(range(0, len(text), CHARACTERS))) for text in texts]


def _ids(text: str) -> tuple[int, ...]:
    return tuple(zlib.crc32(text[i : i + CHARACTERS].encode(errors="surrogatepass")) >> 1 for i in range(0, len(text), CHARACTERS))

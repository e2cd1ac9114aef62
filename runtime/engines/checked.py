"""An engine whose values are taken only after a sample of them has agreed with the engine of reference."""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .base import ENTROPY, RANK, Engine, Generated, Reading, Window
from .model_files import ModelFiles
from .parity import Agreement, compare, sample


class Checked:
    """An Engine whose log-probabilities are those of `fast`, once a sample of the first windows that it is asked for agrees with `reference`.

    `reference` gives the engine to compare with; it is let go again, so that one device need not hold two models for long. What `fast` cannot tell, and
    greedy answers, are the reference's; `say` hears why, and `agreed` what the comparison came to. What is read to compare is not among its `tokens`.
    """

    def __init__(
        self, fast: Engine, reference: Callable[[], Engine], files: ModelFiles, dtype: str,
        agreed: Callable[[Agreement], object], say: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._fast, self._make, self._files, self._dtype = fast, reference, files, dtype
        self._agreed, self._say = agreed, say
        self._known: set[frozenset[str]] = set()
        self._reference: Engine | None = None
        self._last = fast
        self.context = fast.context
        self.tokens = 0
        self.tells = fast.tells | {ENTROPY, RANK}

    @property
    def name(self) -> str:
        """Of the engine that did the last reading or writing."""
        return self._last.name

    @property
    def device(self) -> str:
        """That of the engine that did the last reading or writing."""
        return self._last.device

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine. Fault MIX0520 where the two do not agree, before anything is told."""
        if lacking := also - self._fast.tells:
            self._say(f"`{self._fast.name}` tells no {' and no '.join(sorted(lacking))} in {self._dtype}: `transformers` reads student `{self._files.student}`")
            self._last = self._referring()
        else:
            self._last = self._fast
            if windows and also not in self._known:
                self._check(windows, also)
                self._known.add(also)
        before = self._last.tokens
        yield from self._last.read(windows, also)
        self.tokens += self._last.tokens - before

    def generate(
        self, prompts: Sequence[Sequence[int]], max_tokens: int, done: Callable[[int], None] | None = None
    ) -> list[Generated]:
        """See Engine: the reference's, since one token that rounding turns makes another answer."""
        self._last = self._referring()
        before = self._last.tokens
        made = self._last.generate(prompts, max_tokens, done)
        self.tokens += self._last.tokens - before
        return made

    def _referring(self) -> Engine:
        if self._reference is None:
            self._reference = self._make()
        return self._reference

    def _check(self, windows: Sequence[Window], also: frozenset[str]) -> None:
        began = time.monotonic()
        chosen = [windows[i] for i in sample(windows)]
        reference = self._reference or self._make()
        name = reference.name
        expected = dict(reference.read(chosen, also))
        del reference
        _free()
        found = dict(self._fast.read(chosen, also))
        agreement = compare(chosen, found, expected, (self._fast.name, name), self._files, self._dtype)
        self._agreed(replace(agreement, seconds=round(time.monotonic() - began, 3)))


def _free() -> None:
    """Give the memory of a model that nobody holds any more back to the device, for the other engine to take."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()

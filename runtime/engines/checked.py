"""An engine whose values are taken only after a sample of them has agreed with the engine of reference."""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .alike import Alike, agree, beginnings, partings
from .base import ENTROPY, RANK, Engine, Generated, Reading, Request, Window
from .model_files import ModelFiles
from .parity import Agreement, compare, sample


class Checked:
    """An Engine whose log-probabilities are those of `fast`, once a sample of the first windows that it is asked for agrees with `reference`.

    What it writes is taken once greedy answers have agreed as well; `stops` gives the tokens that end one. `reference` gives the engine to compare with; it is let go again, so that one device need not hold two models for long. What `fast` cannot tell
    is the reference's; `say` hears why, and `agreed` what the comparison came to. What is read to compare is not among its `tokens`.
    """

    def __init__(
        self, fast: Engine, reference: Callable[[], Engine], files: ModelFiles, dtype: str,
        agreed: Callable[[Agreement | Alike], object], say: Callable[[str], object], stops: Callable[[], Sequence[int]] = tuple,
    ) -> None:  # fmt: skip
        self._fast, self._make, self._files, self._dtype, self._stops = fast, reference, files, dtype, stops
        self._agreed, self._say = agreed, say
        self._known: set[frozenset[str]] = set()
        self._writes = False
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

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """See Engine: what `fast` writes, once the beginnings of some greedy answers agree with the reference's. Fault MIX0520 where they do not."""
        self._last = self._fast
        if requests and not self._writes:
            self._check_answers(requests)
            self._writes = True
        before = self._fast.tokens
        made = self._fast.generate(requests, done)
        self.tokens += self._fast.tokens - before
        return made

    def end(self) -> None:
        """See Engine."""
        self._fast.end()
        if self._reference is not None:
            self._reference.end()
            self._reference = None

    def _referring(self) -> Engine:
        if self._reference is None:
            self._reference = self._make()
        return self._reference

    def _check_answers(self, requests: Sequence[Request]) -> None:
        began = time.monotonic()
        asked = beginnings(requests)
        reference = self._reference or self._make()
        expected = reference.generate(asked)
        found = self._fast.generate(asked)
        parted = partings(asked, found, expected, self._stops())
        readings = dict(reference.read([window for one in parted for window in (*one.expected, *one.found)]))
        name = reference.name
        del reference
        _free()
        alike = agree(found, expected, parted, readings, (self._fast.name, name), self._files, self._dtype)
        self._agreed(replace(alike, seconds=round(time.monotonic() - began, 3)))

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

"""Several devices as one engine: a process on each, a queue of chunks, answers in the order of the chunks whoever gave them."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..packing import places
from .base import Generated, Reading, Request, Window
from .remote import Remote

CHUNK_TOKENS = 8_192  # a device's turn: enough for full batches, little enough that the last turns end together
CHUNK_PROMPTS = 16  # to continue in one turn

Answers = list[tuple[int, Reading]]


class Devices:
    """See Engine: `engines` are alike, one a device. Which device reads a chunk is chance; what is in it, and so its values, is not."""

    def __init__(self, engines: Sequence[Remote]) -> None:
        self.engines = tuple(engines)
        first = self.engines[0]
        self.name, self.context, self.tells = first.name, first.context, first.tells

    @property
    def device(self) -> str:
        """What each is called, and how many there are."""
        return f"{len(self.engines)} x {self.engines[0].device}"

    @property
    def tokens(self) -> int:
        """Through all of them."""
        return sum(engine.tokens for engine in self.engines)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the model is read; of the first, for they are alike."""
        return self.engines[0].remarks

    def start(self) -> None:
        """Start every process, at once. Faults as those of `read`."""
        for _ in self._in_order([[i] for i in range(len(self.engines))], lambda engine, _: engine.start()):
            pass

    def read(self, windows: Sequence[Window], also: frozenset[str] = frozenset()) -> Iterator[tuple[int, Reading]]:
        """See Engine. The first Fault of a device ends the reading and all their processes."""
        chunks = cut(windows)

        def one(engine: Remote, chunk: Sequence[int]) -> Answers:
            return [(chunk[i], reading) for i, reading in engine.read([windows[place] for place in chunk], also)]

        for answers in self._in_order(chunks, one):
            yield from answers

    def generate(self, requests: Sequence[Request], done: Callable[[int], None] | None = None) -> list[Generated]:
        """See Engine. Faults as those of `read`."""
        chunks = [range(i, min(i + CHUNK_PROMPTS, len(requests))) for i in range(0, len(requests), CHUNK_PROMPTS)]
        made: list[Generated] = []
        for answers in self._in_order(chunks, lambda engine, chunk: engine.generate([requests[i] for i in chunk])):
            made += answers
            if done is not None:
                done(len(made))
        return made

    def end(self) -> None:
        """See Engine."""
        for engine in self.engines:
            engine.end()

    def _in_order(self, chunks: Sequence[Sequence[int]], work: Callable[[Remote, Sequence[int]], Any]) -> Iterator[Any]:
        """What `work` makes of each chunk, in their order."""
        desk = _Desk(deque(enumerate(chunks)))
        threads = [threading.Thread(target=desk.serve, args=(engine, work), daemon=True) for engine in self.engines[: len(chunks)]]
        for thread in threads:
            thread.start()
        whole = False
        try:
            for number in range(len(chunks)):
                yield desk.take(number)
            whole = True
        finally:
            desk.close()
            if not whole:
                for engine in self.engines:
                    engine.kill()
            for thread in threads:
                thread.join()
            if not whole:
                for engine in self.engines:
                    engine.end()


class _Desk:
    """What the threads share: the chunks that wait, and what came of the others."""

    def __init__(self, waiting: deque[tuple[int, Sequence[int]]]) -> None:
        self._waiting = waiting
        self._found: dict[int, object] = {}
        self._error: BaseException | None = None
        self._news = threading.Condition()

    def serve(self, engine: Remote, work: Callable[[Remote, Sequence[int]], object]) -> None:
        try:
            while (turn := self._next()) is not None:
                found = work(engine, turn[1])
                with self._news:
                    self._found[turn[0]] = found
                    self._news.notify_all()
        except BaseException as error:
            with self._news:
                self._error = self._error or error
                self._waiting.clear()
                self._news.notify_all()

    def take(self, number: int) -> Any:
        """What came of a chunk, waited for; raises what any thread raised."""
        with self._news:
            while number not in self._found:
                if self._error is not None:
                    raise self._error
                self._news.wait()
            return self._found.pop(number)

    def close(self) -> None:
        with self._news:
            self._waiting.clear()

    def _next(self) -> tuple[int, Sequence[int]] | None:
        with self._news:
            return self._waiting.popleft() if self._waiting else None


def cut(windows: Sequence[Window]) -> list[list[int]]:
    """The windows as chunks of up to CHUNK_TOKENS, those of one prompt together as far as they fit: the most tokens first."""
    together: dict[tuple[int, ...], list[int]] = {}
    for i, window in enumerate(windows):
        together.setdefault(window.prompt, []).append(i)
    chunks: list[list[int]] = []
    size = 0
    for prompt, group in together.items():
        begun = False
        for i in group:
            own = places(windows[i]) + (0 if begun else len(prompt))  # a chunk reads a prompt once, behind which there is room for as many tokens
            if not chunks or size + own > max(CHUNK_TOKENS, 2 * len(prompt) if begun else 0):
                chunks.append([])
                size, own = 0, places(windows[i]) + len(prompt)
            chunks[-1].append(i)
            size += own
            begun = True
    return sorted(chunks, key=lambda chunk: (-sum(windows[i].length for i in chunk), chunk[0]))


def environments(count: int) -> list[Mapping[str, str]]:
    """For each of `count` processes the variables that give it one CUDA device, or where there is none a share of the cores."""
    visible = cuda_devices()
    if visible:
        return [{"CUDA_VISIBLE_DEVICES": name} for name in visible[:count]]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(cores // count, 1))
    return [{"OMP_NUM_THREADS": threads}] * count


def cuda_devices() -> list[str]:
    """What CUDA calls the devices that this process may use."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(i) for i in range(count)]

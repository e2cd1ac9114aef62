"""Worker processes that can be killed: each item is answered within a time limit, or its process is replaced.

Items and answers travel as lines of JSON, so nothing is pickled, and a worker loads only the module of its function,
never the caller's main program. This file knows nothing of what the function does.
"""

import contextlib
import importlib
import json
import os
import queue
import resource
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..compiler.diagnostics import Diagnostic, Fault
from .boot import command

TIMED_OUT = "timed out"
DIED = "died"
FAILED = "failed"

_START_SECONDS = 120.0
_GRACE_SECONDS = 5.0
_MANY_DEATHS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function returned; or `failure`: TIMED_OUT, DIED (its process, twice), or FAILED (it raised `error`)."""

    value: object = None
    failure: str | None = None
    error: str = ""


def work(
    function: Callable[..., object],
    items: Sequence[object],
    *,
    timeout: float,
    processes: int | None = None,
    batch: int = 16,
    memory: int = 4 << 30,
) -> Iterator[tuple[int, Answer]]:
    """Apply an importable function to each item (JSON both ways); yield each index once with its answer, as known.

    `timeout` is in seconds of wall time an item, `memory` in bytes a process. Leaving the loop ends the processes.
    Fault MIX0514 where processes cannot start, or most of them die.
    """
    desk = _Desk(function, items, timeout, memory, batch, deque(range(len(items))))
    count = min(processes or _cores(), -(-len(items) // batch))
    threads = [threading.Thread(target=_serve_desk, args=(desk,), daemon=True) for _ in range(count)]
    try:
        for thread in threads:
            thread.start()
        for _ in items:
            found = desk.answers.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        desk.close()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


class _Lost(Exception):
    """A worker that has no more to say, and why."""

    def __init__(self, failure: str, how: str) -> None:
        super().__init__(how)
        self.failure = failure


class _Worker:
    """One process that runs the function on the items it is sent, in their order."""

    def __init__(self, function: Callable[..., object], timeout: float, memory: int) -> None:
        self.process = subprocess.Popen(
            command(__name__, [function.__module__, function.__qualname__, timeout, memory]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # Hashes order sympy's sets: fixed, so that an answer does not change from run to run.
            env={**os.environ, "PYTHONHASHSEED": "0"},
            # Ctrl-C at a terminal goes to the caller alone, which then ends its workers.
            process_group=0,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._received = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def send(self, items: Sequence[object]) -> None:
        data = memoryview(json.dumps(items).encode() + b"\n")
        try:
            while data:
                data = data[self._stdin.write(data) or 0 :]
        except OSError as error:
            raise self._lost() from error

    def receive(self, seconds: float) -> list[object]:
        """The next line that the process writes within `seconds`."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._received:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise _Lost(TIMED_OUT, f"no answer after {seconds:g} s")
            data = os.read(self._stdout.fileno(), 1 << 16)
            if not data:
                raise self._lost()
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def end(self) -> None:
        self.kill()
        self.process.wait()
        self._selector.close()
        self._stdin.close()
        self._stdout.close()

    def _lost(self) -> _Lost:
        code = self.process.wait()
        if code == -signal.SIGALRM:
            return _Lost(TIMED_OUT, "its alarm rang")
        return _Lost(DIED, f"it ended with signal {-code}" if code < 0 else f"it ended with status {code}")


@dataclass(slots=True)
class _Desk:
    """What the threads share, one thread a process: the items that wait, the answers, and the processes to end."""

    function: Callable[..., object]
    items: Sequence[object]
    timeout: float
    memory: int
    batch: int
    waiting: deque[int]
    answers: "queue.SimpleQueue[tuple[int, Answer] | BaseException]" = field(default_factory=queue.SimpleQueue)
    workers: list[_Worker] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    died: set[int] = field(default_factory=set)
    answered: int = 0
    deaths: int = 0
    closed: bool = False

    def take(self) -> list[int]:
        with self.lock:
            return [self.waiting.popleft() for _ in range(min(self.batch, len(self.waiting)))]

    def give(self, index: int, answer: Answer) -> None:
        with self.lock:
            self.answered += 1
        self.answers.put((index, answer))

    def start(self) -> _Worker:
        with self.lock:
            if self.closed:
                raise _Lost(DIED, "the work is over")
            try:
                worker = _Worker(self.function, self.timeout, self.memory)
            except OSError as error:
                raise _fault(self.function, f"it could not start: {error.strerror}") from error
            self.workers.append(worker)
        try:
            worker.receive(_START_SECONDS)
        except _Lost as lost:
            self.end(worker)
            raise _fault(self.function, f"it could not start: {lost}") from lost
        return worker

    def end(self, worker: _Worker) -> None:
        with self.lock:
            self.workers.remove(worker)
        worker.end()

    def lose(self, lost: _Lost, batch: list[int]) -> None:
        """Answer for the first item of what is left of a batch, or let it try once more; the others wait again."""
        with self.lock:
            if self.closed:
                return
            again = lost.failure == DIED and batch[0] not in self.died
            self.waiting.extendleft(reversed(batch[0 if again else 1 :]))
            if lost.failure == DIED:
                self.died.add(batch[0])
                self.deaths += 1
            if self.deaths >= _MANY_DEATHS and self.deaths > self.answered:
                raise _fault(self.function, f"{self.deaths} have died: {lost}")
        if not again:
            self.give(batch[0], Answer(failure=lost.failure))

    def close(self) -> None:
        with self.lock:
            self.closed = True
            self.waiting.clear()
            for worker in self.workers:
                worker.kill()


def _serve_desk(desk: _Desk) -> None:
    worker = None
    try:
        while batch := desk.take():
            worker = worker or desk.start()
            try:
                worker.send([desk.items[i] for i in batch])
                while batch:
                    answer = Answer(*worker.receive(desk.timeout))  # type: ignore[arg-type]
                    desk.give(batch.pop(0), answer)
            except _Lost as lost:
                desk.end(worker)
                worker = None
                desk.lose(lost, batch)
    except BaseException as error:
        desk.answers.put(error)
    finally:
        if worker is not None:
            desk.end(worker)


def _fault(function: Callable[..., object], why: str) -> Fault:
    message = f"a worker process of `{function.__module__.rpartition('.')[2]}` died: {why}"
    help = "free some memory and run the same command again: what was finished is kept"
    return Fault(Diagnostic("MIX0514", message, help=help))


def _cores() -> int:
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def serve(module: str, name: str, timeout: float, memory: int) -> None:
    """Run in a worker process: read lists of items from standard input, write an answer a line, till the input ends."""
    # What a library prints must not land among the answers.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    function = importlib.import_module(module)
    for part in name.split("."):
        function = getattr(function, part)
    answers.write(b"[]\n")
    for line in sys.stdin.buffer:
        for item in json.loads(line):
            # The alarm kills this process even inside one long C call: nothing outlives a caller that was killed.
            signal.setitimer(signal.ITIMER_REAL, timeout + _GRACE_SECONDS)
            try:
                answer = [function(item)]  # type: ignore[operator]
            except Exception as error:
                answer = [None, FAILED, f"{type(error).__name__}: {error}"[:300]]
            signal.setitimer(signal.ITIMER_REAL, 0)
            answers.write(json.dumps(answer).encode() + b"\n")
    os._exit(0)

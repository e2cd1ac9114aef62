"""Events of a run as live bars on a terminal, as plain lines in a pipe, always on stderr. It knows no stage's work."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from ..runtime.events import Event, Notice, Progress, StageFinished, StageStarted, Watch, ignore
from .console import Terminal

SECONDS_BETWEEN_LINES = 10.0
VERB_WIDTH = 9


class Watcher:
    """`with Watcher(terminal) as watch:` gives the run its watcher; under `--quiet` one that watches nothing."""

    def __init__(
        self, terminal: Terminal, *, clock: Callable[[], float] = time.monotonic, every: float = SECONDS_BETWEEN_LINES
    ) -> None:
        self._terminal = terminal
        live = terminal.err.is_terminal and not terminal.err.is_dumb_terminal
        self._view: _Live | _Lines = _Live(terminal, clock) if live else _Lines(terminal, clock, every)
        self._lock = threading.Lock()

    def __enter__(self) -> Watch:
        if self._terminal.quiet:
            return ignore
        self._view.start()
        return self._tell

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._terminal.quiet:
            self._view.stop()

    def _tell(self, event: Event) -> None:
        with self._lock:
            match event:
                case StageStarted():
                    self._view.started(event)
                case StageFinished():
                    self._view.finished(event)
                case Progress():
                    self._view.progress(event)
                case Notice():
                    self._view.notice(event)


class Pace:
    """How fast one piece of work goes: units a second since its first event. A smaller `done` begins a new piece."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._base: tuple[int, float] | None = None
        self._done = 0
        self.total = 0
        self.rate: float | None = None

    def update(self, done: int, total: int) -> None:
        now = self._clock()
        if self._base is None or done < self._done or total != self.total:
            self._base, self.rate = (done, now), None
        self._done, self.total = done, total
        seconds = now - self._base[1]
        if seconds > 0 and done > self._base[0]:
            self.rate = (done - self._base[0]) / seconds

    @property
    def left(self) -> float | None:
        return (self.total - self._done) / self.rate if self.rate else None


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def pace(progress_rate: float | None, left: float | None, unit: str) -> str:
    """`310 tokens/s, 12 s left`, as far as it is known."""
    parts = []
    if progress_rate:
        shown = f"{progress_rate:,.0f}" if progress_rate >= 10 else f"{progress_rate:.1f}"
        slow = f"{1 / progress_rate:.1f} s a {unit.removesuffix('s')}"
        parts.append(f"{shown} {unit}/s" if progress_rate >= 1 else slow)
    if left is not None:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


class _Lines:
    """One line when a stage starts and ends, one in a while between, one a notice."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float], every: float) -> None:
        self._terminal = terminal
        self._clock = clock
        self._every = every
        self._paces: dict[str, Pace] = {}
        self._spoken = clock()

    def start(self) -> None:
        self._spoken = self._clock()

    def stop(self) -> None:
        self._paces.clear()

    def started(self, event: StageStarted) -> None:
        self._spoken = self._clock()
        self._terminal.say(f"{'started':>{VERB_WIDTH}} {event.stage}")

    def finished(self, event: StageFinished) -> None:
        self._paces.pop(event.stage, None)
        self._terminal.say(f"{'finished':>{VERB_WIDTH}} {_finished(event)}")

    def progress(self, event: Progress) -> None:
        known = self._paces.setdefault(event.stage, Pace(self._clock))
        known.update(event.done, event.total)
        if self._clock() - self._spoken < self._every:
            return
        self._spoken = self._clock()
        share = f" ({100 * event.done // event.total}%)" if event.total else ""
        amount = f"{event.done:,} of {event.total:,} {event.unit}{share}"
        words = ", ".join(filter(None, (amount, pace(known.rate, known.left, event.unit))))
        self._terminal.say(f"{'running':>{VERB_WIDTH}} {event.stage}: {words}")

    def notice(self, event: Notice) -> None:
        self._terminal.say(f"{'notice':>{VERB_WIDTH}} {event.stage}: {event.message}")


class _Live:
    """A bar for each piece of work under way; what is finished and what is noticed scrolls up as lines."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float]) -> None:
        self._terminal = terminal
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn(f"{'running':>{VERB_WIDTH}} {{task.description}}", style="message", markup=False),
            BarColumn(24, style="dim", complete_style="secondary", finished_style="success", pulse_style="secondary"),
            _Amount(),
            console=terminal.err,
            transient=True,
            refresh_per_second=4,
        )

    def start(self) -> None:
        self._bars.start()

    def stop(self) -> None:
        self._bars.stop()

    def started(self, event: StageStarted) -> None:
        self._paces[event.stage] = Pace(self._clock)
        self._tasks[event.stage] = self._bars.add_task(event.stage, total=None, unit="", words="")

    def finished(self, event: StageFinished) -> None:
        self._paces.pop(event.stage, None)
        task = self._tasks.pop(event.stage, None)
        if task is not None:
            self._bars.remove_task(task)
        self._line("finished", "success", _finished(event))

    def progress(self, event: Progress) -> None:
        if event.stage not in self._tasks:
            self.started(StageStarted(event.stage))
        known = self._paces[event.stage]
        known.update(event.done, event.total)
        self._bars.update(
            self._tasks[event.stage],
            completed=event.done,
            total=event.total,
            unit=event.unit,
            words=pace(known.rate, known.left, event.unit),
        )

    def notice(self, event: Notice) -> None:
        self._line("notice", "warning", f"{event.stage}: {event.message}")

    def _line(self, word: str, style: str, words: str) -> None:
        # Not `soft_wrap`: the library would draw the bars below with it too, and mangle them.
        self._terminal.err.print(Text.assemble((f"{word:>{VERB_WIDTH}}", style), f" {words}"))


class _Amount(ProgressColumn):
    """`1,200/5,000 tokens, 310 tokens/s, 12 s left`."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text(duration(task.elapsed or 0.0), "dim")
        amount = f"{task.completed:,.0f}/{task.total:,.0f} {task.fields['unit']}"
        return Text(", ".join(filter(None, (amount, task.fields["words"]))))


def _finished(event: StageFinished) -> str:
    summary = f": {event.summary}" if event.summary else ""
    return f"{event.stage}{summary} ({duration(event.seconds)})"

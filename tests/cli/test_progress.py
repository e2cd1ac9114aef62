"""What a run shows while it goes: lines in a pipe, bars on a terminal, nothing under --quiet."""

import io
import threading
import time

from mixc.cli.console import THEME, Terminal
from mixc.cli.progress import Pace, Watcher, duration
from mixc.runtime.events import Notice, Progress, StageFinished, StageStarted
from rich.console import Console


class Clock:
    """Time that only moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def terminal(out: io.StringIO, *, live: bool = False, quiet: bool = False) -> Terminal:
    console = Console(file=out, width=100, theme=THEME, force_terminal=live, color_system=None, highlight=False)
    return Terminal(console, console, quiet)


def test_a_pipe_gets_a_line_at_both_ends_and_one_in_ten_seconds_between():
    out, clock = io.StringIO(), Clock()
    with Watcher(terminal(out), clock=clock) as watch:
        watch(StageStarted("score:naturalness"))
        for done in range(0, 3001, 10):
            watch(Progress("score:naturalness", done, 3000, "tokens"))
            clock.now += 0.125
        watch(Notice("score:naturalness", "3 rows [of 5] timed out"))
        watch(StageFinished("score:naturalness", "412 scored, 188 from the store", 75.3))
    assert out.getvalue().splitlines() == [
        "  started score:naturalness",
        "  running score:naturalness: 800 of 3,000 tokens (26%), 80 tokens/s, 28 s left",
        "  running score:naturalness: 1,600 of 3,000 tokens (53%), 80 tokens/s, 18 s left",
        "  running score:naturalness: 2,400 of 3,000 tokens (80%), 80 tokens/s, 7.5 s left",
        "   notice score:naturalness: 3 rows [of 5] timed out",
        " finished score:naturalness: 412 scored, 188 from the store (1 min 15 s)",
    ]


def test_a_terminal_shows_amount_rate_and_time_left_and_keeps_what_is_finished():
    out, clock = io.StringIO(), Clock()
    with Watcher(terminal(out, live=True), clock=clock) as watch:
        watch(StageStarted("train"))
        watch(Progress("train", 0, 400, "steps"))
        clock.now += 10
        watch(Progress("train", 100, 400, "steps"))
        watch(Notice("train", "2 rows truncated"))
        time.sleep(0.6)  # two frames of the bars
        watch(StageFinished("train", "loss 1.2", 40.0))
    shown = out.getvalue()
    assert "100/400 steps, 10 steps/s, 30 s left" in shown
    assert "   notice train: 2 rows truncated" in shown
    assert "running..." not in shown
    assert shown.count(" finished train: loss 1.2 (40 s)") == 1


def test_quiet_shows_nothing():
    out = io.StringIO()
    for live in (True, False):
        with Watcher(terminal(out, live=live, quiet=True)) as watch:
            watch(StageStarted("scan:a"))
            watch(Notice("scan:a", "n"))
            watch(StageFinished("scan:a", "s", 1.0))
    assert out.getvalue() == ""


def test_bars_are_gone_when_the_run_fails():
    out = io.StringIO()
    threads = threading.active_count()
    try:
        with Watcher(terminal(out, live=True)) as watch:
            watch(StageStarted("train"))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert "\x1b[?25h" in out.getvalue()
    deadline = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == threads


def test_progress_without_a_started_stage_and_with_nothing_to_do_is_shown():
    for live in (True, False):
        out, clock = io.StringIO(), Clock()
        with Watcher(terminal(out, live=live), clock=clock, every=0) as watch:
            watch(Progress("score:x", 0, 0, "tokens"))
            watch(StageFinished("score:x", "", 0.0))
        assert " finished score:x (0.0 s)" in out.getvalue()


def test_events_from_many_threads_are_all_kept():
    out = io.StringIO()
    with Watcher(terminal(out)) as watch:
        threads = [threading.Thread(target=watch, args=(Notice("s", f"n{i:03}"),)) for i in range(50)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert sorted(line.split()[-1] for line in out.getvalue().splitlines()) == [f"n{i:03}" for i in range(50)]


def test_a_new_piece_of_work_starts_a_new_pace():
    clock = Clock()
    known = Pace(clock)
    known.update(0, 100)
    clock.now += 10
    known.update(50, 100)
    assert (known.rate, known.left) == (5.0, 10.0)
    known.update(0, 100)
    assert (known.rate, known.left) == (None, None)


def test_durations_read_like_a_person_says_them():
    assert [duration(s) for s in (0, 9.94, 9.96, 59.4, 59.6, 125, 3600, 7800)] == [
        "0.0 s",
        "9.9 s",
        "10 s",
        "59 s",
        "1 min 00 s",
        "2 min 05 s",
        "1 h 00 min",
        "2 h 10 min",
    ]

"""Where lazy plans are collected, so that whoever asks can see which ones truly run. Knows nothing of what they compute."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import polars as pl

Listener = Callable[[str, pl.LazyFrame], None]
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def collect(frame: pl.LazyFrame, what: str) -> pl.DataFrame:
    """Run a lazy plan; `what` is the clause or file that it is for."""
    show(frame, what)
    return frame.collect()


def show(frame: pl.LazyFrame, what: str) -> None:
    """Let the listener, if there is one, see a plan that is run or that a run would run."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(what, frame)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` see, in this thread, every lazy plan from here on."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)

"""One process that serves one engine: it is started, asked, and ends with us, however we end. What it prints is kept out of the terminal."""

import contextlib
import os
import re
import select
import signal
import subprocess
import tempfile
import weakref
from collections.abc import Generator, Mapping, Sequence
from typing import IO, BinaryIO, cast

import numpy as np

from ..boot import command
from .frames import read_frame, write_frame

START_SECONDS = 600.0  # of a model that is loaded from a slow disk; after that it hangs
_LAST_LINES = 6
_TAIL_BYTES = 16_384
_STAMP = re.compile(r"^\(\w+ pid=\d+\) |\x1b\[[0-9;]*m")

Frame = tuple[dict, list[np.ndarray]]


class Lost(Exception):
    """The process has no more to say; `lines` are the last that it printed."""

    def __init__(self, how: str, lines: Sequence[str] = ()) -> None:
        super().__init__(how)
        self.lines = tuple(lines)


class Refused(Exception):
    """The engine in the process says why not: `header` is its message."""

    def __init__(self, header: dict) -> None:
        super().__init__(header.get("problem", ""))
        self.header = header


class Process:
    """A child that runs `serve.serve(settings)`. Raises Lost or Refused where it does not come up within `seconds`."""

    def __init__(self, settings: Mapping[str, object], environment: Mapping[str, str], seconds: float = START_SECONDS) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._child = subprocess.Popen(
            command(f"{__package__}.serve", [os.getpid(), dict(settings)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONHASHSEED": "0", **environment},
            # Ctrl-C at a terminal goes to us alone, and we then end our children.
            process_group=0,
        )
        self._stdin, self._stdout = cast(BinaryIO, self._child.stdin), cast(BinaryIO, self._child.stdout)
        self._finalizer = weakref.finalize(self, _end, self._child, self._said)
        try:
            if not select.select([self._stdout], [], [], seconds)[0]:
                raise Lost(f"it has said nothing for {seconds:g} s", self._lines())
            self.ready, _ = self._receive()
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The system's number of the process."""
        return self._child.pid

    def ask(self, header: dict, arrays: Sequence[np.ndarray] = ()) -> Generator[Frame, None, int]:
        """Every message that answers this one; returns the tokens that went through the model for it. Raises Lost or Refused; who stops listening before
        the end must end the process."""
        try:
            write_frame(self._stdin, header, arrays)
        except OSError as error:
            raise self._lost() from error
        while True:
            answer, numbers = self._receive()
            if "done" in answer:
                return answer["tokens"]
            yield answer, numbers

    def kill(self) -> None:
        """Kill the process and everything it started; who waits for its answer is told that it is lost."""
        _kill(self._child)

    def end(self) -> None:
        """Kill it, and let go of its pipes: nobody may be waiting for an answer."""
        self._finalizer()

    def _receive(self) -> Frame:
        frame = read_frame(self._stdout)
        if frame is None:
            raise self._lost()
        if "problem" in frame[0] or "fault" in frame[0]:
            raise Refused({**frame[0], "lines": self._lines()})
        return frame

    def _lost(self) -> Lost:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(5.0)
        code = self._child.poll()
        how = "it ended with signal" if code is not None and code < 0 else "it ended with status"
        return Lost("it stopped answering" if code is None else f"{how} {abs(code)}", self._lines())

    def _lines(self) -> tuple[str, ...]:
        size = os.fstat(self._said.fileno()).st_size
        text = os.pread(self._said.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode(errors="replace")
        lines = [_STAMP.sub("", line).rstrip() for line in text.splitlines()]
        return tuple(line for line in lines if line.strip())[-_LAST_LINES:]


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _end(child: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    _kill(child)
    child.wait()
    for stream in (child.stdin, child.stdout, said):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()

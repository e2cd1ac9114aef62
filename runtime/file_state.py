"""Which file stands at a path, and when it last changed: by this, what was worked out of it is found again. Reads nothing of its content."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from .records import is_remote

SETTLED = 2_000_000_000
"""A file that changed so many nanoseconds ago, or later, may change once more without its times telling: those of some file systems are that coarse."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of this machine. The times are in nanoseconds; `changed` (ctime) is the system's own, which no program sets."""

    path: str
    device: int
    inode: int
    bytes: int
    modified: int
    changed: int

    def settled(self, now: int) -> bool:
        """Whether the file had been left alone for a while at `now`, so that the same state means the same content."""
        return now - self.changed >= SETTLED


def file_state(path: str) -> FileState | None:
    """The state of the file; None where it is remote, is not there or is no regular file."""
    if is_remote(path):
        return None
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    if not S_ISREG(found.st_mode):
        return None
    return FileState(str(Path(path).resolve()), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def clock() -> int:
    """Now, in the nanoseconds of a file's times."""
    return time.time_ns()

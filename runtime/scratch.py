"""A folder for what one run cannot hold in memory. It goes with whoever holds it, and with the process; it knows nothing of what lies in it."""

import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from ..compiler.diagnostics import Fault
from .files import claim_folder, make_folder, remove, sweep, writing

SCRATCH = "scratch"
"""The folder of a store in which these folders are."""


class Scratch:
    """An empty folder in the store at `root`, or where that cannot be written in the system's place for such folders.

    It is deleted when nothing refers to this object any more; what a killed run left goes when the next one makes its own.
    """

    def __init__(self, root: Path) -> None:
        self.path, handle = _made(root / SCRATCH)
        self._number = 0
        self._gone = weakref.finalize(self, _leave, self.path, handle)

    def new(self, name: str) -> Path:
        """A path in the folder that was not given before, ending in `name`."""
        self._number += 1
        return self.path / f"{self._number:06}-{name}"


def _made(parent: Path) -> tuple[Path, int | None]:
    with suppress(Fault, OSError), writing(parent):
        make_folder(parent)
        sweep(parent)
        return claim_folder(parent)
    return Path(tempfile.mkdtemp(prefix="mixc-")), None


def _leave(path: Path, handle: int | None) -> None:
    remove(path)
    if handle is not None:
        os.close(handle)

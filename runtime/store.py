"""The store: what was dear to compute, by content and never by recipe, so that no run pays for it twice.

Scores lie in shelves, one a fingerprint; finished folders (trained models) by kind and fingerprint; checkpoints of
unfinished work; locks. It knows nothing of what the values mean.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from .files import build_folder, locked, make_folder, sweep, writing
from .shelf import Say, Shelf, digest


def fingerprint(identity: Mapping[str, object]) -> str:
    """The digest of an identity's canonical JSON: keys sorted, no spaces, code points as they are."""
    return digest(json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Store:
    """The store at `root`. Reading makes nothing; folders are made when something is first written.

    `lenient`: for who only looks. A shelf that cannot be locked or written is no fault then: what is added to it is kept as long as this object is.
    """

    root: Path
    lenient: bool = False
    _unwritten: dict[str, list[pl.DataFrame]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            message = f"the store `{self.root}` is a file, not a folder"
            raise Fault(Diagnostic("MIX0512", message, help="move that file away, or set MIXC_HOME to another folder"))
        with _unusable(self.root):
            next(self.root.iterdir() if self.root.exists() else iter(()), None)

    def shelf(self, fingerprint: str, identity: Mapping[str, object]) -> Shelf:
        """The stored values under `fingerprint`; `identity` is written beside them once, for people."""
        unwritten = self._unwritten.setdefault(fingerprint, []) if self.lenient else None
        return Shelf(self.root / "scores" / fingerprint, identity, self._lock(f"shelf-{fingerprint}"), unwritten)

    def artifact(self, kind: str, fingerprint: str) -> Path | None:
        """The finished folder of that kind and fingerprint, if there is one."""
        path = self._artifact(kind, fingerprint)
        if not path.is_dir():
            return None
        with suppress(OSError):
            os.utime(path)  # when it was last asked for
        return path

    def save_artifact(self, kind: str, fingerprint: str, write: Callable[[Path], object]) -> Path:
        """Let `write` fill an empty folder, kept once whole; one that another build kept first stays. Fault MIX0508."""
        path = self._artifact(kind, fingerprint)
        sweep(path.parent)
        build_folder(path, write)
        return path

    def checkpoints(self, fingerprint: str) -> Path:
        """The folder for the checkpoints of unfinished work; the caller deletes it when the work is done."""
        path = self.root / "checkpoints" / fingerprint
        with _unusable(path):
            make_folder(path)
        return path

    def lock(self, name: str, say: Say = lambda message: None, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold `name` against other builds: wait for one that has it, saying so, or (not `wait`) Fault MIX0512."""

        def busy() -> None:
            if not wait:
                message = f"another build is at work on `{name}`"
                raise Fault(Diagnostic("MIX0512", message, help="wait until it ends, then run this again"))
            say(f"waiting for another build that is at work on `{name}`")

        return locked(self._lock(name), busy)

    def at_work(self) -> bool:
        """Whether any build is at work in this store: one that holds a lock."""

        def busy() -> None:
            raise BlockingIOError

        for path in sorted((self.root / "locks").glob("*.lock")):
            try:
                with locked(path, busy):
                    pass
            except BlockingIOError:
                return True
        return False

    def _lock(self, name: str) -> Path:
        safe = name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}", name) else digest(name.encode())
        return self.root / "locks" / f"{safe}.lock"

    def _artifact(self, kind: str, fingerprint: str) -> Path:
        return self.root / "artifacts" / kind / fingerprint


def _unusable(path: Path) -> AbstractContextManager[None]:
    return writing(path, "MIX0512", "use")


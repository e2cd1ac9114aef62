"""The store: what was dear to compute, by content and never by recipe, so that no run pays for it twice.

Scores lie in shelves, one a fingerprint, as append-only shards named by the digest of their bytes; finished folders
(trained models, evaluations) by kind and fingerprint. It knows nothing of what the values mean.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Fault
from .files import build_folder, locked, sweep, write_atomic, writing

Say = Callable[[str], object]


def digest(data: bytes) -> str:
    """A 128-bit digest (BLAKE2b), 32 hex characters."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def fingerprint(identity: Mapping[str, object]) -> str:
    """The digest of an identity's canonical JSON: keys sorted, no spaces, code points as they are."""
    return digest(json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stored values of one fingerprint. Any number of processes may read and append at once."""

    folder: Path
    identity: Mapping[str, object]

    def load(
        self,
        keys: Sequence[str] | None = None,
        *,
        schema: Mapping[str, pl.DataType] | None = None,
        say: Say = lambda message: None,
        prefer: str | None = None,
    ) -> pl.DataFrame:
        """One row for each stored key (of `keys`, or all), sorted by it; of two, the one with more in the column `prefer`, if one is named, else in the shard of smaller name.

        Every shard's bytes are checked against the digest in its name, and its columns against `schema` where given;
        one that fails is renamed `*.corrupt`, told to `say`, and taken as never written.
        """
        columns = {"key": pl.String(), **(schema or {})}
        wanted = None if keys is None else pl.DataFrame({"key": keys}, schema={"key": pl.String()})
        frames = []
        for path in self._shards():
            with suppress(FileNotFoundError), _unusable(path):
                frame = _read(path, columns if schema is not None else None)
                if frame is None:
                    self._set_aside(path, say)
                else:
                    frames.append(frame if wanted is None else frame.join(wanted, on="key", how="semi"))
        if not frames:
            return pl.DataFrame(schema=columns)
        found = pl.concat(frames)
        if prefer is not None:
            found = found.sort(prefer, descending=True, maintain_order=True)
        return found.unique("key", keep="first", maintain_order=True).sort("key")

    def append(self, frame: pl.DataFrame) -> None:
        """Add the rows of `frame` (a column `key` and the values) as one shard, whole or not at all. Fault MIX0508."""
        if frame.is_empty():
            return
        sweep(self.folder)
        identity = self.folder / "identity.json"
        if not identity.exists():
            text = json.dumps(self.identity, sort_keys=True, ensure_ascii=False, indent=2)
            write_atomic(identity, text.encode() + b"\n")
        data = io.BytesIO()
        frame.sort("key").write_parquet(data)
        write_atomic(self.folder / f"{digest(data.getvalue())}.parquet", data.getvalue())

    def _shards(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet")) if self.folder.is_dir() else []

    def _set_aside(self, path: Path, say: Say) -> None:
        with suppress(OSError):
            path.replace(path.with_suffix(".corrupt"))
        say(f"a shard of the store is damaged and is set aside, its rows are scored again: `{path}`")


@dataclass(frozen=True, slots=True)
class Store:
    """The store at `root`. Reading makes nothing; folders are made when something is first written."""

    root: Path

    def __post_init__(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            message = f"the store `{self.root}` is a file, not a folder"
            raise Fault(Diagnostic("MIX0512", message, help="move that file away, or set MIXC_HOME to another folder"))
        with _unusable(self.root):
            next(self.root.iterdir() if self.root.exists() else iter(()), None)

    def shelf(self, fingerprint: str, identity: Mapping[str, object]) -> Shelf:
        """The stored values under `fingerprint`; `identity` is written beside them once, for people."""
        return Shelf(self.root / "scores" / fingerprint, identity)

    def artifact(self, kind: str, fingerprint: str) -> Path | None:
        """The finished folder of that kind and fingerprint, if there is one."""
        path = self._artifact(kind, fingerprint)
        return path if path.is_dir() else None

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
            path.mkdir(parents=True, exist_ok=True)
        return path

    def lock(self, name: str, say: Say = lambda message: None, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold `name` against other builds: wait for one that has it, saying so, or (not `wait`) Fault MIX0512."""

        def busy() -> None:
            if not wait:
                message = f"another build is at work on `{name}`"
                raise Fault(Diagnostic("MIX0512", message, help="wait until it ends, then run this again"))
            say(f"waiting for another build that is at work on `{name}`")

        safe = name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}", name) else digest(name.encode())
        return locked(self.root / "locks" / f"{safe}.lock", busy)

    def _artifact(self, kind: str, fingerprint: str) -> Path:
        return self.root / "artifacts" / kind / fingerprint


def _unusable(path: Path) -> AbstractContextManager[None]:
    return writing(path, "MIX0512", "use")


def _read(path: Path, columns: Mapping[str, pl.DataType] | None) -> pl.DataFrame | None:
    data = path.read_bytes()
    if digest(data) != path.stem:
        return None
    frame = pl.read_parquet(io.BytesIO(data))
    return frame if columns is None or frame.schema == pl.Schema(columns) else None

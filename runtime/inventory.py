"""What a store holds, told from names, sizes and Parquet footers: no value is read, nothing is written."""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from . import kept_rows
from .files import size
from .shelf import CORRUPT, IDENTITY, beside, shards
from .store import Store

UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True)
class Kept:
    """A shelf. `identity` is None where it cannot be read; `makers` counts rows by what made them; times are seconds since 1970.

    `rows` counts those of shards that can be read, a row that is stored twice twice; `unreadable` counts the other shards.
    """

    fingerprint: str
    identity: Mapping[str, object] | None
    rows: int
    shards: int
    unreadable: int
    bytes: int
    makers: dict[str, int]
    written: float
    used: float


@dataclass(frozen=True, slots=True)
class Folder:
    """A trained model, the unpacked weights of a student, what is kept of an input file (`of`, its name), or the checkpoints of work (`finished`: its
    result is in the store).

    `identity` is what the folder says of itself, None where it says nothing.
    """

    kind: str
    fingerprint: str
    bytes: int
    written: float
    used: float
    finished: bool = True
    identity: Mapping[str, object] | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that lies in a store, the newest first; `bytes` is all of it, locks and remembered counts included."""

    shelves: tuple[Kept, ...]
    artifacts: tuple[Folder, ...]
    checkpoints: tuple[Folder, ...]
    set_aside: tuple[Path, ...]
    bytes: int

    @property
    def empty(self) -> bool:
        """Whether nothing that was dear is here."""
        return not (self.shelves or self.artifacts or self.checkpoints or self.set_aside)


def inventory(store: Store) -> Inventory:
    """What is in the store; of one that is not there, nothing."""
    shelves = [kept(folder) for folder in folders(store.root / "scores")]
    artifacts = [_folder(kind.name, each) for kind in folders(store.root / "artifacts") for each in folders(kind)]
    done = {each.fingerprint for each in artifacts}
    checkpoints = [_folder("checkpoints", each, each.name in done) for each in folders(store.root / "checkpoints")]
    aside = sorted((store.root / "scores").glob(f"*/*{CORRUPT}"))
    return Inventory(
        tuple(sorted((s for s in shelves if s.shards), key=lambda s: (-s.written, s.fingerprint))),
        tuple(sorted(artifacts, key=lambda f: (-f.written, f.fingerprint))),
        tuple(sorted((f for f in checkpoints if f.bytes), key=lambda f: (-f.written, f.fingerprint))),
        tuple(aside),
        size(store.root),
    )


def folders(path: Path) -> list[Path]:
    """The folders in `path` by name, temporary ones left out; none where there is no such folder."""
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith(".")) if path.is_dir() else []


def kept(folder: Path) -> Kept:
    """The shelf in `folder`."""
    makers = Counter[str]()
    unreadable = total = 0
    paths = shards(folder)
    for path in paths:
        with suppress(FileNotFoundError):
            total += path.stat().st_size
            try:
                rows = pl.scan_parquet(path).select(pl.len()).collect().item()
                makers[maker(beside(path))] += rows
            except pl.exceptions.PolarsError:
                unreadable += 1
    written = max((_changed(path) for path in paths), default=0.0)
    used = max(written, _changed(folder / IDENTITY))
    ordered = dict(sorted(makers.items(), key=lambda item: (-item[1], item[0])))
    return Kept(folder.name, identity(folder), makers.total(), len(paths), unreadable, total, ordered, written, used)


def identity(folder: Path) -> dict[str, object] | None:
    """All that what lies in `folder` depends on; None where that is not written there, or cannot be read."""
    try:
        found = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def maker(beside: Mapping[str, str]) -> str:
    """Such as `transformers on cpu`."""
    engine, device = beside.get("engine"), beside.get("device")
    return f"{engine} on {device}" if engine and device else engine or UNKNOWN


def _folder(kind: str, path: Path, finished: bool = True) -> Folder:
    written = max((_changed(each) for each in path.rglob("*") if each.is_file()), default=_changed(path))
    return Folder(kind, path.name, size(path), written, max(written, _changed(path)), finished, identity(path), kept_rows.file_of(path))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0

"""What is worked out of an input file once and kept in the store: the ids of its rows, and a copy by column of one that has no columns.

It knows files and the store, nothing of corpora. Where the store cannot keep it, nothing is kept and nothing fails.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import polars as pl

from ..compiler.diagnostics import Fault
from . import records
from .file_state import FileState, clock, file_state
from .files import discard
from .store import Store, fingerprint

T = TypeVar("T")

IDS, TABLES = "row-ids", "tables"
IDENTITY, DATA = "identity.json", "rows.parquet"
RULES = 1
"""The version of what is kept and of how it is worked out; part of what it is found by."""
SMALL = 1 << 20
"""A file of fewer bytes is read again in no time: of it nothing is kept."""


class _Changed(Exception):
    """The file, or its copy, changed while it was read."""


def settled(path: str) -> FileState | None:
    """The state of the file, if what is worked out of it may be kept."""
    state = file_state(path)
    return state if state is not None and state.bytes >= SMALL and state.settled(clock()) else None


@dataclass(slots=True)
class Table:
    """The columns `names` and `row` of a file, as `records.scan` gives them: from the copy by column where one is kept. Made and read, it raises as `records.scan`.

    `state` is None of a file of which nothing may be kept.
    """

    path: str
    names: Sequence[str]
    state: FileState | None
    store: Store | None
    _frame: pl.LazyFrame = field(init=False, repr=False)
    _copy: FileState | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._open(self.store)

    def read(self, run: Callable[[pl.LazyFrame], T]) -> T:
        """What `run` makes of the columns; it may run several times, and raises Unreadable or a Fault where they cannot be right.

        A copy that fails is deleted and made anew, and if that fails too the file itself is read: what is raised is always the file's own fault.
        """
        for store in (self.store, None):
            if self._copy is None:
                break
            with suppress(records.Unreadable, Fault):
                with records.reading(self.path):
                    found = run(self._frame)
                if self.unchanged():
                    return found
            if self.unchanged():
                discard(Path(self._copy.path).parent)
            self._open(store)
        with records.reading(self.path):
            return run(self._frame)

    def unchanged(self) -> bool:
        """Whether the copy, if it is read, is still the one that was opened: if not it is gone, or another stands there, whose digest nobody has looked at."""
        return self._copy is None or file_state(self._copy.path) == self._copy

    def _open(self, store: Store | None) -> None:
        self._copy = None
        with records.reading(self.path):
            if store is not None and self.state is not None and not records.has_columns(self.path):
                about = {"columns": sorted(self.names)}
                kept = _kept(store, TABLES, self.state, about, lambda target: records.write_table(self.path, self.names, target))
                self._copy = file_state(str(kept)) if kept is not None else None
            if self._copy is not None:
                self._frame = pl.scan_parquet(self._copy.path, glob=False).select(*self.names, "row")
            else:
                self._frame = records.scan(self.path, self.names)


def ids(table: Table, rows: pl.LazyFrame, about: Mapping[str, object]) -> pl.LazyFrame:
    """`rows`, which follow from the table's columns and from what is said `about` them: from the store, or worked out a slice at a time.

    Unreadable if the file cannot be read.
    """

    def write(target: Path) -> None:
        rows.sink_parquet(target, compression_level=1)
        if not table.unchanged():
            raise _Changed

    if table.store is not None and table.state is not None:
        kept = _kept(table.store, IDS, table.state, about, write)
        if kept is not None:
            return pl.scan_parquet(kept, glob=False)
    with records.reading(table.path):
        return rows.collect(engine="streaming").lazy()


def file_of(folder: Path) -> str | None:
    """The name of the file that what lies in the folder of a store was worked out of; None where nothing says so."""
    try:
        return Path(json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["identity"]["file"]["path"]).name
    except (OSError, ValueError, KeyError, TypeError):
        return None


def outdated(folder: Path) -> str | None:
    """Why no build asks again for what lies in the folder of a store; None where one may. It is told with the file's name."""
    try:
        identity = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["identity"]
        state = FileState(**identity["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return "nothing says what file it is of"
    if identity.get("rules") != RULES:
        return f"of `{Path(state.path).name}`, made by another version of mixc"
    if file_state(state.path) != state:
        return f"of `{Path(state.path).name}`, which has changed or is gone"
    return None


def damage(folder: Path) -> str | None:
    """What is wrong with what lies in the folder of a store; None where it is whole."""
    try:
        said = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
        promised = fingerprint(said["identity"]), said["bytes"], said["digest"]
        data = folder / DATA
        if promised[0] != folder.name:
            return f"its {IDENTITY} is that of another file"
        if (data.stat().st_size, _digest(data)) != promised[1:]:
            return f"its {DATA} is not the one that was written"
    except (OSError, ValueError, KeyError, TypeError):
        return f"its {IDENTITY} or its {DATA} cannot be read"
    return None


def _kept(store: Store, kind: str, state: FileState, about: Mapping[str, object], write: Callable[[Path], object]) -> Path | None:
    """The file in the store, made where it is not there or not the one that was written; None where it cannot be kept, or where what it is made of cannot be read."""
    identity = {"rules": RULES, "file": asdict(state), **about}

    def fill(folder: Path) -> None:
        write(folder / DATA)
        if file_state(state.path) != state:
            raise _Changed
        said = {"identity": identity, "bytes": (folder / DATA).stat().st_size, "digest": _digest(folder / DATA)}
        (folder / IDENTITY).write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    with suppress(Fault, _Changed, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        name = fingerprint(identity)
        folder = store.artifact(kind, name)
        if folder is not None and damage(folder) is not None:
            discard(folder)
            folder = None
        return (folder or store.save_artifact(kind, name, fill)) / DATA
    return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

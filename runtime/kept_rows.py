"""What is worked out of an input file once and kept in the store: the ids of its rows, and a copy by column of one that has no columns.

It knows files and the store, nothing of corpora. Where the store cannot keep it, nothing is kept and nothing fails.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Fault
from . import records
from .file_state import FileState, clock, file_state
from .files import discard
from .store import Store, fingerprint

IDS, TABLES = "row-ids", "tables"
IDENTITY, DATA = "identity.json", "rows.parquet"
RULES = 1
"""The version of what is kept and of how it is worked out; part of what it is found by."""
SMALL = 1 << 20
"""A file of fewer bytes is read again in no time: of it nothing is kept."""


class _Changed(Exception):
    """The file changed while it was read."""


def settled(path: str) -> FileState | None:
    """The state of the file, if what is worked out of it may be kept."""
    state = file_state(path)
    return state if state is not None and state.bytes >= SMALL and state.settled(clock()) else None


def table(path: str, names: Sequence[str], state: FileState | None, store: Store | None) -> pl.LazyFrame:
    """The columns `names` and `row` of a file, as `records.scan` gives them: from the copy by column where one is kept. Raises as `records.scan` does."""
    if store is not None and state is not None and not records.has_columns(path):
        kept = _kept(store, TABLES, state, {"columns": sorted(names)}, lambda target: records.write_table(path, names, target), whole=_as_long)
        if kept is not None:
            return pl.scan_parquet(kept, glob=False).select(*names, "row")
    return records.scan(path, names)


def ids(rows: pl.LazyFrame, about: Mapping[str, object], path: str, state: FileState | None, store: Store | None) -> pl.LazyFrame:
    """`rows`, which follow from the file at `path` and from what is said `about` them: from the store, or worked out a slice at a time.

    Unreadable if the file cannot be read.
    """

    if store is not None and state is not None:
        kept = _kept(store, IDS, state, about, lambda target: rows.sink_parquet(target, compression_level=1), whole=_sound)
        if kept is not None:
            return pl.scan_parquet(kept, glob=False)
    with records.reading(path):
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


def _kept(
    store: Store, kind: str, state: FileState, about: Mapping[str, object], write: Callable[[Path], object], whole: Callable[[Path], bool]
) -> Path | None:
    """The file in the store, made where it is not there; None where it cannot be kept, or where what it is made of cannot be read."""
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
        if folder is not None and not whole(folder):
            discard(folder)
            folder = None
        return (folder or store.save_artifact(kind, name, fill)) / DATA
    return None


def _sound(folder: Path) -> bool:
    return damage(folder) is None


def _as_long(folder: Path) -> bool:
    """Whether the file has its length. Its bytes are not read for it: like those of an input they count when they are read, and `cache verify` checks them."""
    try:
        return (folder / DATA).stat().st_size == json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["bytes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

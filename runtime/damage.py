"""Reads every shard of a store against its name and its shelf, unpacked weights and what is kept of input files against what was written of
them; tells what is damaged as diagnostics, and sets aside, or removes, what it is asked to."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Diagnostic, Severity
from . import kept_rows
from .engines.digests import of_file
from .engines.weights import KIND
from .files import discard, size, writing
from .inventory import folders, identity
from .shelf import CORRUPT, IDENTITY, digest, read_shard, set_aside, shards
from .store import Store, fingerprint

UNPACK = "run `mixc cache verify --repair` to remove them; the next run that loads the student unpacks it again"
REPAIR = "run `mixc cache verify --repair` to set it aside; the next build that asks for its rows scores them again"


@dataclass(slots=True)
class Verified:
    """How much was read (`unpacked`: students, `of_files`: what is kept of input files), what is wrong with it, and which files were set aside,
    which folders removed. A row that is stored twice counts twice."""

    shards: int = 0
    rows: int = 0
    unpacked: int = 0
    bytes: int = 0
    of_files: int = 0
    found: list[Diagnostic] = field(default_factory=list)
    set_aside: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)


def verify(store: Store, *, repair: bool = False) -> Verified:
    """Every shard and all unpacked weights read: MIX0516 for what is damaged, MIX0517 for a shelf that is not what its name says. Fault MIX0512."""
    seen = Verified()
    for folder in folders(store.root / "scores"):
        with writing(folder, "MIX0512", "read"):
            if shards(folder):
                foreign = _check_identity(folder, repair, seen)
                _check_shards(folder, repair, foreign, seen)
    for folder in folders(store.root / "artifacts" / KIND):
        with writing(folder, "MIX0512", "read"):
            _check_weights(folder, repair, seen)
    for kind in (kept_rows.IDS, kept_rows.TABLES):
        for folder in folders(store.root / "artifacts" / kind):
            _check_kept(folder, repair, seen)
    return seen


def _check_weights(folder: Path, repair: bool, seen: Verified) -> None:
    seen.unpacked += 1
    seen.bytes += size(folder)
    told = identity(folder) or {}
    files, student = told.get("files"), told.get("student")
    if not isinstance(files, dict):
        notes = [f"it has no {IDENTITY} that can be read, so that nothing says what its files should be"]
    else:
        notes = [_unlike(folder / name, str(written)) for name, written in files.items()]
    if notes := [note for note in notes if note]:
        whose = f" of `{student}`" if student else ""
        message = f"the unpacked weights{whose} in the store are damaged: `{folder}`"
        seen.found.append(Diagnostic("MIX0516", message, notes=tuple(notes), help=None if repair else UNPACK))
        if repair:
            discard(folder)
            seen.removed.append(folder)


def _unlike(path: Path, digest: str) -> str | None:
    """How a file is not the one that was written, None where it is."""
    if not path.is_file():
        return f"`{path.name}` is not there"
    if of_file(path)[0] != digest:
        return f"the {path.stat().st_size:,} bytes of `{path.name}` do not have the digest that they were written with"
    return None


def _check_kept(folder: Path, repair: bool, seen: Verified) -> None:
    """What is kept of an input file: what is damaged is worked out anew when it is next asked for, so that a repair deletes it."""
    seen.of_files += 1
    wrong = kept_rows.damage(folder)
    if wrong is not None and folder.exists():
        of = kept_rows.file_of(folder)
        help = None if repair else "run `mixc cache verify --repair` to delete it; the next build that reads the file makes it anew"
        message = f"what is kept of {f'`{of}`' if of else 'an input file'} is damaged: `{folder}`"
        seen.found.append(Diagnostic("MIX0516", message, notes=(wrong,), help=help))
        if repair:
            discard(folder)


def _check_identity(folder: Path, repair: bool, seen: Verified) -> bool:
    """Whether the shelf holds the values of another fingerprint."""
    path, found = folder / IDENTITY, identity(folder)
    if found is None and not path.exists():
        message = f"nothing says what the values in `{folder}` are: it has no {IDENTITY}"
        help = "nothing is lost: the next build that adds to them writes it again"
        seen.found.append(Diagnostic("MIX0517", message, help=help, severity=Severity.WARNING))
    elif found is None:
        message = f"`{path}` cannot be read, so that nothing says what the values beside it are"
        seen.found.append(Diagnostic("MIX0517", message, help="run `mixc cache verify --repair`: the next build that adds to them writes it again"))
        if repair:
            _rename(path, seen)
    elif (named := fingerprint(found)) != folder.name:
        message = f"the values in `{folder}` are not those that its name promises"
        note = f"its {IDENTITY} has the fingerprint {named}; a build would take the values for those of {folder.name}"
        help = "move the folder back to where it came from, or run `mixc cache verify --repair` to set its values aside"
        seen.found.append(Diagnostic("MIX0517", message, notes=(note,), help=help))
        if repair:
            _rename(path, seen)
        return True
    return False


def _check_shards(folder: Path, repair: bool, foreign: bool, seen: Verified) -> None:
    schemas: dict[Path, tuple[tuple[str, pl.DataType], ...]] = {}
    rows = Counter[tuple[tuple[str, pl.DataType], ...]]()
    wrong: dict[Path, str] = {}
    for path in shards(folder):
        try:
            data = path.stat().st_size
            frame = read_shard(path)
        except FileNotFoundError:
            continue  # merged or set aside by another process since
        seen.shards += 1
        seen.bytes += data
        if frame is None:
            wrong[path] = _what(path)
        elif frame["key"].null_count():
            wrong[path] = "it has rows without a key"
        else:
            schemas[path] = tuple(frame.schema.items())
            rows[schemas[path]] += len(frame)
    usual = min(rows, key=lambda schema: (-rows[schema], str(schema)), default=None)
    seen.rows += rows[usual] if usual else 0
    for path, schema in schemas.items():
        if schema != usual:
            wrong[path] = f"its columns are not those of the other shards: {', '.join(f'`{name}`' for name, _ in schema)}"
    for path, what in sorted(wrong.items()):
        note = "a build takes its rows as never scored"
        seen.found.append(Diagnostic("MIX0516", f"a shard of the store is damaged: `{path}`", notes=(what, note), help=None if repair else REPAIR))
    for path in sorted([*schemas, *wrong] if foreign else wrong):
        if repair and set_aside(path):
            seen.set_aside.append(path.with_suffix(CORRUPT))


def _what(path: Path) -> str:
    data = path.read_bytes()
    if not data:
        return "it is empty"
    if digest(data) != path.stem:
        return f"its {len(data):,} bytes do not have the digest in its name: it was cut short or changed"
    return "it is not a Parquet file with a column `key`"


def _rename(path: Path, seen: Verified) -> None:
    aside = path.with_suffix(CORRUPT)
    with writing(path):
        path.replace(aside)
    seen.set_aside.append(aside)

"""A shelf of the store: the values of one fingerprint, as append-only Parquet shards that are named by the digest of their bytes.

What made the values (an engine, a device) is written beside them, in a shard's own metadata, and is no part of the
fingerprint. It knows keys and columns, and nothing of what the values mean.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..compiler.diagnostics import Fault
from .files import locked, sweep, write_atomic, writing

Say = Callable[[str], object]

IDENTITY = "identity.json"
CORRUPT = ".corrupt"
_BESIDE = "mixc:"
_PREFER = "mixc-prefer"
_SHARD = "mixc:shard"
# Rows that are looked up at once: a look-up costs as much as there are keys, however few the rows.
_BATCH = 100_000


def digest(data: bytes) -> str:
    """A 128-bit digest (BLAKE2b), 32 hex characters."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stored values of one fingerprint. Any number of processes may read and append at once; `lock` is a file.

    `unwritten` takes what cannot be written, and is read with the rest; None where that is a fault.
    """

    folder: Path
    identity: Mapping[str, object]
    lock: Path
    unwritten: list[pl.DataFrame] | None = None

    def load(
        self,
        keys: Sequence[str] | None = None,
        *,
        schema: Mapping[str, pl.DataType] | None = None,
        say: Say = lambda message: None,
        prefer: str | None = None,
    ) -> pl.DataFrame:
        """One row for each stored key (of `keys`, or all), sorted by it.

        Of several, the one with the greatest value in the numeric column `prefer` (null is least), then the one in the
        shard of smallest name. Every shard's bytes are checked against the digest in its name, and its columns against
        `schema` where given; one that fails is renamed `*.corrupt`, told to `say`, and taken as never written.
        """
        columns = {"key": pl.String(), **(schema or {})}
        rows, _ = self._gather(keys, columns if schema is not None else None, say, None)
        return pl.DataFrame(schema=columns) if rows is None else winners(rows, prefer).drop(_SHARD).sort("key")

    def origins(self, keys: Sequence[str] | None = None, *, prefer: str | None = None) -> pl.DataFrame:
        """What made each row that `load` gives: `key`, and a String column for each name that is written beside a shard, sorted by key."""
        rows, shards = self._gather(keys, None, lambda message: None, ["key", *([prefer] if prefer else [])])
        if rows is None:
            return pl.DataFrame(schema={"key": pl.String()})
        found = winners(rows, prefer)
        given = set(found[_SHARD])
        said = [beside(path) if index in given else {} for index, path in enumerate(shards)] + [{}]  # nothing is said of what is unwritten
        names = sorted({name for one in said for name in one})
        columns = [pl.Series(name, [one.get(name) for one in said], dtype=pl.String).gather(found[_SHARD]) for name in names]
        return found.select("key").with_columns(columns).sort("key")

    def append(self, frame: pl.DataFrame, beside: Mapping[str, str] | None = None, *, prefer: str | None = None) -> None:
        """Add the rows of `frame` (a column `key` and the values) as one shard, whole or not at all. Fault MIX0508.

        `beside` says what made them. `prefer` is the column by which `load` will be asked to choose among rows of one
        key: where it is named, tidying may drop the others.
        """
        if frame.is_empty():
            return
        try:
            with self._locked():
                sweep(self.folder)
                identity = self.folder / IDENTITY
                if not identity.exists():
                    text = json.dumps(self.identity, sort_keys=True, ensure_ascii=False, indent=2)
                    write_atomic(identity, text.encode() + b"\n")
                write_shard(self.folder, frame, beside or {}, prefer)
        except Fault:
            if self.unwritten is None:
                raise
            self.unwritten.append(frame)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep whoever tidies the store away from this shelf. Any number may, at once and one in the other. Fault MIX0512."""
        with ExitStack() as held:
            try:
                held.enter_context(self._locked())
            except Fault:
                if self.unwritten is None:
                    raise
            yield

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self.lock, lambda: None, shared=True)

    def _gather(
        self, keys: Sequence[str] | None, schema: Mapping[str, pl.DataType] | None, say: Say, columns: list[str] | None
    ) -> tuple[pl.DataFrame | None, list[Path]]:
        """The rows of all whole shards, in the order of their names, with the index of the shard; and the shards."""
        with suppress(OSError):
            os.utime(self.folder / IDENTITY)  # when it was last asked
        wanted = None if keys is None else pl.DataFrame({"key": keys}, schema={"key": pl.String()})
        while True:
            try:
                return self._read(wanted, schema, say, columns)
            except FileNotFoundError:  # shards were merged under our eyes: what they held is in another one
                continue

    def _read(
        self, wanted: pl.DataFrame | None, schema: Mapping[str, pl.DataType] | None, say: Say, columns: list[str] | None
    ) -> tuple[pl.DataFrame | None, list[Path]]:
        batch = _BATCH if wanted is None else max(_BATCH, len(wanted))
        frames: list[pl.DataFrame] = []
        waiting: list[pl.DataFrame] = []
        whole: list[Path] = []
        for path in shards(self.folder):
            with writing(path, "MIX0512", "use", leave=(FileNotFoundError,)):
                frame = read_shard(path, schema, columns)
                if frame is None:
                    self._set_aside(path, say)
                    continue
            waiting.append(frame.with_columns(pl.lit(len(whole), pl.UInt32).alias(_SHARD)))
            whole.append(path)
            if sum(map(len, waiting)) >= batch:
                frames.append(_among(waiting, wanted))
                waiting = []
        waiting += [(frame if columns is None else frame.select(columns)).with_columns(pl.lit(len(whole), pl.UInt32).alias(_SHARD)) for frame in self.unwritten or ()]
        if waiting:
            frames.append(_among(waiting, wanted))
        return (pl.concat(frames) if frames else None), whole

    def _set_aside(self, path: Path, say: Say) -> None:
        if set_aside(path):
            say(f"a shard of the store is damaged and is set aside, its rows are scored again: `{path}`")


def shards(folder: Path) -> list[Path]:
    """The shards in a shelf's folder, by name; none where there is no folder."""
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else []


def read_shard(path: Path, schema: Mapping[str, pl.DataType] | None = None, columns: list[str] | None = None) -> pl.DataFrame | None:
    """The rows of a shard (of `columns` alone where given); None where its bytes do not have the digest in its name, or other columns than `schema`."""
    data = path.read_bytes()
    if digest(data) != path.stem:
        return None
    try:
        frame = pl.read_parquet(io.BytesIO(data), columns=columns)
    except pl.exceptions.PolarsError:
        return None
    fits = frame.schema == pl.Schema(schema) if schema is not None else frame.schema.get("key") == pl.String()
    return frame if fits else None


def write_shard(folder: Path, frame: pl.DataFrame, beside: Mapping[str, str], prefer: str | None) -> Path:
    """Put rows into a shelf's folder as one shard. Fault MIX0508."""
    data = encoded(frame, beside, prefer)
    path = folder / f"{digest(data)}.parquet"
    write_atomic(path, data)
    return path


def encoded(frame: pl.DataFrame, beside: Mapping[str, str], prefer: str | None) -> bytes:
    """A shard: of the same rows and the same words beside them, the same bytes."""
    said = {f"{_BESIDE}{name}": value for name, value in sorted(beside.items())} | ({_PREFER: prefer} if prefer else {})
    data = io.BytesIO()
    frame.sort("key", maintain_order=True).write_parquet(data, metadata=said or None)
    return data.getvalue()


def beside(path: Path) -> dict[str, str]:
    """What is written beside the rows of a whole shard, by name."""
    found = pl.read_parquet_metadata(path)
    return {name.removeprefix(_BESIDE): value for name, value in sorted(found.items()) if name.startswith(_BESIDE)}


def preferred(path: Path) -> str | None:
    """The column by which rows of one key are chosen, as far as the shard says."""
    return pl.read_parquet_metadata(path).get(_PREFER)


def winners(rows: pl.DataFrame, prefer: str | None) -> pl.DataFrame:
    """One row for each key: the greatest in `prefer`, then the first."""
    if prefer is not None:
        rows = rows.sort(prefer, descending=True, nulls_last=True, maintain_order=True)
    return rows.unique("key", keep="first", maintain_order=True)


def set_aside(path: Path) -> bool:
    """Rename a damaged shard `*.corrupt`; False where another process has done so, or has written the shard anew."""
    aside = path.with_suffix(CORRUPT)
    try:
        broken = digest(path.read_bytes()) != path.stem
        path.replace(aside)
        if broken and digest(aside.read_bytes()) == path.stem:
            aside.replace(path)  # its rows were computed again between our reading and our renaming
            return False
    except OSError:
        return False
    return True


def _among(frames: list[pl.DataFrame], wanted: pl.DataFrame | None) -> pl.DataFrame:
    rows = pl.concat(frames)
    return rows if wanted is None else rows.join(wanted, on="key", how="semi", maintain_order="left")

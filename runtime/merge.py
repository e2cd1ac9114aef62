"""Many small shards of a shelf into one for each maker: what is loaded is the same before, after, and at every instant between."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from .files import write_atomic
from .shelf import beside, digest, encoded, preferred, read_shard, shards, winners

# A shard of at least this many bytes is left alone.
SMALL_BYTES = 16 * 2**20
# So many small shards are worth merging, unless a row is stored twice; so many bytes are merged at once, since they are held in memory.
MANY = 16
AT_ONCE_BYTES = 256 * 2**20

_SHARD = "mixc:shard"


@dataclass(frozen=True, slots=True)
class Merged:
    """So many shards became, or would become, so many; of `rows`, `doubled` were stored more than once. `bytes` are those freed."""

    before: int
    after: int
    rows: int
    doubled: int
    bytes: int


class Damaged(Exception):
    """A shard cannot be read, or has other columns than the others."""


def merge(folder: Path, *, act: bool) -> Iterator[Merged]:
    """Merge the small shards in a shelf's folder, which nobody else may be writing; not `act`: only tell.

    The merged shards are there before the old ones go. These go in the reverse order of their names, so that the row
    which `load` gives for a key is the same whenever we are killed. Raises Damaged.
    """
    while True:
        chosen = _chosen(folder)
        if len(chosen) < 2:
            return
        frames = [_whole(path).with_columns(pl.lit(index, pl.UInt32).alias(_SHARD)) for index, path in enumerate(chosen)]
        if any(frame.schema != frames[0].schema for frame in frames):
            raise Damaged
        rows = pl.concat(frames)
        prefers = {name for path in chosen if (name := preferred(path))}
        if len(prefers) > 1:
            raise Damaged
        prefer = next(iter(prefers), None)
        kept = winners(rows, prefer)
        doubled = len(rows) - len(kept)
        if len(chosen) < MANY and not doubled:
            return
        makers = [tuple(beside(path).items()) for path in chosen]
        merged = {}
        for made in sorted(set(makers)):
            part = kept.filter(pl.col(_SHARD).is_in([i for i, one in enumerate(makers) if one == made])).drop(_SHARD)
            if len(part):
                data = encoded(part, dict(made), prefer)
                merged[folder / f"{digest(data)}.parquet"] = data
        if len(merged) >= len(chosen) and not doubled:
            return
        freed = sum(path.stat().st_size for path in chosen) - sum(map(len, merged.values()))
        if act:
            newest = max(path.stat().st_mtime for path in chosen)
            for path, data in merged.items():
                write_atomic(path, data)
                os.utime(path, (newest, newest))  # tidying is no use of what is tidied
            for path in sorted(set(chosen) - set(merged), reverse=True):
                path.unlink(missing_ok=True)
        yield Merged(len(chosen), len(merged), len(rows), doubled, freed)
        if not act:
            return


def _chosen(folder: Path) -> list[Path]:
    """Small shards of which no key stands in a shard that is left alone: there the order of names decides, and must not change."""
    chosen: list[Path] = []
    total = 0
    paths = shards(folder)
    for path in paths:
        size = path.stat().st_size
        if size < SMALL_BYTES and total + size <= AT_ONCE_BYTES:
            chosen.append(path)
            total += size
    left = [path for path in paths if path not in set(chosen)]
    keys = {path: _whole(path, ["key"])["key"] for path in paths} if left else {}
    while left and chosen:
        elsewhere = pl.concat([keys[path] for path in left])
        left = [path for path in chosen if keys[path].is_in(elsewhere.implode()).any()]
        chosen = [path for path in chosen if path not in left]
    return chosen


def _whole(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    frame = read_shard(path, None, columns)
    if frame is None:
        raise Damaged
    return frame

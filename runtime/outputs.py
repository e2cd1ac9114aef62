"""The data files of a build folder by content: what a manifest promises and `mixc verify` holds it to."""

import hashlib
from collections.abc import MutableMapping
from pathlib import Path
from typing import TypedDict

from .files import TEMPORARY

TELLING = ("manifest.json", "report.html", "README.md", "croissant.json", "openlineage.jsonl")
"""Files that tell of the others, and are made of them again at any time: no manifest has their digests."""

Seen = MutableMapping[tuple[str, int, int, int], str]
"""Digests by name, inode, size and time of change, so that a file of a run is read once."""


class Output(TypedDict):
    sha256: str
    bytes: int


def outputs(folder: Path, seen: Seen | None = None) -> dict[str, Output]:
    """By their path in the folder, with `/` between the parts and sorted, the SHA-256 in hex and the size in bytes of its data files. OSError."""
    return {name: _output(name, folder / name, seen if seen is not None else {}) for name in names(folder)}


def names(folder: Path) -> list[str]:
    """The paths of the data files in a build folder, sorted."""
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in inside if path.as_posix() not in TELLING and not any(part.startswith(TEMPORARY) for part in path.parts))


def _output(name: str, path: Path, seen: Seen) -> Output:
    found = path.stat()
    key = name, found.st_ino, found.st_size, found.st_mtime_ns
    if key not in seen:
        with path.open("rb") as file:
            seen[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": seen[key], "bytes": found.st_size}

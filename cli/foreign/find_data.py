"""Where the rows of an imported dataset are: files here, a place on the hub, or nowhere yet. Reads no row."""

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .draft import Dataset

KINDS = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".jsonl.zst", ".parquet", ".arrow", ".csv")
_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """`files` that are here, or the `pattern` that a corpus is to scan: a remote one, or where files are missing."""

    files: tuple[Path, ...] = ()
    pattern: str = ""
    remote: bool = False


def hub(id: str, files: Sequence[str], subset: str | None, split: str | None, revision: str | None, remarks: list[str], *, bare: bool = False) -> str | None:
    """The pattern of a dataset on the Hugging Face hub: its own files, else those that the hub keeps of every dataset as Parquet. None where it is no name of one, which has two parts unless
    it is known to be one (`bare`)."""
    if not _ID.fullmatch(id) and not (bare and _ID.fullmatch(f"datasets/{id}")):
        return None
    name, _, part = (split or "train").partition("[")
    if part:
        remarks.append(f"of the split only `[{part}` is meant there; mixc reads it whole: `sample` or `where` makes it less")
    at = f"@{revision}" if revision else ""
    if files:
        if len(files) > 1:
            remarks.append(f"it has {len(files)} files there, of which a corpus names one pattern: {', '.join(files)}")
        return f"hf://datasets/{id}{at}/{files[0]}"
    if revision:
        remarks.append(f"revision `{revision}` is meant there; what is scanned here is the hub's Parquet copy of the newest")
    return f"hf://datasets/{id}@~parquet/{subset or 'default'}/{name}/*.parquet"


def find_data(dataset: Dataset) -> Place:
    """Files here come first, as they do for the trainers."""
    if dataset.remote:
        return Place(pattern=dataset.paths[0], remote=True)
    for base in dict.fromkeys((*dataset.bases, ".")):
        found = [file for path in dataset.paths for file in _files(Path(base) / Path(path).expanduser())]
        if found:
            return Place(tuple(found))
    if dataset.hub is not None:
        return Place(pattern=dataset.hub, remote=True)
    return Place(pattern=str(Path(dataset.bases[0] if dataset.bases else ".") / dataset.paths[0]))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file() and file.name.lower().endswith(KINDS))
    if not path.exists() and glob.has_magic(str(path)):
        return [Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file()]  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [path] if path.is_file() else []


def seen_from(path: Path | str, folder: Path) -> str:
    """A path as a spec in `folder` writes it."""
    # Links on the way stay as they are named; only of `folder` the way up has to be the real one.
    return Path(os.path.relpath(Path(path).absolute(), folder.resolve())).as_posix()

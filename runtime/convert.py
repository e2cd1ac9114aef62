"""Rows of other trainers as JSON lines with `prompt` and `response`, one a row. Knows files and their kinds; no trainer, no spec."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from . import records
from .conversations import Pairs, Shape, pair, stands_alone
from .files import replace_atomic

KINDS = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".jsonl.zst", ".parquet", ".arrow", ".csv")
_FIRST = ("prompt", "response", "system")
_BLOCK = 1 << 20
_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder()


@dataclass(slots=True)
class Converted:
    """What became of the rows: `kept` were written, `left` out by reason. `systems`: those with a system text; `dropped`: columns of lists or objects."""

    kept: int = 0
    left: Counter[str] = field(default_factory=Counter)
    systems: int = 0
    dropped: set[str] = field(default_factory=set)


def readable(files: Sequence[Path], shape: Shape) -> bool:
    """Whether a corpus can scan the files as they are: rows of columns, in one file, and in every row one text asks and one answers. records.Unreadable."""
    if not isinstance(shape, Pairs) or len(files) != 1 or _is_list(files[0]) or files[0].suffix.lower() == ".csv":
        return False
    return (shape.query is None and shape.history is None) or all(stands_alone(row, shape) for row in rows_in(files[0]))


def convert(files: Sequence[Path], shape: Shape, target: Path) -> Converted:
    """Write the rows of `files` to `target`, in their order. Columns of plain values stay, under their names. records.Unreadable, Fault MIX0508."""
    done = Converted()

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as out:
            for path in files:
                for row in rows_in(path):
                    found = pair(row, shape)
                    if isinstance(found, str):
                        done.left[found] += 1
                        continue
                    done.kept += 1
                    out.write(_line(_row(row, found, shape, done)))

    replace_atomic(target, write)
    return done


def _line(row: dict[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character, which JSON can write and UTF-8 cannot
        text = json.dumps(row)
    return f"{text}\n"


def _row(row: dict[str, Any], found: tuple[str, str, str], shape: Shape, done: Converted) -> dict[str, Any]:
    made: dict[str, Any] = dict(zip(_FIRST[:2], found[:2], strict=True))
    if found[2]:
        done.systems += 1
    if shape.system or found[2]:
        made["system"] = found[2]
    for name, value in row.items():
        if name is None or name in made or name in shape.columns or name in _FIRST:  # None: what a line of CSV has beyond its columns
            continue
        if value is None or isinstance(value, str | int | float | bool):
            made[name] = value
        else:
            done.dropped.add(name)
    return made


def rows_in(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, by its name and its first character. records.Unreadable."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq", ".arrow", ".ipc", ".feather")):
        frame = pl.scan_parquet(path) if name.endswith((".parquet", ".pq")) else pl.scan_ipc(path)
        yield from records.collect(frame, str(path)).iter_rows(named=True)
    elif name.endswith(".csv"):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.DictReader(lines)
    elif _is_list(path):
        yield from _listed(path)
    else:
        yield from (row for _, row in records.records(str(path)))


def _is_list(path: Path) -> bool:
    """Whether a file is one JSON list, whatever its name."""
    if not path.name.lower().endswith((".json", ".jsonl", ".ndjson")):
        return False
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def _listed(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of one JSON list, a block of text in memory at a time."""
    with path.open(encoding="utf-8-sig") as file:
        while file.read(1) != "[":
            pass
        text, at, size, number = "", 0, _BLOCK, 0
        while True:
            at = _past(text, at, also=",")
            if text[at : at + 1] == "]":
                return
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                more = file.read(size)
                if not more:
                    said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                    raise records.Unreadable(f"entry {number + 1:,} of `{path}` is not JSON: {said}", "mend it, or fetch the file again") from None
                text, at, size = text[at:] + more, 0, 2 * size  # an entry longer than what was read: twice as much, so that it is not tried again and again
                continue
            number += 1
            if not isinstance(value, dict):
                raise records.Unreadable(f"entry {number:,} of `{path}` is not a JSON object", 'write each row as {"name": value, …}')
            yield value
            at = end
            if at > _BLOCK:
                text, at = text[at:], 0


def _past(text: str, at: int, also: str) -> int:
    while at < len(text) and text[at] in _SPACE + also:
        at += 1
    return at

"""The columns of a data file and their types, read without Polars so that `check` stays quick. Knows no spec.

Of Parquet only the schema at the end of the file is read (Thrift's compact protocol), of JSON lines the first rows.
"""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROWS = 100
_LINES = (".jsonl", ".ndjson", ".json")
_KINDS: dict[type, str] = {str: "text", bool: "bool", int: "number", float: "number", list: "list", dict: "opaque"}


def read_columns(path: str) -> dict[str, str] | str | None:
    """Column to type (text number bool list opaque other), a str that says what is wrong with the file, or None where only a run can tell.

    `opaque` are dates, times and structures, which no clause reads; `other` is what only a run can tell, such as a column whose first rows
    do not agree or are null.
    """
    name = path.lower()
    if "://" in path or name.endswith((".zst", ".arrow", ".ipc", ".feather")):
        return None
    try:
        if name.endswith((".parquet", ".pq")):
            return _parquet(Path(path))
        if name.removesuffix(".gz").endswith(_LINES):
            return _json_lines(Path(path))
    except OSError as error:
        return error.strerror.lower() if error.strerror else "it is not what its name says"
    except (EOFError, zlib.error):
        return "its compressed data is damaged or cut short"
    return "it is of no kind that can be read; name .parquet, .jsonl, .jsonl.gz, .jsonl.zst or .arrow files"


def _json_lines(path: Path) -> dict[str, str] | str | None:
    kinds: dict[str, set[str]] = {}
    rows = 0
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                return f"line {number} is not UTF-8"
            except (ValueError, RecursionError) as error:
                if number == 1 and line.lstrip().startswith(b"["):
                    return "it is one JSON list, not a row a line"
                return f"line {number} is not JSON: {error.msg if isinstance(error, json.JSONDecodeError) else error}"
            if not isinstance(row, dict):
                listed = number == 1 and isinstance(row, list)
                return "it is one JSON list, not a row a line" if listed else f"line {number} is not a JSON object"
            for key, value in row.items():
                kinds.setdefault(key, set()).update(() if value is None else (_KINDS.get(type(value), "other"),))
            rows += 1
            if rows == _ROWS:
                break
    return {name: kind.pop() if len(kind) == 1 else "other" for name, kind in kinds.items()} if rows else None


def _parquet(path: Path) -> dict[str, str] | str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 8))
        tail = file.read(8)
        if size < 12 or head not in (b"PAR1", b"PARE") or tail[4:] not in (b"PAR1", b"PARE"):
            return "it is empty" if not size else "it is not a whole Parquet file"
        if tail[4:] == b"PARE":
            return "it is an encrypted Parquet file"
        length = int.from_bytes(tail[:4], "little")
        if length > size - 12:
            return "the end of the Parquet file is damaged"
        file.seek(size - 8 - length)
        footer = file.read(length)
    try:
        return _columns(_schema(_Reader(footer)))
    except (ValueError, IndexError, UnicodeDecodeError):
        return "the end of the Parquet file is damaged"


@dataclass(frozen=True, slots=True)
class _Element:
    """One node of a Parquet schema, which stands depth first; `kind` is the physical type, None for a group."""

    name: str
    kind: int | None
    repeated: bool
    children: int
    converted: int | None
    logical: int | None


def _schema(reader: "_Reader") -> list[_Element]:
    for field, type in reader.fields():
        if field == 2 and type == 9:
            return [_element(reader) for _ in range(reader.list_header(12))]
        reader.skip(type)
    raise ValueError("no schema")


def _element(reader: "_Reader") -> _Element:
    found: dict[int, Any] = {}
    for field, type in reader.fields():
        if field == 10 and type == 12:
            for logical, inner in reader.fields():
                found[10] = logical
                reader.skip(inner)
        elif type in (4, 5, 6):
            found[field] = reader.integer()
        elif type == 8:
            found[field] = reader.bytes()
        else:
            reader.skip(type)
    kind = None if found.get(5) else found.get(1)
    if not isinstance(found.get(4), bytes) or not all(isinstance(found.get(i, 0), int) for i in (1, 3, 5, 6)):
        raise ValueError("no name")
    return _Element(found[4].decode(), kind, found.get(3) == 2, found.get(5) or 0, found.get(6), found.get(10))


def _columns(schema: list[_Element]) -> dict[str, str]:
    columns: dict[str, str] = {}
    at = 1
    for _ in range(schema[0].children):
        columns[schema[at].name] = _kind(schema[at])
        at = _after(schema, at)
    if at != len(schema):
        raise ValueError("elements left over")
    return columns


def _after(schema: list[_Element], at: int) -> int:
    """The index behind the whole of an element, its children included."""
    left = 1
    while left:
        left += schema[at].children - 1
        at += 1
    return at


def _kind(element: _Element) -> str:
    """Physical: BOOLEAN 0, numbers 1 2 4 5, INT96 3 (a time), BYTE_ARRAY 6. Converted: UTF8 0, LIST 3, ENUM 4, DECIMAL 5, dates and times 6 to 10,
    integers 11 to 18. Logical: STRING 1, LIST 3, ENUM 4, DECIMAL 5, dates and times 6 to 8, INTEGER 10, FLOAT16 15.
    """
    converted, logical = element.converted, element.logical
    if element.repeated or (element.kind is None and (converted == 3 or logical == 3)):
        return "list"
    if element.kind in (None, 3) or converted in range(6, 11) or logical in range(6, 9):
        return "opaque"
    if element.kind == 0:
        return "bool"
    if converted == 5 or logical in (5, 15):
        return "number"
    if element.kind in (1, 2, 4, 5):
        plain = converted is None or 11 <= converted <= 18
        return "number" if plain and logical in (None, 10) else "other"
    if element.kind == 6 and (converted in (0, 4) or logical in (1, 4)):
        return "text"
    return "other"


class _Reader:
    """Thrift's compact protocol over bytes; ValueError or IndexError where they are none. Keeps its position."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("a number without end")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def bytes(self) -> bytes:
        length = self.varint()
        if length > len(self.data) - self.at:
            raise ValueError("a text beyond the end")
        self.at += length
        return self.data[self.at - length : self.at]

    def list_header(self, wanted: int | None = None) -> int:
        """The number of elements of a list, which must be of type `wanted`."""
        head = self.byte()
        size = head >> 4 if head >> 4 < 15 else self.varint()
        if size > len(self.data) - self.at or (wanted is not None and head & 15 != wanted):
            raise ValueError("a list beyond the end")
        return size

    def fields(self):
        """Field id and type of each field of a struct; whoever iterates reads or skips the value before going on."""
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.integer()
            yield field, head & 15

    def skip(self, type: int, depth: int = 0) -> None:
        """Pass over a value. Types: 1 and 2 booleans, 3 byte, 4 to 6 integers, 7 double, 8 bytes, 9 list, 10 set, 11 map, 12 struct."""
        if depth > 32:
            raise ValueError("too deep")
        match type:
            case 1 | 2:
                pass
            case 3:
                self.byte()
            case 4 | 5 | 6:
                self.varint()
            case 7:
                self.at += 8
            case 8:
                self.bytes()
            case 9 | 10:
                kind = self.data[self.at] & 15
                for _ in range(self.list_header()):
                    self.skip(3 if kind in (1, 2) else kind, depth + 1)
            case 11:
                if size := self.varint():
                    kinds = self.byte()
                    for _ in range(size):
                        self.skip(kinds >> 4, depth + 1)
                        self.skip(kinds & 15, depth + 1)
            case 12:
                for _, inner in self.fields():
                    self.skip(inner, depth + 1)
            case _:
                raise ValueError(f"no type {type}")

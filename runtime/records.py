"""Files of rows as lazy frames: Parquet, JSON lines (.gz, .zst) and Arrow, by pattern. Knows nothing of corpora or stages.

Every column is a text, an integer, a number, true and false, or a list of texts; a `row` column counts from 1 (for JSON
lines the line).
"""

import glob
import gzip
import json
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from . import lazy
from .unsaid import unsaid

_LINES = (".jsonl", ".ndjson", ".json")
_CHUNK = 20_000
_KINDS = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64, list: pl.List(pl.String)}
_WORDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


class Unreadable(Exception):
    """A file that cannot be read, with the place in it; `help` says what to do. `type` is true if its columns are at fault."""

    def __init__(self, message: str, help: str | None = None, *, type: bool = False) -> None:
        super().__init__(message)
        self.help = help
        self.type = type


def find(path: str) -> list[str]:
    """The files that a path or pattern names, sorted; a remote one as it stands. Unreadable if there is none."""
    if is_remote(path):
        return [path]
    if Path(path).is_dir():
        raise Unreadable(f"`{path}` is a folder", f"name its files: `{path.rstrip('/')}/*.parquet`")
    if Path(path).is_file():
        return [path]
    found = sorted(name for name in glob.glob(path, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not found:
        raise Unreadable(f"no file matches `{path}`", "correct the path, which is relative to the spec that names it")
    return found


def is_remote(path: str) -> bool:
    """Whether a path is a URL, which Polars opens by itself."""
    return "://" in path


def has_columns(path: str) -> bool:
    """Whether a column of the file can be read without the others: not of JSON lines, nor of a stream of Arrow."""
    if is_lines(path):
        return False
    if is_remote(path) or not path.lower().endswith((".arrow", ".ipc", ".feather")):
        return True
    with Path(path).open("rb") as file:
        return file.read(6) == b"ARROW1"


def is_lines(path: str) -> bool:
    """Whether a file holds JSON lines, by its name."""
    return path.removesuffix(".gz").removesuffix(".zst").lower().endswith(_LINES)


def scan(path: str, names: Sequence[str]) -> pl.LazyFrame:
    """The columns `names` of one file and `row`. Unreadable for a bad file, a column that is not there or of a type we do not read.

    What only collecting shows to be bad comes as an exception of Polars: collect with `collect`.
    """
    if is_lines(path):
        return _scan_lines(path, names)
    frame, schema = _opened(path)
    if missing := [name for name in names if name not in schema]:
        raise _no_column(path, missing[0], schema.names())
    return frame.with_row_index("row", offset=1).select(
        *(_plain(path, name, schema[name]).alias(name) for name in names), pl.col("row").cast(pl.Int64)
    )


def column_names(path: str) -> list[str]:
    """The columns of a file that is not of JSON lines. Unreadable if it cannot be opened."""
    return _opened(path)[1].names()


def collect(frame: pl.LazyFrame, path: str) -> pl.DataFrame:
    """The rows of a frame that reads `path`. Unreadable if they cannot be read."""
    with reading(path):
        return lazy.collect(frame, f"read {path}")


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn what Polars raises of a bad file into Unreadable."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise _broken(path, error) from error


def records(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines with their line numbers, blank lines left out. Unreadable at the first bad line."""
    for number, line in _numbered_lines(path):
        text = ""
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8") if isinstance(line, bytes) else line
            if not text.strip():
                continue
            value = json.loads(text)
            if isinstance(value, dict):
                yield number, value
                continue
        except UnicodeDecodeError as error:
            raise Unreadable(f"line {number} of `{path}` is not UTF-8", "save the file as UTF-8") from error
        except (ValueError, RecursionError) as error:
            if number == 1 and text.lstrip().startswith("["):
                raise _one_document(path) from error
            what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise Unreadable(f"line {number} of `{path}` is not JSON: {what}", f"mend line {number}") from error
        if isinstance(value, list) and number == 1:
            raise _one_document(path)
        raise Unreadable(f"line {number} of `{path}` is not a JSON object", 'write each row as {"name": value, …}')


def _one_document(path: str) -> Unreadable:
    return Unreadable(f"`{path}` is one JSON list, not a row a line", f"turn it into lines: `jq -c '.[]' {path} > rows.jsonl`")


def _numbered_lines(path: str) -> Iterator[tuple[int, bytes | str]]:
    try:
        if is_remote(path) or path.endswith(".zst"):
            yield from enumerate(pl.read_lines(path, glob=is_remote(path)).to_series(), 1)
        else:
            with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
                yield from enumerate(file, 1)
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, pl.exceptions.PanicException) as error:
        raise _broken(path, error) from error


def _scan_lines(path: str, names: Sequence[str]) -> pl.LazyFrame:
    kinds: dict[str, tuple[type, int]] = {}
    chunks = list(_chunks(path, names, kinds))
    return pl.concat(_frame(chunk, names, kinds) for chunk in chunks).lazy()


def write_table(path: str, names: Sequence[str], target: Path) -> None:
    """The columns `names` and `row` of a file that cannot be read by column, as Parquet at `target`, a chunk at a time. Raises as `scan` does.

    Read back with `pl.scan_parquet` they are what `scan` gives. While it is written, parts of it lie beside `target`.
    """
    if not is_lines(path):
        scan(path, names).sink_parquet(target)
        return
    kinds: dict[str, tuple[type, int]] = {}
    parts: list[Path] = []
    for number, chunk in enumerate(_chunks(path, names, kinds)):
        parts.append(target.with_name(f"{target.name}.{number}"))
        _frame(chunk, names, kinds).write_parquet(parts[-1])
    types = {name: _type(name, kinds) for name in names}  # now that the last line was seen
    whole = [pl.scan_parquet(part, glob=False).with_columns(pl.col(name).cast(dtype) for name, dtype in types.items()) for part in parts]
    pl.concat(whole).sink_parquet(target)
    for part in parts:
        part.unlink()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some rows of a file of JSON lines: their line numbers, and the values of each column."""

    rows: list[int]
    values: dict[str, list[Any]]


def _chunks(path: str, names: Sequence[str], kinds: dict[str, tuple[type, int]]) -> Iterator[_Chunk]:
    """The values of `names`, a chunk at a time, an empty one last; what type each column has so far is noted in `kinds`."""
    chunk = _Chunk([], {name: [] for name in names})
    seen: set[str] = set()
    empty = True
    for number, record in records(path):
        empty = False
        chunk.rows.append(number)
        seen.update(record.keys() & chunk.values.keys())
        for name in names:
            value = record.get(name)
            if value is not None:
                _check(path, number, name, value, kinds)
            chunk.values[name].append(value)
        if len(chunk.rows) == _CHUNK:
            yield chunk
            chunk = _Chunk([], {name: [] for name in names})
    yield chunk
    if not empty and (missing := [name for name in names if name not in seen]):
        known = list(dict.fromkeys(key for _, (_, record) in zip(range(100), records(path), strict=False) for key in record))
        raise _no_column(path, missing[0], known)


def _frame(chunk: _Chunk, names: Sequence[str], kinds: dict[str, tuple[type, int]]) -> pl.DataFrame:
    values = pl.DataFrame(chunk.values, schema={name: _type(name, kinds) for name in names}, strict=False)
    return values.with_columns(pl.Series("row", chunk.rows, dtype=pl.Int64))


def _type(name: str, kinds: dict[str, tuple[type, int]]) -> Any:
    return _KINDS[kinds[name][0]] if name in kinds else pl.Null


def _check(path: str, number: int, name: str, value: Any, kinds: dict[str, tuple[type, int]]) -> None:
    """Note the type of a value; Unreadable if the column held another type before, or we do not read it."""
    kind = type(value)
    if kind is dict or (kind is list and not all(isinstance(v, str) for v in value)):
        raise Unreadable(
            f"column `{name}` on line {number} of `{path}` holds {_WORDS[kind]}{'' if kind is dict else ' of other things than texts'}",
            "a column holds texts, numbers, true and false, or lists of texts", type=True,
        )  # fmt: skip
    if kind is int and not -(2**63) <= value < 2**63:
        raise Unreadable(f"column `{name}` on line {number} of `{path}` has a number beyond 64 bits", type=True)
    if kind is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Unreadable(f"column `{name}` on line {number} of `{path}` has half a surrogate pair", f"mend line {number}") from error
    before = kinds.setdefault(name, (kind, number))
    if before[0] is kind:
        return
    if {before[0], kind} == {int, float}:
        kinds[name] = (float, before[1])
        return
    raise Unreadable(
        f"column `{name}` of `{path}` holds {_WORDS[before[0]]} on line {before[1]} and {_WORDS[kind]} on line {number}",
        "give the column one type", type=True,
    )  # fmt: skip


def _opened(path: str) -> tuple[pl.LazyFrame, pl.Schema]:
    try:
        with warnings.catch_warnings(action="ignore"):  # what a store's address lacks, if anything, is told by the error
            frame = _open(path)
            # Once its own schema was asked for, Polars counts the rows of a frame outside the scan, and reads all of a file for some of its rows.
            return frame, frame.select(pl.all()).collect_schema()
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise _broken(path, error) from error


def _open(path: str) -> pl.LazyFrame:
    ending = path.lower().rsplit(".", 1)[-1]
    if ending in ("parquet", "pq"):
        return pl.scan_parquet(path, glob=is_remote(path))
    if ending in ("arrow", "ipc", "feather"):
        if not has_columns(path):
            return pl.read_ipc_stream(path).lazy()
        return pl.scan_ipc(path, glob=is_remote(path))
    raise Unreadable(f"`{path}` is of no kind that can be read", "name .parquet, .jsonl, .jsonl.gz, .jsonl.zst or .arrow files")


def _plain(path: str, name: str, dtype: pl.DataType) -> pl.Expr:
    """The column in one of the types that we read."""
    if dtype == pl.String or dtype == pl.Boolean or dtype == pl.Null:
        return pl.col(name)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.col(name).cast(pl.String)
    if dtype.is_integer():
        return pl.col(name).cast(pl.Int64)
    if dtype.is_numeric():
        return pl.col(name).cast(pl.Float64).fill_nan(None)
    if isinstance(dtype, pl.List | pl.Array) and isinstance(dtype.inner, pl.String | pl.Categorical | pl.Enum):
        return pl.col(name).cast(pl.List(pl.String))
    raise Unreadable(
        f"column `{name}` of `{path}` holds values of type {dtype}",
        "a column holds texts, numbers, true and false, or lists of texts", type=True,
    )  # fmt: skip


def _no_column(path: str, name: str, known: Sequence[str]) -> Unreadable:
    shown = ", ".join(f"`{column}`" for column in known[:16])
    return Unreadable(f"`{path}` has no column `{name}`", f"its columns are {shown}" if shown else None, type=True)


def _broken(path: str, error: BaseException) -> Unreadable:
    if isinstance(error, OSError) and error.strerror:
        return Unreadable(f"`{path}` cannot be read: {error.strerror.lower()}")
    what = unsaid(str(error)).strip().splitlines()
    return Unreadable(f"`{path}` cannot be read: {what[0] if what else type(error).__name__}", "write the file again, or leave it out of the pattern")

"""The files of a corpus as lazy frames of one type, each with the ids of its rows, which are worked out once. Knows roles and the corpus's own `where`."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from ..compiler.backends.polars import expression, in_words, refuse
from ..compiler.expressions import columns
from ..compiler.plan.stages import Scan
from . import kept_rows, records
from .files import remove, writing
from .identity import ROW as NAMING
from .identity import digest, short_digest
from .needs import read
from .rows import part_of
from .scratch import Scratch
from .store import Store
from .texts import CHARACTERS, FILE, PROMPT, REFERENCE, ROW, TEXTS, File, Texts

T = TypeVar("T")

NARROW = ("prompt_id", "corpus", "teacher_value", "license")
_GROUP = 50_000
BLANK = {"prompt": "mixc:prompt:blank", "response": "mixc:response:blank"}


@dataclass(frozen=True, slots=True)
class Opened:
    """One file: what can be read of it, its number, and lazily one row for each of its rows, in its order."""

    file: File
    number: int
    ids: pl.LazyFrame


def open_files(scan: Scan, texts: Texts, store: Store | None) -> list[Opened]:
    """The files of a corpus, checked as far as can be without reading them. Unreadable where one cannot be read, or has a column of the wrong type.

    `ids` have row_id, `mixc:prompt`, `mixc:reference` if it has that role, the characters of prompt and response and whether each is blank.
    """
    names = _columns_of(scan)
    paths = records.find(scan.path)
    needed = sorted(set(names.values()))
    states = [kept_rows.file_state(path) for path in paths]
    tables = [kept_rows.Table(path, needed, kept_rows.settled(path), store) for path in paths]
    named = [pl.col(column).alias(name) for name, column in names.items()]
    schema = _one_schema([table.read(lambda columns: columns.select(named).collect_schema()) for table in tables], paths, names)
    _check_roles(schema, scan)
    cast = [pl.col(name).cast(dtype) for name, dtype in schema.items()]

    def typed(columns: pl.LazyFrame) -> pl.LazyFrame:
        return columns.select(*named, "row").with_columns(cast).with_columns(_added(scan, schema))

    opened: list[Opened] = []
    for path, table, now in zip(paths, tables, states, strict=True):
        file = File(path, scan.corpus, scan.span, table, typed, now)
        ids = file.read(lambda frame, table=table: kept_rows.ids(table, frame.select(_ids(scan)), _about(scan, schema)))
        opened.append(Opened(file, texts.open(file), ids))
    return opened


def height(opened: list[Opened]) -> int:
    """How many rows the files have."""
    return sum(int(one.ids.select(pl.len()).collect().item()) for one in opened)


def rows_of(opened: list[Opened], scan: Scan, needed: Collection[str]) -> pl.DataFrame:
    """The rows of the files that the corpus's `where` keeps, with those of its texts that are `needed`.

    Unreadable if one cannot be read, Fault MIX0529 if one changed meanwhile, MIX0311 and MIX0502 of the `where`.
    """
    return pl.concat([_made(one, scan, needed, lambda rows, path: records.collect(rows, path)) for one in opened])


def parts_of(opened: list[Opened], scan: Scan, needed: Collection[str], parts: int, scratch: Scratch) -> Iterator[pl.DataFrame]:
    """The same rows, put on disk by their prompts first and given part by part. Raises as `rows_of`."""
    name = PROMPT if scan.roles.id is None else "prompt_id"

    def sink(rows: pl.LazyFrame, path: str) -> Path:
        folder = scratch.new("read")
        by = pl.PartitionBy(folder, key={"part": part_of(parts, name)}, include_key=False)
        with records.reading(path), writing(folder):
            rows.sink_parquet(by, compression="lz4", statistics=False, row_group_size=_GROUP, mkdir=True)
        return folder

    folders = [_made(one, scan, needed, sink) for one in opened]
    for part in range(parts):
        found = [folder / f"part={part}" for folder in folders if (folder / f"part={part}").is_dir()]
        schema = _made(opened[0], scan, needed, lambda rows, _: rows.collect_schema())
        frames = [pl.read_parquet(sorted(place.rglob("*.parquet")), hive_partitioning=False) for place in found]
        yield pl.concat([pl.DataFrame(schema=schema), *(frame.select(schema.names()) for frame in frames)])
        for place in found:
            remove(place)


def _made(one: Opened, scan: Scan, needed: Collection[str], run: Callable[[pl.LazyFrame, str], T]) -> T:
    """What `run` makes of the rows of one file; it may run twice."""
    where = scan.where.condition if scan.where else None
    wanted = read(where) if where else frozenset()
    schema = one.file.read(pl.LazyFrame.collect_schema)
    mine = {*NARROW, *needed, *(f"column:{name}" for name in scan.columns)}
    kept = [name for name in schema.names() if name in mine]
    if where and scan.where:
        refuse(where, schema, scan.where.span)
    passing = expression(where, schema) if where else None
    said = [name for name in (one_id.meta.output_name() for one_id in _ids(scan)) if name != "row_id"]

    def joined(frame: pl.LazyFrame, ids: pl.LazyFrame) -> T:
        narrow = frame.select(*kept, *(n for n in schema.names() if n in wanted and n not in kept), pl.col("row").alias(ROW))
        rows = pl.concat([narrow, ids], how="horizontal")
        rows = rows if passing is None else rows.filter(passing)
        return run(rows.select(*_ordered(kept), pl.lit(one.number, pl.UInt32).alias(FILE), ROW, *said), one.file.path)

    def found(frame: pl.LazyFrame) -> T:
        try:
            return joined(frame, one.ids)
        except records.Unreadable:  # it may be the ids that are gone
            return joined(frame, frame.select(_ids(scan)))

    made = one.file.read(found)
    one.file.refuse_changed()
    return made


def _ordered(kept: list[str]) -> list[str]:
    """The columns as a frame has them: what is known of a row, then its texts, then the corpus's own."""
    first = [name for name in ("prompt_id", "corpus", *TEXTS[:3], "teacher_value", "license") if name in kept]
    return ["row_id", *first, *(name for name in kept if name not in first)]


def _ids(scan: Scan) -> list[pl.Expr]:
    """What is worked out of a file's texts."""
    reference = [short_digest("reference").alias(REFERENCE)] if scan.roles.reference else []
    counted = [pl.col(role).str.len_chars().cast(pl.UInt32).alias(name) for role, name in CHARACTERS.items()]
    blank = [(pl.col(role).str.strip_chars() == "").fill_null(value=False).alias(name) for role, name in BLANK.items()]
    return [digest(*NAMING).alias("row_id"), digest("prompt").alias(PROMPT), *reference, *counted, *blank]


def _about(scan: Scan, schema: dict[str, pl.DataType]) -> dict[str, object]:
    """All that the ids of a file depend on beside its content."""
    roles = {name: column for name, column in asdict(scan.roles).items() if name in ("prompt", "response", "teacher", "reference")}
    return {"roles": roles, "corpus": None if scan.roles.teacher else scan.corpus, "reference": str(schema.get("reference"))}


def _columns_of(scan: Scan) -> dict[str, str]:
    """The frame's names of the columns that are read, and theirs in the files."""
    roles = scan.roles
    given = {
        "prompt": roles.prompt, "response": roles.response, "reference": roles.reference, "prompt_id": roles.id,
        "teacher_value": roles.teacher, "license": roles.license,
    }  # fmt: skip
    found = {name: column for name, column in given.items() if column is not None}
    where = columns(scan.where.condition) if scan.where else ()
    own = sorted({*scan.columns, *(c.name for c in where if c.source == "column")})
    return found | {f"column:{name}": name for name in own}


def _one_schema(schemas: list[pl.Schema], paths: list[str], names: dict[str, str]) -> dict[str, pl.DataType]:
    """The type of each column over all files: nulls take any, integers become numbers; other differences are faults."""
    whole: dict[str, pl.DataType] = dict.fromkeys(names, pl.Null())
    first: dict[str, str] = {}
    for schema, path in zip(schemas, paths, strict=True):
        for name in names:
            a, b = whole[name], schema[name]
            if b == pl.Null or a == b:
                continue
            if a == pl.Null:
                whole[name], first[name] = b, path
            elif a.is_numeric() and b.is_numeric():
                whole[name] = pl.Float64()
            else:
                message = f"column `{names[name]}` holds {in_words(a)} in `{first[name]}` and {in_words(b)} in `{path}`"
                raise records.Unreadable(message, "give the column one type in all files", type=True)
    return {name: pl.String() if dtype == pl.Null else dtype for name, dtype in whole.items()}


def _check_roles(schema: dict[str, pl.DataType], scan: Scan) -> None:
    for role, name, allowed in (
        ("prompt", "prompt", "texts"), ("response", "response", "texts"), ("teacher", "teacher_value", "texts"),
        ("license", "license", "texts"), ("id", "prompt_id", "texts or integers"), ("reference", "reference", "texts or numbers"),
    ):  # fmt: skip
        dtype = schema.get(name)
        numeric = (role == "id" and dtype.is_integer()) or (role == "reference" and dtype.is_numeric()) if dtype else False
        fits = dtype is None or dtype == pl.String or numeric
        if not fits:
            assert dtype is not None
            help = "lists of messages are not read: give prompt and response a column each" if isinstance(dtype, pl.List) else None
            message = f"column `{getattr(scan.roles, role)}` holds {in_words(dtype)}, but `{role}` must hold {allowed}"
            raise records.Unreadable(message, help, type=True)


def _added(scan: Scan, schema: dict[str, pl.DataType]) -> list[pl.Expr]:
    """What a file does not hold, and numbers as texts where a role is a text."""
    added = [pl.lit(scan.corpus).alias("corpus")]
    if scan.roles.teacher is None:
        added.append(pl.lit(scan.corpus).alias("teacher_value"))
    if scan.roles.id is not None:
        added.append(pl.col("prompt_id").cast(pl.String))
    if scan.roles.reference is None:
        added.append(pl.lit(None, dtype=pl.String).alias("reference"))
    elif schema["reference"].is_numeric():
        added.append(_decimal(pl.col("reference"), schema["reference"]))
    return added


def _decimal(number: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as text: `43` for 43 and 43.0 alike, else the fewest digits that give the number back."""
    if dtype.is_integer():
        return number.cast(pl.String)
    whole = (number == number.round(0)) & (number.abs() < 2**53)
    return pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))

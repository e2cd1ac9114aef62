"""Columns are read without Polars, and must be what Polars and pyarrow wrote; garbage gives a text, never an exception."""

import datetime
import decimal
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mixc.cli.columns import read_columns

VALUES = {
    "text": (["a", None, "ß"], "text"), "whole": ([1, None, 3], "number"), "real": ([1.5, None, 3.0], "number"), "flag": ([True, None, False], "bool"),
    "texts": ([["a"], [], None], "list"), "lists": ([[["a"]], [], None], "list"), "object": ([{"a": 1, "b": ["x"]}] * 3, "opaque"),
    "objects": ([[{"role": "user"}], [], None], "list"), "day": ([datetime.date(2024, 1, 1)] * 3, "opaque"), "time": ([datetime.datetime(2024, 1, 1)] * 3, "opaque"),
    "clock": ([datetime.time(1)] * 3, "opaque"), "money": ([decimal.Decimal("1.50")] * 3, "number"), "blob": ([b"a"] * 3, "other"), "a name with – spaces": (["a"] * 3, "text"),
    "last": (["z"] * 3, "text"),
}  # fmt: skip
EXPECTED = {name: kind for name, (_, kind) in VALUES.items()}


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed"])
def test_columns_of_a_file_that_polars_wrote(tmp_path, compression):
    frame = pl.DataFrame({name: values for name, (values, _) in VALUES.items()})
    extra = [pl.col("whole").cast(t).alias(str(t)) for t in (pl.Int8, pl.UInt8, pl.Int16, pl.UInt16, pl.Int32, pl.UInt32, pl.UInt64, pl.Float32)]
    frame = frame.with_columns(*extra, cat=pl.col("text").cast(pl.Categorical), void=pl.lit(None))
    frame.write_parquet(tmp_path / "a.parquet", compression=compression)
    kinds = EXPECTED | {str(e.meta.output_name()): "number" for e in extra} | {"cat": "text", "void": "other"}
    assert read_columns(str(tmp_path / "a.parquet")) == kinds


@pytest.mark.parametrize("options", [{}, {"compression": "none", "use_dictionary": False}, {"compression": "gzip", "version": "1.0"}, {"data_page_version": "2.0"}])
def test_columns_of_a_file_that_pyarrow_wrote(tmp_path, options):
    table = pa.table({name: values for name, (values, _) in VALUES.items()})
    for name, type in (("dictionary", pa.dictionary(pa.int32(), pa.string())), ("large", pa.large_string()), ("fixed", pa.binary(2)), ("half", pa.float16())):
        values = pa.array([1.0] * 3, pa.float16()) if name == "half" else pa.array(["ab"] * 3).cast(type) if name != "fixed" else pa.array([b"ab"] * 3, type)
        table = table.append_column(name, values)
    table = table.append_column("pairs", pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64())))
    pq.write_table(table, tmp_path / "a.parquet", **options)
    assert read_columns(str(tmp_path / "a.parquet")) == EXPECTED | {"dictionary": "text", "large": "text", "fixed": "other", "half": "number", "pairs": "opaque"}


def test_a_file_of_a_thousand_columns(tmp_path):
    pl.DataFrame({f"c{i}": [i] for i in range(1000)}).write_parquet(tmp_path / "a.parquet")
    assert read_columns(str(tmp_path / "a.parquet")) == {f"c{i}": "number" for i in range(1000)}


def test_a_file_without_rows_has_columns(tmp_path):
    pl.DataFrame(schema={"a": pl.String}).write_parquet(tmp_path / "a.parquet")
    assert read_columns(str(tmp_path / "a.parquet")) == {"a": "text"}


def test_a_damaged_parquet_file_is_a_text_and_never_an_exception(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({name: values for name, (values, _) in VALUES.items()}).write_parquet(path)
    whole = path.read_bytes()
    for cut in (b"", b"PAR1", whole[:-1], whole[:100], whole[1:], b"PAR1" + b"\xff" * 40 + b"PAR1", whole[:-8] + b"\xff\xff\xff\xffPAR1"):
        path.write_bytes(cut)
        assert isinstance(read_columns(str(path)), str)
    draw = random.Random(1)
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    problems = 0
    for _ in range(1000):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 8)):
            damaged[draw.randrange(start, len(whole) - 4)] = draw.randrange(256)
        path.write_bytes(damaged)
        found = read_columns(str(path))
        problems += isinstance(found, str)
        assert isinstance(found, str | dict)
    assert problems > 100


@pytest.mark.parametrize("open_", [open, gzip.open])
def test_columns_of_json_lines(tmp_path, open_):
    path = tmp_path / ("a.jsonl" if open_ is open else "a.jsonl.gz")
    rows = [{"t": "a", "n": 1, "b": True, "l": ["x"], "o": {"a": 1}, "mixed": 1, "void": None}, {"t": None, "n": 1.5, "mixed": "x", "late": "y"}]
    with open_(path, "wt", encoding="utf-8") as file:
        file.write("\ufeff" + "\n\n".join(json.dumps(row) for row in rows))
    assert read_columns(str(path)) == {"t": "text", "n": "number", "b": "bool", "l": "list", "o": "opaque", "mixed": "other", "void": "other", "late": "text"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"), (b'{"a": "\xff"}', "line 1 is not UTF-8"), (b"[1, 2]", "one JSON list"), (b'[\n{"a": 1}\n]', "one JSON list"),
        (b'{"a": 1}\n3', "line 2 is not a JSON object"), (b"[" * 100_000, "one JSON list"),
    ],
)  # fmt: skip
def test_bad_json_lines_say_which_line(tmp_path, data, problem):
    (tmp_path / "a.jsonl").write_bytes(data)
    assert problem in str(read_columns(str(tmp_path / "a.jsonl")))


def test_what_only_a_run_can_tell_is_none(tmp_path):
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    for path in ("s3://bucket/a.parquet", "a.jsonl.zst", "a.arrow", str(tmp_path / "empty.jsonl")):
        assert read_columns(path) is None


def test_a_file_that_is_no_gzip_or_not_there_or_of_no_kind_is_a_text(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(b"plain")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 10)[:-12])
    (tmp_path / "a.csv").write_bytes(b"a,b")
    for name in ("a.jsonl.gz", "b.jsonl.gz", "a.csv", "missing.parquet"):
        assert isinstance(read_columns(str(tmp_path / name)), str)


def test_neither_polars_nor_pyarrow_is_imported():
    conftest = str(Path(__file__).parents[1] / "conftest.py")
    code = f"import runpy, sys; runpy.run_path({conftest!r}); import mixc.cli.columns; print({{'polars', 'pyarrow', 'numpy'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"

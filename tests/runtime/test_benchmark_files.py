"""Benchmarks by column mapping: JSON lines, packed ones and Parquet, skills and levels, and files that are wrong."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Benchmark
from mixc.compiler.source import Span
from mixc.runtime.benchmarks import Item, read_benchmark

SPAN = Span("a.mix", 10, 20)
RECORDS = [
    {"key": 7, "text": "What is 1 + 1?", "target": "2", "topics": ["Algebra->Sums", "Numbers"], "hardness": 3},
    {"key": 8, "text": "What is 2 + 2?", "target": "4", "topics": None, "hardness": None},
]
BLANK = {"problem": "b", "answer": "2", "skill": "", "level": ""}
COLUMNS = (("problem", "text"), ("answer", "target"), ("id", "key"), ("skill", "topics"), ("level", "hardness"))
ITEMS = [Item("7", "What is 1 + 1?", "2", ("Algebra->Sums", "Numbers"), "3"), Item("8", "What is 2 + 2?", "4")]


def written(folder: Path, kind: str, records: list[dict]) -> Benchmark:
    path, lines = folder / f"bench.{kind}", "".join(json.dumps(record) + "\n" for record in records)
    match kind:
        case "parquet":
            pl.DataFrame(records).write_parquet(path)
        case "jsonl.gz":
            path.write_bytes(gzip.compress(lines.encode()))
        case _:
            path.write_text(lines)
    return Benchmark(name="b", path=str(path), columns=COLUMNS, span=SPAN)


def fault(benchmark: Benchmark) -> str:
    with pytest.raises(Fault) as caught:
        read_benchmark(benchmark, 0)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "MIX0511" and diagnostic.primary is not None and diagnostic.primary.span == SPAN and diagnostic.help
    return f"{diagnostic.message} {diagnostic.help}"


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet"])
def test_fields_of_other_names_are_read_from_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    assert read_benchmark(written(tmp_path, kind, RECORDS), 0) == ITEMS


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_usual_names_need_no_mapping(tmp_path: Path, kind: str) -> None:
    records = [{"problem": "a", "answer": "1", "skill": "Algebra", "level": "hard", "unread": 1}, {**BLANK, "unread": 2}]
    place = "row" if kind == "parquet" else "line"
    assert read_benchmark(replace(written(tmp_path, kind, records), columns=()), 0) == [
        Item(f"{place} 1", "a", "1", ("Algebra",), "hard"), Item(f"{place} 2", "b", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_benchmark_without_answers_is_told_with_its_row(tmp_path: Path, kind: str) -> None:
    without = [{**record, "target": None if record["key"] == 8 else "2"} for record in RECORDS]
    assert "2 of" in (said := fault(written(tmp_path, kind, without))) and "no answer" in said
    nowhere = [{name: value for name, value in record.items() if name != "target"} for record in RECORDS]
    assert "no answer" in fault(written(tmp_path, kind, nowhere))


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_field_that_no_row_has_is_told(tmp_path: Path, kind: str) -> None:
    benchmark = replace(written(tmp_path, kind, RECORDS), columns=(*COLUMNS[:3], ("skill", "topic")))
    assert "`topic`" in (said := fault(benchmark)) and "skill" in said


def test_skills_that_are_no_texts_and_files_that_are_none_are_told(tmp_path: Path) -> None:
    assert "neither a text nor a list" in fault(written(tmp_path, "jsonl", [{**RECORDS[0], "topics": {"a": 1}}]))
    assert "does not exist" in fault(Benchmark(name="b", path=str(tmp_path / "none.parquet"), span=SPAN))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no parquet")
    assert "cannot be read" in fault(Benchmark(name="b", path=str(tmp_path / "broken.parquet"), span=SPAN))

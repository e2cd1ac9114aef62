"""Stages that read texts read those of rows that are still in, a few at a time, and find what they find in whole texts."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.plan.stages import Decontaminate, Dedup, Roles, Scan
from mixc.compiler.source import Span
from mixc.runtime import read_texts, records
from mixc.runtime.datasets import narrow, read
from mixc.runtime.decontaminate import decontaminate
from mixc.runtime.dedup import dedup
from mixc.runtime.events import ignore
from mixc.runtime.texts import CHARACTERS, Texts
from mixc.tests.project import rows

SPAN = Span("a.mix", 0, 5)
LONG = "A farmer has many boxes of apples in the barn and sells some of them each week at the market of the town. "


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    """Rows of 40 prompts, each of which stands twice with a word changed, in a Parquet file and one of JSON lines with empty lines in it."""
    made = rows(40)
    for row in made:
        row["question"] = f"{LONG}{row['question']}"
    again = [{**row, "prompt_id": f"b{row['prompt_id']}", "question": str(row["question"]).replace("farmer", "grower"), "answer": f"Well. {row['answer']}"} for row in made]
    again += [{**row, "prompt_id": f"c{row['prompt_id']}", "model": f"{row['model']} again"} for row in made[:9]]
    pl.DataFrame(made).write_parquet(tmp_path / "a.parquet", row_group_size=11)
    (tmp_path / "b.jsonl").write_text("\n\n".join(map(json.dumps, again)))
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps({"problem": row["question"]}) + "\n" for row in made[::13]) + json.dumps({"problem": made[5]["answer"]}))
    roles = Roles(prompt="question", response="answer", reference="gold", teacher="model", id="prompt_id")
    return Scan(id="scan:rows", corpus="rows", path=str(tmp_path / "[ab].*"), roles=roles, seed=1, span=SPAN)


def stages(folder: Path) -> list[Decontaminate | Dedup]:
    of = ("prompt", "response")
    clean = [Decontaminate(id="clean", inputs=(), against=(str(folder / "bench.jsonl"),), words=4, of=each, text="decontaminate", span=SPAN) for each in of]
    equal = [Dedup(id="equal", inputs=(), method="exact", of=each, threshold=None, text="dedup by exact", span=SPAN) for each in of]
    near = [Dedup(id="near", inputs=(), method="minhash", of=each, threshold=t, text="dedup by minhash", span=SPAN) for each in of for t in (0.5, 0.8)]
    return [*clean, *equal, *near]


def run(stage: Decontaminate | Dedup, frame: pl.DataFrame, texts: Texts) -> tuple[pl.DataFrame, dict[str, object], list[object]]:
    told: list[object] = []
    found, counts = decontaminate(stage, frame, texts, told.append) if isinstance(stage, Decontaminate) else dedup(stage, frame, texts, told.append)
    return found, counts, told


def dropped(frame: pl.DataFrame) -> pl.DataFrame:
    """Some rows of every third prompt are out already."""
    out = pl.col("prompt_id").str.tail(1).is_in(["0", "3", "6", "9"]) & (pl.col("teacher_value") != "tutor")
    return frame.with_columns(reason=pl.when(out).then(pl.lit("heldout: set aside")).otherwise("reason"))


@pytest.mark.parametrize("size", [7, 100_000])
@pytest.mark.parametrize("number", range(8))
def test_what_is_found_is_what_is_found_in_whole_texts(number: int, size: int, scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stages(tmp_path)[number]
    whole = run(stage, dropped(read(scan, ignore)), Texts())
    assert whole[0]["reason"].null_count() < dropped(read(scan, ignore))["reason"].null_count()
    monkeypatch.setattr(read_texts, "SLICE", size)
    monkeypatch.setattr(read_texts, "LONG", 40 * size)
    texts = Texts()
    frame = dropped(narrow(scan, (), texts, ignore))
    assert not {"prompt", "response"} & set(frame.columns)
    found = run(stage, frame, texts)
    assert found[1:] == whole[1:]
    assert found[0].columns == frame.columns and found[0].select("row_id", "reason").equals(whole[0].select("row_id", "reason"))


def test_only_the_texts_of_rows_that_are_still_in_are_read_and_few_at_a_time(scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_texts, "SLICE", 7)
    texts, asked = Texts(), []
    frame = dropped(narrow(scan, (), texts, ignore))
    add = Texts.add

    def watched(self: Texts, rows: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
        asked.append(rows)
        return add(self, rows, names)

    monkeypatch.setattr(Texts, "add", watched)
    for stage in stages(tmp_path):
        asked.clear()
        run(stage, frame, texts)
        assert max(part.height for part in asked) == 7
        owner = "prompt_id" if stage.of == "prompt" else "row_id"
        live = frame.filter(pl.col("reason").is_null())
        # each text once, for MinHash up to three times: its digest, its signature, its shingles
        first = live[owner].n_unique()
        read = pl.concat(part.select("row_id", "prompt_id") for part in asked)
        assert set(read["row_id"]) <= set(live["row_id"]) and read[: first][owner].n_unique() == first
        assert read.group_by(owner).len()["len"].max() <= (3 if getattr(stage, "method", "") == "minhash" else 1)


def test_some_rows_of_a_file_are_asked_for_where_it_is_scanned(scan: Scan, tmp_path: Path) -> None:
    some = records.scan(str(tmp_path / "a.parquet"), ["question"]).filter(pl.col("row").is_between(23, 33))
    assert some.collect()["row"].to_list() == list(range(23, 34))
    plan = some.explain()
    assert "ROW_INDEX: row" in plan and "SELECTION: " in plan, plan


def test_long_texts_are_read_fewer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [10, 10, 400, 10, 10, 10, None, 90, 5]
    frame = pl.DataFrame({"row_id": [str(i) for i in range(9)], "prompt": ["x"] * 9, CHARACTERS["prompt"]: sizes})
    monkeypatch.setattr(read_texts, "LONG", 100)
    parts = [part["row_id"].to_list() for part in read_texts.read_texts(frame, "prompt", Texts())]
    assert [row for part in parts for row in part] == [str(i) for i in range(9)] and len(parts) == 3
    assert parts[0] == ["0", "1"]
    assert list(read_texts.read_texts(frame.head(0), "prompt", Texts())) == []

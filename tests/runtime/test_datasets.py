"""Reading a corpus: every format gives the same rows, bad data is a fault that says where, and no order shows."""

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import blake3
import polars as pl
import pyarrow as pa
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.expressions import Column, Constant, Operation
from mixc.compiler.plan.stages import Heldout, Roles, Scan, Where
from mixc.compiler.source import Span
from mixc.runtime.datasets import read, read_heldout
from mixc.runtime.events import ignore
from mixc.tests.runtime.frames import union

SPAN, WHERE_SPAN = Span("a.mix", 0, 5), Span("a.mix", 9, 12)
ROLES = Roles(prompt="q", response="a", reference="ref", teacher="model", id="qid")
ROWS = [
    {"qid": f"p{i // 3}", "q": f"question {i // 3}", "a": f"answer {i}", "ref": str(i), "model": "ab"[i % 2], "split": "train" if i < 9 else "test", "size": i, "tags": ["x", "y"]}
    for i in range(12)
]  # fmt: skip


def scan(path, roles=ROLES, where=None, **more):
    where = where and Where(text="where W", condition=where, span=WHERE_SPAN)
    return Scan(id="scan:traces", corpus="traces", path=str(path), roles=roles, where=where, seed=3, span=SPAN, **more)


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def write(path, rows):
    name = path.name
    if name.endswith(".jsonl"):
        path.write_bytes(lines(rows))
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(lines(rows)))
    elif name.endswith(".zst"):
        path.write_bytes(pa.compress(lines(rows), codec="zstd", asbytes=True))
    elif name == "stream.arrow":
        pl.DataFrame(rows).write_ipc_stream(path)
    elif name.endswith(".arrow"):
        pl.DataFrame(rows).write_ipc(path)
    else:
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(path, row_group_size=5)
    return path


def fault(stage):
    with pytest.raises(Fault) as raised:
        read(stage, ignore)
    [diagnostic] = raised.value.diagnostics
    return diagnostic


def told(stage):
    notices = []
    rows = read(stage, notices.append)
    return rows, [n.message for n in notices]


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.ndjson.gz", "a.arrow", "stream.arrow"])
def test_every_format_gives_the_same_rows(tmp_path, name):
    expected = read(scan(write(tmp_path / "expected.parquet", ROWS), columns=("size", "tags")), ignore)
    rows = read(scan(write(tmp_path / name, ROWS), columns=("size", "tags")), ignore)
    assert rows.equals(expected)
    assert rows.columns == ["row_id", "prompt_id", "corpus", "prompt", "response", "reference", "teacher_value", "column:size", "column:tags", "reason"]
    first = rows.filter(pl.col("response") == "answer 4").row(0, named=True)
    name = blake3.blake3(b"10:question 18:answer 41:a").hexdigest()[:32]
    assert first == {
        "row_id": name, "prompt_id": "p1", "corpus": "traces", "prompt": "question 1", "response": "answer 4", "reference": "4", "teacher_value": "a",
        "column:size": 4, "column:tags": ["x", "y"], "reason": None,
    }  # fmt: skip


def test_only_the_rows_of_the_corpus_are_read(tmp_path):
    path = write(tmp_path / "a.parquet", ROWS)
    train = Operation("==", (Column("column", "split"), Constant("train")))
    assert read(scan(path, where=train), ignore)["prompt_id"].unique().sort().to_list() == ["p0", "p1", "p2"]
    strong = Operation("==", (Column("role", "teacher"), Constant("a")))
    assert read(scan(path, where=strong), ignore).height == 6
    heldout = Heldout(id="heldout", inputs=(), scan=scan(path, where=Operation("not", (train,))), span=SPAN)
    assert read_heldout(heldout, ignore)["prompt_id"].unique().to_list() == ["p3"]


def test_neither_the_order_of_rows_nor_files_nor_threads_shows(tmp_path):
    code = """
import runpy, sys; runpy.run_path(sys.argv[1])
from mixc.runtime.datasets import read
from mixc.compiler.plan.stages import Roles, Scan
from mixc.compiler.source import Span
roles = Roles(prompt="q", response="a", reference="ref", teacher="model", id="qid")
scan = Scan(id="s", corpus="traces", path=sys.argv[2], roles=roles, columns=("size",), sample=40, seed=3, span=Span("a", 0, 1))
read(scan, lambda e: None).write_parquet(sys.argv[3])
"""
    rows = [row | {"q": row["q"] + str(i), "qid": row["qid"] + str(i), "a": f"{row['a']} {i}"} for i in range(40) for row in ROWS]
    results = []
    for attempt, threads in enumerate((1, 2, 2)):
        draw = random.Random(attempt)
        draw.shuffle(rows)
        folder = tmp_path / str(attempt)
        folder.mkdir()
        for part in range(3):
            write(folder / f"{draw.random()}.parquet", rows[part::3])
        conftest = str(Path(__file__).parents[1] / "conftest.py")
        command = [sys.executable, "-c", code, conftest, str(folder / "*.parquet"), str(folder / "out")]
        subprocess.run(command, check=True, env=os.environ | {"POLARS_MAX_THREADS": str(threads)})
        results.append((folder / "out").read_bytes())
    assert results[0] == results[1] == results[2]


def test_a_sample_is_the_prompts_with_the_smallest_seeded_hash_after_where(tmp_path):
    path = write(tmp_path / "a.parquet", ROWS)
    order = sorted(("p0", "p1", "p2"), key=lambda p: blake3.blake3(f"3:{p}".encode()).digest()[:8])
    train = Operation("==", (Column("column", "split"), Constant("train")))
    rows = read(scan(path, where=train, sample=2), ignore)
    assert sorted(rows["prompt_id"].unique()) == sorted(order[:2])
    assert rows.height == 6


def test_without_roles_the_corpus_and_the_prompt_say_who_and_which(tmp_path):
    rows = read(scan(write(tmp_path / "a.jsonl", ROWS), Roles(prompt="q", response="a")), ignore)
    assert set(rows["teacher_value"]) == {"traces"}
    assert rows["reference"].null_count() == 12
    assert set(rows["prompt_id"]) == {blake3.blake3(f"10:question {i}".encode()).hexdigest()[:32] for i in range(4)}


def test_numbers_that_name_or_refer_become_the_same_text_in_any_file(tmp_path):
    write(tmp_path / "a.jsonl", [{"qid": 7, "q": "x", "a": "1", "ref": 43}, {"qid": 7, "q": "x", "a": "2", "ref": 0.5}, {"qid": 7, "q": "x", "a": "3", "ref": None}])
    write(tmp_path / "b.jsonl", [{"qid": 7, "q": "x", "a": "4", "ref": 43}, {"qid": 7, "q": "x", "a": "5", "ref": -2}])
    rows = read(scan(tmp_path / "*.jsonl", Roles(prompt="q", response="a", reference="ref", id="qid")), ignore).sort("response")
    assert rows["reference"].to_list() == ["43", "0.5", None, "43", "-2"]
    assert set(rows["prompt_id"]) == {"7"}


def test_rows_without_a_text_stay_with_a_reason_and_are_counted(tmp_path):
    bad = [ROWS[0] | {"a": None}, ROWS[1] | {"a": " \n\u2003"}, ROWS[2] | {"q": None}, ROWS[3] | {"q": ""}]
    rows, notices = told(scan(write(tmp_path / "a.parquet", bad + ROWS[4:])))
    assert rows.height == 12
    assert sorted(rows["reason"].drop_nulls()) == ["scan: the prompt is empty", "scan: the prompt is null", "scan: the response is empty", "scan: the response is null"]
    assert notices == [f"1 row of `traces` dropped: the {w}" for w in ("prompt is empty", "prompt is null", "response is empty", "response is null")]


def test_rows_without_a_text_never_contradict_and_the_same_one_stays(tmp_path):
    bad = [row | {"q": None, "a": ""} for row in ROWS]
    one, notices = told(scan(write(tmp_path / "a.jsonl", [*ROWS, *bad]), columns=("size", "tags")))
    other = read(scan(write(tmp_path / "b.jsonl", [*bad[::-1], *ROWS]), columns=("size", "tags")), ignore)
    assert one.equals(other)
    assert "10 rows of `traces` the same as another: counted once" in notices


def test_equal_rows_collapse_and_are_counted(tmp_path):
    rows, notices = told(scan(write(tmp_path / "a.jsonl", ROWS + ROWS[:3]), columns=("tags",)))
    assert rows.equals(read(scan(write(tmp_path / "b.jsonl", ROWS), columns=("tags",)), ignore))
    assert notices == ["3 rows of `traces` the same as another: counted once"]


@pytest.mark.parametrize("change", [{"ref": "other"}, {"size": 99}, {"qid": "p9"}, {"ref": None}, {"tags": ["x"]}])
def test_equal_rows_that_differ_in_a_used_column_are_a_fault_that_shows_both(tmp_path, change):
    write(tmp_path / "a.jsonl", ROWS)
    write(tmp_path / "b.jsonl", [ROWS[5] | change])
    diagnostic = fault(scan(tmp_path / "?.jsonl", columns=("size", "tags")))
    assert diagnostic.code == "MIX0504"
    assert "a.jsonl`, line 6" in diagnostic.notes[0]
    assert "b.jsonl`, line 1" in diagnostic.notes[1]


def test_equal_rows_may_differ_in_a_column_that_nothing_uses(tmp_path):
    assert read(scan(write(tmp_path / "a.parquet", [*ROWS, ROWS[5] | {"size": 99}])), ignore).height == 12


def test_one_prompt_id_with_two_texts_is_a_fault_that_shows_both(tmp_path):
    diagnostic = fault(scan(write(tmp_path / "a.parquet", [*ROWS, ROWS[4] | {"q": "another question", "a": "b"}])))
    assert (diagnostic.code, diagnostic.primary.span) == ("MIX0504", SPAN)
    assert "p1" in diagnostic.message
    assert "'question 1'" in diagnostic.notes[0]
    assert "row 4" in diagnostic.notes[0]
    assert "'another question'" in diagnostic.notes[1]
    assert "row 13" in diagnostic.notes[1]


def test_a_corpus_without_rows_is_a_fault(tmp_path):
    pl.DataFrame(ROWS).clear().write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_bytes(b"\n")
    never = Operation("==", (Column("column", "split"), Constant("dev")))
    assert fault(scan(tmp_path / "a.parquet")).code == "MIX0503"
    assert fault(scan(tmp_path / "a.jsonl")).code == "MIX0503"
    nothing = fault(scan(write(tmp_path / "b.parquet", ROWS), where=never))
    assert (nothing.code, nothing.primary.span) == ("MIX0503", WHERE_SPAN)
    assert fault(scan(write(tmp_path / "c.jsonl", [row | {"a": ""} for row in ROWS]))).code == "MIX0503"


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    for path in (tmp_path / "a.parquet", tmp_path / "*.parquet", tmp_path, write(tmp_path / "a.csv.parquet", ROWS).rename(tmp_path / "a.csv")):
        assert fault(scan(path)).code == "MIX0501"


def test_a_file_whose_name_looks_like_a_pattern_is_read(tmp_path):
    assert read(scan(write(tmp_path / "a[1]*.parquet", ROWS)), ignore).height == 12
    assert read(scan(write(tmp_path / "a[1].jsonl.zst", ROWS)), ignore).height == 12
    assert read(scan(write(tmp_path / "a[1].arrow", ROWS)), ignore).height == 12


@pytest.mark.parametrize(
    ("line", "says"),
    [(b'{"qid": \n', "is not JSON"), (b"[1]\n", "not a JSON object"), (b'{"q": "\xff"}\n', "not UTF-8"), (b'{"qid": "p", "q": "\\ud800", "a": "b"}\n', "surrogate"),
     (b'{"qid": "p", "q": "x", "a": 5}\n', "holds a text on line 1 and a number on line 13"), (b'{"size": 1e400000000000000000000, "q": {}}\n', "an object"),
     (b'{"size": 123456789012345678901234567890}\n', "64 bits"), (b'{"a": [{"role": "user"}]}\n', "a list")],
)  # fmt: skip
def test_a_bad_line_is_a_fault_that_names_it(tmp_path, line, says):
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS) + line + lines(ROWS[:1]))
    diagnostic = fault(scan(tmp_path / "a.jsonl", columns=("size",)))
    assert diagnostic.code in ("MIX0501", "MIX0502")
    assert "line 13" in diagnostic.message
    assert says in diagnostic.message


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "stream.arrow", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_damaged_file_is_a_fault_that_names_it_and_never_wrong_rows(tmp_path, name):
    path = write(tmp_path / name, ROWS * 20)
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"garbage" * 20, whole[: len(whole) // 3] + bytes(100) + whole[len(whole) // 3 + 100 :]):
        path.write_bytes(damaged)
        try:
            rows = read(scan(path), ignore)
        except Fault as raised:
            assert raised.diagnostics[0].code in ("MIX0501", "MIX0502", "MIX0503")
            assert name in raised.diagnostics[0].message or raised.diagnostics[0].code == "MIX0503"
        else:
            assert damaged not in (b"", b"garbage" * 20)
            assert rows.height <= 12


def test_one_bad_file_of_many_is_named(tmp_path):
    for part in range(3):
        write(tmp_path / f"{part}.parquet", ROWS)
    bad = tmp_path / "1.parquet"
    bad.write_bytes(bad.read_bytes()[:4] + bytes(300) + bad.read_bytes()[304:])
    diagnostic = fault(scan(tmp_path / "*.parquet"))
    assert diagnostic.code == "MIX0501"
    assert "1.parquet" in diagnostic.message


def test_a_column_that_is_not_there_or_of_the_wrong_type_is_a_fault(tmp_path):
    path = write(tmp_path / "a.parquet", [row | {"chat": [{"role": "user", "content": "x"}], "when": [1.5]} for row in ROWS])
    for roles, says in (
        (Roles(prompt="question", response="a"), "no column `question`"), (Roles(prompt="size", response="a"), "`prompt` must hold texts"),
        (Roles(prompt="q", response="tags"), "lists of texts"), (Roles(prompt="q", response="chat"), "List"), (Roles(prompt="q", response="a", teacher="size"), "`teacher`"),
        (Roles(prompt="q", response="a", reference="tags"), "`reference`"),
    ):  # fmt: skip
        diagnostic = fault(scan(path, roles))
        assert diagnostic.code == "MIX0502"
        assert says in diagnostic.message
    wrong = fault(scan(path, where=Operation("==", (Column("column", "size"), Constant("3")))))
    assert (wrong.code, wrong.primary.span) == ("MIX0502", WHERE_SPAN)


def test_a_row_without_its_id_is_a_fault_that_says_where(tmp_path):
    diagnostic = fault(scan(write(tmp_path / "a.jsonl", [*ROWS, ROWS[0] | {"qid": None, "a": "new"}])))
    assert diagnostic.code == "MIX0502"
    assert "line 13" in diagnostic.primary.text


def test_files_of_different_types_are_a_fault_that_names_both(tmp_path):
    write(tmp_path / "a.parquet", ROWS)
    write(tmp_path / "b.parquet", [row | {"size": "big"} for row in ROWS])
    diagnostic = fault(scan(tmp_path / "?.parquet", columns=("size",)))
    assert diagnostic.code == "MIX0502"
    assert "a.parquet" in diagnostic.message
    assert "b.parquet" in diagnostic.message
    assert read(scan(tmp_path / "?.parquet"), ignore).height == 12


def test_files_of_different_formats_and_widths_make_one_corpus(tmp_path):
    pl.DataFrame(ROWS[:6]).with_columns(pl.col("size").cast(pl.UInt8), pl.col("model").cast(pl.Categorical)).write_parquet(tmp_path / "a.parquet")
    write(tmp_path / "b.jsonl", ROWS[6:])
    rows = read(scan(tmp_path / "?.*", columns=("size",)), ignore)
    assert rows.equals(read(scan(write(tmp_path / "whole.parquet", ROWS), columns=("size",)), ignore))


def test_nan_is_null(tmp_path):
    pl.DataFrame(ROWS).with_columns(pl.lit(float("nan")).alias("size")).write_parquet(tmp_path / "a.parquet")
    assert read(scan(tmp_path / "a.parquet", columns=("size",)), ignore)["column:size"].null_count() == 12


def test_corpora_join_into_one_frame_that_cannot_contradict_itself(tmp_path):
    one = read(scan(write(tmp_path / "a.parquet", ROWS)), ignore)
    other = read(scan(write(tmp_path / "b.parquet", ROWS[6:])), ignore).with_columns(pl.lit("other").alias("corpus"))
    notices = []
    assert union([other, one], [scan("b"), scan("a")], notices.append)["corpus"].value_counts(sort=True).rows() == [("traces", 6), ("other", 6)]
    assert len(notices) == 1
    with pytest.raises(Fault, match="stands for two prompts"):
        union([one, other.with_columns(pl.lit("else").alias("prompt"))], [scan("a"), scan("b")], ignore)


@pytest.mark.shared
def test_the_real_responses_are_all_read(shared):
    roles = Roles(prompt="prompt", response="response", reference="reference_answer", teacher="teacher", id="prompt_id")
    rows = read(scan(shared / "teachers.parquet", roles, columns=("skill", "student_tokens")), ignore)
    assert (rows.height, rows["prompt_id"].n_unique(), rows["reason"].null_count()) == (66777, 10313, 66777)
    assert rows["row_id"].is_sorted()


@pytest.fixture
def shared():
    folder = Path(os.environ.get("MIXC_SHARED") or Path(__file__).parents[3] / "shared/data")
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    return folder

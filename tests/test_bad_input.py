"""Bad input: each a message with its place, the contracted exit code, and nothing half-written."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.tests.cli.program import arguments, environment, mixc
from mixc.tests.compiling import RUN, told
from mixc.tests.project import SCORED, STUDENT, make_project, rows, write_rows

Change = Callable[[Path], None]


def spec(old: str, new: str, text: str = SCORED) -> Change:
    """A project whose spec says `new` instead of `old`."""
    assert old in text

    def change(folder: Path) -> None:
        (folder / "scored.mix").write_text(text.replace(old, new))

    return change


def data(edit: Callable[[list[dict[str, object]]], object]) -> Change:
    """A project whose rows were edited."""

    def change(folder: Path) -> None:
        made = rows()
        answer = edit(made)
        write_rows(folder / "data" / "rows.jsonl", made if answer is None else answer)  # type: ignore[arg-type]

    return change


def parquet(spoil: Callable[[bytes], bytes]) -> Change:
    """A project whose corpus is one Parquet file, spoilt."""

    def change(folder: Path) -> None:
        path = folder / "data" / "rows.parquet"
        pl.DataFrame(rows()).write_parquet(path)
        path.write_bytes(spoil(path.read_bytes()))
        (folder / "data" / "rows.jsonl").unlink()
        (folder / "scored.mix").write_text(SCORED.replace("data/*.jsonl", "data/*.parquet"))

    return change


def both(made: list[dict[str, object]]) -> None:
    made[1]["question"] = "Another text under the same id?"


CASES: dict[str, tuple[Change, int, str, str]] = {
    "syntax error": (spec("budget   12 examples", "budget   12 exmples"), 1, "MIX0114", "exmples"),
    "unknown name": (spec("where    correct\n", "where    corect\n"), 1, "MIX0201", "corect"),
    "wrong unit": (spec("length <= 400 tokens", "length <= 400 nats"), 1, "MIX0304", "400 nats"),
    "missing file": (spec("data/*.jsonl", "dta/*.jsonl"), 1, "MIX0208", "scan"),
    "missing column": (spec("prompt    question", "prompt    quesion"), 1, "MIX0209", "quesion"),
    "wrong column type": (spec("response  answer", "response  count"), 1, "MIX0305", "response  count"),
    "empty corpus": (data(lambda made: []), 4, "MIX0503", "scan"),
    "a where that keeps nothing": (spec("teacher   model\n", 'teacher   model\n  where     model == "nobody"\n'), 4, "MIX0503", ""),
    "one id, two prompts": (data(both), 4, "MIX0504", ""),
    "equal rows that differ": (data(lambda made: [*made, {**made[0], "gold": "another"}]), 4, "MIX0504", ""),
    "a bad line": (data(lambda made: None), 4, "MIX0501", "scan"),
    "corrupt Parquet data": (parquet(lambda b: b[:4] + bytes(len(b) // 2) + b[4 + len(b) // 2 :]), 4, "MIX0501", "scan"),
    "cut Parquet file": (parquet(lambda b: b[: len(b) // 2]), 4, "MIX0501", "scan"),
    "infeasible quotas": (spec("<= 30%", ">= 90%"), 3, "MIX0401", ""),
    "a budget above what is left": (spec("budget   12 examples", "budget   500 examples"), 3, "MIX0401", "budget"),
    "every row dropped": (spec("where    correct\n", "where    correct and length > 300 tokens\n"), 3, "MIX0401", ""),
    "no decontamination": (lambda folder: (folder / "scored.mix").write_text(STUDENT.replace('decontaminate against "bench.jsonl" by 8-grams of prompt\n', "")) and None, 1, "MIX0601", ""),
    "a clause not run yet": (spec("skills topics", 'student one { model "tiny" }\nstudent two { model "tiny" }\ntrain one { epochs 1 }\ntrain two { epochs 2 }\nskills topics'), 1, "MIX0410", "train two"),
    "no row under an allowed licence": (spec("  teacher   model\n}", "  teacher   model\n  license   topic\n}\nrequire license in [\"MIT\"]"), 4, "MIX0544", "require license"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_a_message_with_a_place(tmp_path: Path, case: str) -> None:
    change, code, expected, text = CASES[case]
    make_project(tmp_path)
    change(tmp_path)
    if case == "a bad line":
        with (tmp_path / "data" / "rows.jsonl").open("a") as file:
            file.write('{"prompt_id": "p1", "question": \n')
    lines = (tmp_path / "scored.mix").read_text().splitlines()
    line = next(i for i, written in enumerate(lines, 1) if text in written)
    place = f"--> scored.mix:{line}:" if text else "--> scored.mix:"
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert expected in done.stderr and place in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert not (tmp_path / "build").exists() or not list((tmp_path / "build").iterdir()), "nothing half-written"


def odd(column: str, values: list[object]) -> Change:
    """Rows whose `column` holds odd values, one after the other."""
    return data(lambda made: [row.update({column: values[i % len(values)]}) for i, row in enumerate(made)] and None)


ODD: dict[str, tuple[Change, int, str]] = {
    "a score that is null everywhere": (odd("good", [None]), 3, "MIX0401"),
    "counts that are null everywhere": (odd("count", [None]), 3, "MIX0401"),
    "a count too large to be one": (odd("count", [3, 1e300]), 4, "MIX0502"),
    "a count with a fraction": (odd("count", [3, 2.5]), 4, "MIX0502"),
    "a skill that is a list": (odd("topic", [["addition", "subtraction"]]), 0, ""),
    "a teacher that is null": (odd("model", [None, "terse", "tutor"]), 0, ""),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_values_are_taken_or_told(tmp_path: Path, case: str) -> None:
    change, code, expected = ODD[case]
    make_project(tmp_path)
    change(tmp_path)
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == code and expected in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and "bug in mixc" not in done.stderr


def test_a_quota_on_a_list_column_counts_its_elements(tmp_path: Path) -> None:
    make_project(tmp_path)
    odd("topic", [["a", "b"], ["b"], ["a"]])(tmp_path)
    (tmp_path / "scored.mix").write_text(SCORED.replace('skill "addition" >= 20%', 'column topic "b" >= 95%'))
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    chosen = pl.read_parquet(tmp_path / "build" / "scored" / "selected.parquet")
    assert chosen.filter(pl.col("skills").list.contains("b")).height == 12


def test_two_corpora_meet_whatever_their_columns(tmp_path: Path) -> None:
    make_project(tmp_path)
    made = rows(12, seed=9)
    for row in made:
        row["prompt_id"], row["question"], row["count"], row["extra"] = f"z{row['prompt_id']}", f"Again: {row['question']}", 3.0, "u"
    write_rows(tmp_path / "more" / "rows.jsonl", made)
    second = SCORED[SCORED.index("corpus rows") : SCORED.index("skills topics")].replace("corpus rows", "corpus more").replace("data/*", "more/*")
    teachers = 'teacher first from rows where model == "terse"\nteacher second from more where extra == "u"\n\n'
    (tmp_path / "scored.mix").write_text(SCORED.replace("skills topics", second + teachers + "skills topics").replace('"rambler" <= 30%', '"rambler" <= 30%\n  quota teacher second >= 50%'))
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    chosen = pl.read_parquet(tmp_path / "build" / "scored" / "selected.parquet")
    assert chosen.filter(teacher="second").height >= 6 and set(chosen["teacher"]) <= {"first", "second"}


def test_null_and_empty_responses_are_dropped_and_counted(tmp_path: Path) -> None:
    make_project(tmp_path)
    made = rows()
    made[0]["answer"], made[1]["answer"], made[2]["question"] = None, "  ", None
    made[2]["prompt_id"] = "lost"
    write_rows(tmp_path / "data" / "rows.jsonl", made)
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ledger = pl.read_parquet(tmp_path / "build" / "scored" / "ledger.parquet")
    reasons = ledger.filter(pl.col("reason").str.starts_with("scan"))["reason"].sort().to_list()
    assert reasons == ["scan: the prompt is null", "scan: the response is empty", "scan: the response is null"]
    assert "3 rows" in done.stderr or "1 row" in done.stderr
    manifest = json.loads((tmp_path / "build" / "scored" / "manifest.json").read_text())
    assert any("null" in notice for notice in manifest["notices"])


def test_duplicate_rows_collapse_and_are_counted(tmp_path: Path) -> None:
    make_project(tmp_path)
    made = rows()
    write_rows(tmp_path / "data" / "rows.jsonl", [*made, made[0], made[5], made[5]])
    done = mixc("build", "scored.mix", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "build" / "scored" / "ledger.parquet").height == len(made)
    assert "3 rows" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("model", "code", "status"), [("nobody/no-such-model", "MIX0506", 4), ("./no-such-folder", "MIX0208", 1), ("data", "MIX0506", 4)])
def test_an_unknown_model_is_a_message(tmp_path: Path, model: str, code: str, status: int, golden) -> None:
    make_project(tmp_path)
    (tmp_path / "whole.mix").write_text(STUDENT.replace('model "tiny"', f'model "{model}"'))
    done = mixc("build", "whole.mix", cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert code in done.stderr and "whole.mix:4" in done.stderr, done.stderr
    assert done.returncode == status and "Traceback" not in done.stderr
    if model.startswith("nobody"):
        golden(RUN / "MIX0506.txt", re.sub(r" +(= )note: Cannot reach.*?(?= += help)", " \\1note: what the library said\n", told(done.stderr), flags=re.S))
    assert not (tmp_path / "build").exists() or not list((tmp_path / "build").iterdir())


def test_a_full_disk_is_a_message_and_leaves_nothing_behind(tmp_path: Path, golden) -> None:
    make_project(tmp_path, prompts=200)
    (tmp_path / "scored.mix").write_text(SCORED.replace("budget   12 examples", "budget   200 examples"))
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", *arguments("build", "scored.mix")]
    done = subprocess.run(limited, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 4 and "MIX0508" in done.stderr and "Traceback" not in done.stderr, done.stderr
    golden(RUN / "MIX0508.txt", re.sub(r"-\d{9,}", "-NUMBER", told(done.stderr)))
    assert not (tmp_path / "build" / "scored").exists()
    assert not list((tmp_path / "build").glob(".*"))
    assert mixc("build", "scored.mix", cwd=tmp_path).returncode == 0

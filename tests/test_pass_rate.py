"""`pass_rate`: of each prompt the share of right attempts, whatever the filters around it drop."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.tests.cli.running import Run, runner

RIGHT = {"a": [True, True, False, None], "b": [False, False], "c": [True], "d": [None]}
SPEC = """\
mix "rates" {{ seed 1 }}

corpus rows {{
  scan      "rows.jsonl"
  id        pid
  prompt    question
  response  answer
  reference gold
  teacher   model
}}

teacher one from rows where model == "one"

score passed = {call}
{more}
decontaminate none because "nothing is trained"

select {{
{clauses}}}
"""


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    made = []
    for pid, grades in RIGHT.items():
        for i, good in enumerate(grades):
            answer = f"In {'all ' * i}it is {7 if good else 8}."
            made.append({"pid": pid, "question": f"What is {pid}?", "answer": answer, "gold": None if good is None and pid == "d" else "7", "model": "one", "good": good, "share": None if good is None else float(good) / 2})
        made.append({"pid": pid, "question": f"What is {pid}?", "answer": "It is 7!", "gold": None if pid == "d" else "7", "model": "other", "good": True, "share": 0.5})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    return runner(tmp_path, monkeypatch, capsys)


def rates(mixc: Run, call: str, clauses: str, more: str = "") -> dict[str, set[float | None]]:
    Path("rates.mix").write_text(SPEC.format(call=call, clauses=clauses, more=more))
    code, _, errors = mixc("build", "rates.mix")
    assert code == 0, errors
    rows = pl.read_parquet("build/rates/ledger.parquet").filter(pl.col("passed").is_not_null() | (pl.col("status") == "selected"))
    return {pid: set(part["passed"]) for (pid,), part in rows.group_by("prompt_id")}


def test_it_is_the_share_of_what_a_column_calls_right(mixc: Run) -> None:
    found = rates(mixc, "pass_rate(good)", "  where passed >= 0\n")
    assert found == {"a": {2 / 3}, "b": {0.0}, "c": {1.0}}, "other teachers' attempts are none, and what is not graded counts in neither"
    assert rates(mixc, "pass_rate(share)", "  where passed >= 0\n") == {"a": {1 / 3}, "b": {0.0}, "c": {0.5}}


def test_it_grades_by_the_reference_where_no_column_does(mixc: Run) -> None:
    pytest.importorskip("math_verify")
    found = rates(mixc, "pass_rate()", "  where passed >= 0\n")
    assert found == {"a": {0.5}, "b": {0.0}, "c": {1.0}}
    code, said, errors = mixc("plan", "rates.mix")
    assert code == 0 and "up to date" in said and "yes: every score is known" in said, errors


def test_no_filter_around_it_changes_it(mixc: Run) -> None:
    pytest.importorskip("math_verify")
    more = "score right = verify_math(reference)\nscore good = column(good)\n"
    for call, half in (("pass_rate()", 0.5), ("pass_rate(good)", 2 / 3)):
        for clauses in ("  where right\n  where passed >= 0.1\n", "  where passed >= 0.1\n  where right\n", "  where good\n  where passed >= 0.1\n"):
            assert rates(mixc, call, clauses, more)["a"] == {half}, clauses


def test_grades_are_those_of_verify_math_and_asked_once(mixc: Run) -> None:
    pytest.importorskip("math_verify")
    rates(mixc, "verify_math(reference)", "  where passed\n")
    Path("rates.mix").write_text(SPEC.format(call="pass_rate()", clauses="  where passed > 0\n", more=""))
    code, _, errors = mixc("build", "rates.mix")
    assert code == 0 and "0 scored, 8 from the store" in errors


def test_a_plan_knows_what_is_not_graded_yet(mixc: Run) -> None:
    Path("rates.mix").write_text(SPEC.format(call="pass_rate()", clauses="  where passed >= 0.1\n", more=""))
    code, said, errors = mixc("plan", "rates.mix")
    assert code == 0 and "not known before `passed` is scored" in said, errors


def test_what_is_no_share_and_what_has_no_reference_is_told(mixc: Run) -> None:
    text = SPEC.format(call="pass_rate(share)", clauses="  where passed > 0\n", more="")
    Path("rates.mix").write_text(text)
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    Path("rows.jsonl").write_text("".join(json.dumps(row | {"share": 3}) + "\n" for row in rows))
    code, _, errors = mixc("build", "rates.mix")
    assert code == 4 and "error[MIX0502]: column `share` holds numbers that are no shares" in errors
    Path("rates.mix").write_text(text.replace("pass_rate(share)", "pass_rate()").replace("  reference gold\n", ""))
    code, _, errors = mixc("check", "rates.mix")
    assert code == 1 and "error[MIX0207]: `pass_rate()` grades by the reference" in errors

"""`mixc why` where clauses meet: names that the trace has too, missing values, unknown tokens, soft quotas and draws."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.tests.cli.running import runner
from mixc.tests.project import SCORED, make_project, rows, write_rows

HEAD = SCORED[: SCORED.index("decontaminate")]


@pytest.fixture
def mixc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `mixc WORDS`, which must end well, in a small project; gives stdout."""
    run = runner(make_project(tmp_path), monkeypatch, capsys)

    def fine(*words: str) -> str:
        code, shown, said = run(*words)
        assert code == 0, said
        return shown

    return fine


def build(mixc: Callable[..., str], clauses: str, scores: str = "", head: str = "") -> pl.DataFrame:
    """The ledger of the small project's rows under these clauses."""
    Path("scored.mix").write_text(f'{HEAD}{scores}\ndecontaminate none because "nothing is trained"\n{head}\nselect {{\n{clauses}\n}}\n')
    mixc("build", "scored.mix", "-q")
    return pl.read_parquet("build/scored/ledger.parquet")


def why(mixc: Callable[..., str], row: str) -> dict:
    return json.loads(mixc("why", "scored.mix", row, "--why-not", "--format", "json"))["rows"][0]


def test_a_filter_on_a_score_with_a_name_of_the_trace_looks_at_the_score(mixc: Callable[..., str]) -> None:
    scores = "".join(f"score {name} = column(count)\n" for name in ("tie", "step", "objective", "advantage"))
    ledger = build(mixc, "where tie < 20\nwhere objective + advantage > 0\nkeep best 2 per prompt by -step\nbudget 5 examples\nmaximize -tie", scores)
    for row in ledger.sample(8, seed=1).iter_rows(named=True):
        (look,) = why(mixc, row["row_id"])["visits"][0]["looks"]
        assert look["left"] == row["tie"] < 100 and look["met"] == (row["tie"] < 20)


def test_a_missing_value_is_not_true_and_only_what_is_needed_is_said(mixc: Callable[..., str]) -> None:
    many = [{**row, "sure": None if i % 2 else bool(i % 4), "near": None if i % 3 else 5} for i, row in enumerate(rows(12))]
    write_rows(Path("data/rows.jsonl"), many)
    ledger = build(mixc, "where sure or correct\nwhere not (near > 7) or correct\nbudget 3 examples", "score sure = column(sure)\nscore near = column(near)\n")
    out = ledger.filter(pl.col("sure").is_null() & ~pl.col("correct"))["row_id"][0]
    assert why(mixc, out)["needs"][0]["must"] == "`sure` has no value, and must be true, or `correct` must be true"
    chosen = ledger.filter(pl.col("sure").is_null() & pl.col("near").is_null() & (pl.col("status") == "selected"))
    assert chosen.height
    for row in chosen["row_id"]:
        assert [need["must"] for need in why(mixc, row)["needs"][:2]] == ["`correct` must be false"] * 2


def test_a_row_whose_tokens_were_never_counted_is_charged_nothing(mixc: Callable[..., str]) -> None:
    ledger = build(mixc, 'where correct\nquota teacher "rambler" <= 30% of tokens\nbudget 120 tokens')
    row = ledger.filter(pl.col("reason") == "where correct: false")["row_id"][0]
    account = why(mixc, row)
    assert account["tokens"] is None
    assert account["standing"]["advantage"] is account["standing"]["rival"] is None and account["standing"]["charges"] == []
    assert account["needs"][-1] == {"clause": "maximize random", "must": "not known, for its tokens were never counted"}
    assert "advantage not known: its tokens were never counted" in mixc("why", "scored.mix", row)


@pytest.mark.parametrize(
    "clauses",
    [
        'keep at most 1 per prompt\nquota skill uniform\nquota skill "addition" >= 2 examples\nbudget 11 examples',
        "quota skill uniform\nbudget 11 examples",
        "keep at most 1 per prompt\nquota skill uniform\nbudget 150 tokens",
    ],
)
def test_a_soft_quota_has_a_charge_of_its_own_and_no_exchange_misses_it_by_more(mixc: Callable[..., str], clauses: str) -> None:
    scarce = [row for row in rows(30) if row["topic"] != "subtraction" or row["prompt_id"] in ("p001", "p004")]
    write_rows(Path("data/rows.jsonl"), scarce)
    ledger = build(mixc, f"where correct\n{clauses}").filter(pl.col("objective").is_not_null() & (pl.col("status").eq("selected") | pl.col("advantage").is_not_null()))
    paid = 0
    for row in [*ledger.filter(status="selected")["row_id"], *ledger.filter(status="dropped")["row_id"][:15]]:
        account = why(mixc, row)
        standing = account["standing"]
        assert standing["value"] + sum(c["amount"] for c in standing["charges"]) == pytest.approx(standing["advantage"], abs=1e-7)
        found = {c["clause"]: c["amount"] for c in standing["charges"]}
        assert found.get("keep at most 1 per prompt", 0) <= 0 and found.get("quota skill uniform", 0) >= 0
        paid += "quota skill uniform" in found
        if standing["rival"] is not None and standing["rival"]["ahead"]:
            assert (standing["rival"]["ahead"] > 0) is account["selected"]
    assert paid


def test_what_the_seeded_hash_adds_to_tied_objectives_is_shown_as_nothing(mixc: Callable[..., str]) -> None:
    many = [{**row, "rare": 3.0 if i % 11 == 0 else 1.0} for i, row in enumerate(rows(80))]
    write_rows(Path("data/rows.jsonl"), many)
    clauses = 'quota teacher "rambler" >= 40%\nbudget 50 examples\nmaximize rare\nsolver prices'
    ledger = build(mixc, clauses, "score rare = column(rare)\n")
    small = 3.0 * 2.0**-17
    assert (ledger["advantage"].abs().is_between(0, small, closed="right")).any(), "else the hash was not needed"
    for row in ledger.group_by("status", "teacher", "rare", maintain_order=True).head(2)["row_id"]:
        standing = why(mixc, row)["standing"]
        assert all(abs(each) > small or each == 0 for each in (standing["advantage"], *(c["amount"] for c in standing["charges"])))
        assert standing["value"] + sum(c["amount"] for c in standing["charges"]) == pytest.approx(standing["advantage"], abs=2 * small)


def test_a_draw_is_told_as_one(mixc: Callable[..., str]) -> None:
    Path("profile.json").write_text(json.dumps({"skills": {"addition": {"attempts": 10, "correct": 5}, "subtraction": {"attempts": 10, "correct": 8}}}))
    student = 'student tiny {\n  model "hub/tiny"\n  revision "0123456789abcdef0123456789abcdef01234567"\n}\nprofile tiny from "profile.json"\n'
    ledger = build(mixc, "where correct\nquota skill weakness(paper)\nbudget 6 examples", head=student)
    drawn = ledger.filter(status="selected")["row_id"][0]
    said = mixc("why", "scored.mix", drawn, "--why-not")
    assert "  in quota skill weakness(paper)\n       drawn: " in said and "no budget" not in said and "maximize" not in said
    out = ledger.filter(reason="select: not drawn by `quota skill weakness(paper)`").with_columns(pl.col("skills").list.first())
    said = mixc("why", "scored.mix", out.filter(skills="addition")["row_id"][0], "--why-not")
    there = ledger.filter(pl.col("skills").list.contains("addition") & pl.col("correct")).height
    assert f"`addition` has weight 2: 61.5% of the first draw, shared by {there} candidates" in " ".join(said.split())
    assert "not drawn: " in said and "it is a draw" in said and "no budget" not in said and "maximize" not in said
    said = mixc("why", "scored.mix", out.filter(skills="multiplication")["row_id"][0], "--why-not")
    assert "the profile tried none of its skills" in said and "must have tried one of its skills" in said
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    first = manifest["selection"]["drawn"][0]
    assert (first["leaf"], first["weight"], first["available"]) == ("addition", 2.0, there)
    assert manifest["path"][-1] == {"number": 2, "clause": "quota skill weakness(paper)", "kind": "draw"}


def test_only_a_value_that_was_never_worked_out_is_not_known(mixc: Callable[..., str]) -> None:
    write_rows(Path("data/rows.jsonl"), [{**row, "near": None if i % 2 else 5} for i, row in enumerate(rows(24))])
    score, later = "score near = column(near)\n", "keep best 1 per prompt by near\nbudget 3 examples\nmaximize near"
    # Where no filter asks for it the score is worked out for the rows alone that are left by then ...
    ledger = build(mixc, f"where correct\n{later}", score)
    wrong = ledger.filter(step=1)["row_id"]
    for row in wrong:
        assert why(mixc, row)["needs"][1] == {"clause": "keep best 1 per prompt by near", "must": "not known, for the row was dropped before it was scored"}
        assert mixc("why", "scored.mix", row).count("dropped before this was worked out") == 2
    # ... and where one does, for all of them: then it is the data that lack it.
    ledger = build(mixc, f"where correct\nwhere near < 7\n{later}", score)
    missing = ledger.filter(pl.col("row_id").is_in(wrong.implode()) & pl.col("near").is_null())["row_id"]
    assert missing.len()
    for row in missing:
        needs = {need["clause"]: need["must"] for need in why(mixc, row)["needs"]}
        assert needs["where near < 7"] == "near has no value, and needs one"
        assert needs["keep best 1 per prompt by near"] == "it has no value to be compared by, and needs one"
        assert "dropped before" not in mixc("why", "scored.mix", row)

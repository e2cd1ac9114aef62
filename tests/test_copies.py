"""Copies and contamination from the command line: what the plan counts, what the ledger says of each row, what the manifest has in numbers."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.project import SCORED, make_project, rows, write_rows


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve prompts of three teachers; the third again as `a` with a word changed, the fourth in the benchmark."""
    make_project(tmp_path)
    made = rows()
    long = "A farmer has many boxes of apples in the barn and sells some of them each week at the market of the town. "
    for row in made:
        row["question"] = f"{long}{row['question']}" if row["prompt_id"] == "p002" else row["question"]
    copies = [{**row, "prompt_id": "a", "question": str(row["question"]).replace("farmer", "grower"), "answer": f"Well. {row['answer']}"} for row in made if row["prompt_id"] == "p002"]
    write_rows(tmp_path / "data" / "rows.jsonl", made + copies)
    write_rows(tmp_path / "bench.jsonl", [{"problem": "Else"}, {"problem": next(str(r["question"]) for r in made if r["prompt_id"] == "p003").upper()}])
    spec = SCORED.replace('decontaminate none because "nothing is trained"', 'decontaminate against "bench.jsonl" by 7-grams of prompt')
    (tmp_path / "copies.mix").write_text(spec + "\ndedup by minhash(threshold: 0.7) of prompt\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIXC_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_ledger_says_why_and_the_manifest_how_many(project: Path) -> None:
    assert main(["build", "copies.mix"]) == 0
    ledger = pl.read_parquet(project / "build/copies/ledger.parquet")
    reasons = dict(ledger.filter(pl.col("prompt_id").is_in(["p002", "p003"])).select("prompt_id", "reason").iter_rows())
    assert "with bench.jsonl:2" in reasons["p003"] and 'shares "problem 3 what is the addition of"' in reasons["p003"]
    assert reasons["p002"].startswith("dedup by minhash of prompt: similarity 0.") and reasons["p002"].endswith(" to prompt a")
    assert ledger.filter(pl.col("reason").str.starts_with("dedup"))["prompt_id"].to_list() == ["p002"] * 3
    counts = json.loads((project / "build/copies/manifest.json").read_text())["counts"]
    assert counts["evidence"]["decontaminate"] == {"prompts": 1, "rows": 3, "texts": 1, "against": {"bench.jsonl": 1}}
    found = counts["evidence"]["dedup"]
    assert (found["compared"], found["clusters"], found["copies"], found["rows"]) == (12, 1, 1, 3) and found["recall"] >= 0.99
    funnel = {step["clause"]: step["rows"] for step in counts["funnel"]}
    assert (funnel["scan rows"], funnel['decontaminate by 7-grams of prompt'], funnel["dedup by minhash of prompt"]) == (39, 36, 33)


def test_the_plan_counts_what_both_drop(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "copies.mix"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for clause, change in (("decontaminate by 7-grams of prompt", "39 -> 36"), ("dedup by minhash of prompt", "36 -> 33")):
        assert any(clause in line and change in line for line in lines)

"""`mixc diff` of two builds of other selections and of what drops rows before the filters: each row has a cause, and it is the one that was made."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project, rows, write_rows

BASE = SCORED.replace("maximize random", "maximize length")
WAIVED = 'decontaminate none because "nothing is trained"'
SPECS = {
    "base": BASE,
    "uniform": BASE.replace('quota    skill "addition" >= 20%', "quota    skill uniform"),
    "wide": BASE.replace("budget   12 examples", "budget   up to 34 examples").replace('  quota    teacher "rambler" <= 30%\n', ""),
    "most": BASE.replace("budget   12 examples", "keep     at most 1 per prompt\n  budget   up to 34 examples").replace('  quota    teacher "rambler" <= 30%\n', ""),
    "filled": BASE.replace("budget   12 examples", "budget   150 tokens"),
    "random": SCORED,
    "leaked": BASE.replace(WAIVED, 'decontaminate against "leaked.jsonl" by 8-grams of prompt'),
    "copies": BASE.replace(WAIVED, WAIVED + "\n\ndedup by minhash(threshold: 0.3) of response"),
    "named": BASE.replace("skills topics", 'teacher brief from rows where model == "terse"\nteacher rambler from rows where model == "rambler"\n\nskills topics').replace('"rambler" <=', "rambler <="),
    "free": BASE.replace("  budget   12 examples\n", "").replace('  quota    teacher "rambler" <= 30%\n', ""),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 prompts; a build of every spec."""
    folder = make_project(tmp_path_factory.mktemp("between"), 24)
    write_rows(folder / "leaked.jsonl", [{"problem": row["question"]} for row in rows(24)[: 3 * 9 : 3]])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MIXC_HOME", raising=False)
        for name, text in SPECS.items():
            (folder / f"{name}.mix").write_text(text)
            assert main(["build", f"{name}.mix", "-q"]) == 0
    return folder


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(project, monkeypatch, capsys)


def moves(run: Run, before: str, after: str) -> list[dict]:
    code, shown, said = run("diff", f"build/{before}", f"build/{after}", "--format", "json")
    assert (code, said) == (2, ""), said
    return json.loads(shown)["builds"]["dataset"]["moves"]


@pytest.mark.parametrize("name", [name for name in SPECS if name != "base"])
def test_every_row_that_moved_has_a_cause_from_both_sides(name: str, run: Run) -> None:
    selected, ledger = ({each: pl.read_parquet(f"build/{each}/{file}.parquet") for each in ("base", name)} for file in ("selected", "ledger"))
    old, new = (set(selected[each]["row_id"]) for each in ("base", name))
    there, back = moves(run, "base", name), moves(run, name, "base")
    assert {each["row_id"] for each in there if each["move"] == "added"} == new - old and {each["row_id"] for each in there if each["move"] == "removed"} == old - new
    told = {each["row_id"]: (each["kind"], each["clause"], each["counterpart"], each["origin"]) for each in there}
    assert told == {each["row_id"]: (each["kind"], each["clause"], each["counterpart"], each["origin"]) for each in back}
    for each in there:
        out = ledger["base" if each["move"] == "added" else name].row(by_predicate=pl.col("row_id") == each["row_id"], named=True)
        assert each["kind"] is not None and each["origin"] is not None
        if each["kind"] in ("quota", "budget", "keep at most", "soft quota", "objective", "ties") and each["advantage"]:
            assert out["reason"].startswith("select: not")
            assert each["advantage"]["before" if each["move"] == "added" else "after"] == out["advantage"]
        elif each["kind"] not in ("objective", "ties", "quota", "budget", "keep at most", "soft quota"):
            assert out["reason"].startswith(each["clause"])


def causes(run: Run, name: str, move: str = "removed", before: str = "base") -> set[tuple]:
    return {(each["kind"], each["clause"], each["counterpart"], each["origin"]) for each in moves(run, before, name) if each["move"] == move}


def test_what_drops_rows_before_the_filters_is_told(run: Run) -> None:
    assert ("decontaminate", 'decontaminate by 8-grams of prompt', None, "recipe") in causes(run, "leaked")
    assert ("dedup", "dedup by minhash of response", None, "recipe") in causes(run, "copies")
    assert ("teachers", "teachers", "teachers", "recipe") in causes(run, "named")


def test_other_clauses_that_act_together_are_told(run: Run) -> None:
    assert ("keep at most", "keep at most 1 per prompt", None, "recipe") in causes(run, "most", before="wide")
    assert causes(run, "filled") == {("budget", "budget 150 tokens", None, "recipe")}
    assert ("objective", "maximize random", "maximize length", "recipe") in causes(run, "random")
    assert causes(run, "free", "added") == {("budget", "budget 12 examples", None, "recipe")}

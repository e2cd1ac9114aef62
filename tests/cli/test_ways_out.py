"""What a selection that cannot be is told to change: clauses that `check` takes and `build` satisfies, and nothing that asks for nothing."""

import re
from pathlib import Path

import pytest
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project, rows, write_rows

HEAD = SCORED[: SCORED.index("decontaminate")] + 'decontaminate none because "nothing is trained"\n'


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(make_project(tmp_path), monkeypatch, capsys)


def build(run: Run, clauses: str) -> tuple[int, str]:
    """The exit code, and what is said, on one line."""
    Path("some.mix").write_text(f"{HEAD}\nselect {{\n  {clauses}\n}}\n")
    code, _, said = run("build", "some.mix", "-q", "--until", "select")
    return code, " ".join(said.split())


@pytest.mark.parametrize(
    ("clauses", "clause", "way_out"),
    [
        ("budget 4 examples", 'quota skill "geometry" >= 3 examples', None),
        ("budget 4 examples", 'quota skill "geometry" >= 25%', None),
        ("budget 4 examples", 'quota skill "geometry" >= 10 tokens', None),
        ("", 'quota column model "nobody" >= 1 examples', None),
        ('where model == "tutor"', 'quota teacher "tutor" <= 40%', None),
        ("budget 4 examples", 'quota skill "geometry" 2..3 examples', 'quota skill "geometry" <= 3 examples'),
        ("budget 8 examples", 'quota skill "geometry" 25%..50%', 'quota skill "geometry" <= 50%'),
        ('where model == "tutor"', 'quota teacher "tutor" 10%..40%', 'quota teacher "tutor" >= 10%'),
        ('where prompt_id == "p001"', 'quota teacher "tutor" >= 2 examples', 'quota teacher "tutor" >= 1 examples'),
        ('where prompt_id == "p001"', 'quota teacher "tutor" 2..5 examples', 'quota teacher "tutor" 1..5 examples'),
    ],
)
def test_the_way_out_is_a_clause_that_holds_or_to_remove_it(clauses: str, clause: str, way_out: str | None, run: Run) -> None:
    code, said = build(run, f"{clauses}\n  {clause}")
    assert code == 3 and "error[MIX0401]" in said
    (help,) = re.findall(r"= help: the nearest changes?: (.*?)(?: 1 error|$)", said)
    assert help.split(", or ")[0] == (f"`{way_out}`" if way_out else f"remove `{clause}`")
    assert build(run, f"{clauses}\n  {way_out or ''}")[0] == 0


def test_one_row_is_told_of_as_one(run: Run) -> None:
    write_rows(Path("data/rows.jsonl"), rows(1)[:1])
    assert "note: the only row is a candidate" in build(run, 'quota skill "geometry" >= 1 examples')[1]
    told = build(run, 'where correct and length > 9000 tokens\n  quota teacher "terse" >= 1 examples')[1]
    assert "of the one row of teacher" in told and "= help: " in told


def test_where_no_candidate_is_left_the_way_out_is_the_clause_that_drops_them(run: Run) -> None:
    code, said = build(run, "where length > 9000 tokens\n  budget 3 examples")
    assert code == 3 and "36 dropped by `where length > 9000 tokens`, none left" in said and "= help: loosen a clause that drops rows" in said

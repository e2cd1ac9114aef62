"""`mixc plan` on a project without a model: the tree, its other forms, what the build has, and what cannot hold whatever is scored."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.plan.schema import violations
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.tests.cli.running import Run, runner
from mixc.tests.project import SCORED, make_project

HERE = Path(__file__).parent / "plan"
GRADED = SCORED.replace("column(good)", "verify_math(reference)")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mixc WORDS` in a project of 12 prompts; gives the exit code, stdout and stderr."""
    make_project(tmp_path)
    (tmp_path / "graded.mix").write_text(GRADED)
    return runner(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("width", ["80", "100"])
@pytest.mark.parametrize("spec", ["scored", "graded"])
def test_the_tree_is_what_the_golden_says_and_no_line_is_too_long(spec: str, width: str, run: Run, golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    code, shown, _ = run("plan", f"{spec}.mix")
    assert code == 0 and max(map(len, shown.splitlines())) <= int(width)
    assert shown.isascii()
    golden(HERE / f"{spec}.{width}.txt", shown)


@pytest.mark.parametrize("width", ["60", "100"])
def test_what_a_stage_waits_for_stands_below_it_in_one_piece(width: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setitem(SCORERS, "pass_rate", replace(SCORERS["pass_rate"], ready=False))
    Path("topics.json").write_text('{"name": "all", "children": [{"name": "addition"}, {"name": "subtraction"}]}')
    tagged = SCORED.replace("{ tag by column topic }", '{\n  tree "topics.json"\n  tag by llm(model: "hub/e5")\n}')
    Path("graded.mix").write_text(tagged.replace("= column(good)", "= pass_rate()").replace("where    correct", "where    correct >= 0.5"))
    code, shown, _ = run("plan", "graded.mix")
    lines = shown.splitlines()
    assert code == 0 and max(map(len, lines)) <= int(width)
    (at,) = (number for number, line in enumerate(lines) if "score correct" in line)
    assert lines[at + 1].strip("| ") == "not done yet: `pass_rate`"


def test_every_clause_stands_in_the_verbose_tree(run: Run) -> None:
    _, shown, _ = run("-v", "plan", "scored.mix")
    for clause in ("quota skill \"addition\" >= 20%", "keep best 2 per prompt by -length", "prompt question, response answer"):
        assert clause in shown


@pytest.mark.parametrize("format", ["dot", "polars"])
def test_the_other_forms_are_what_the_goldens_say_each_time(format: str, run: Run, golden) -> None:
    code, shown, err = run("plan", "scored.mix", "--format", format)
    assert (code, err) == (0, "")
    assert run("plan", "scored.mix", "--format", format)[1] == shown
    golden(HERE / f"scored.{format}", shown)


def test_the_polars_plans_are_those_of_the_clauses_also_where_a_score_is_missing(run: Run) -> None:
    _, shown, _ = run("plan", "graded.mix", "--format", "polars")
    headings = [line.partition(". ")[2] for line in shown.splitlines() if line.startswith("-- ")]
    assert headings == ["read data/rows.jsonl", "where length <= 400 tokens", "where correct", "keep best 2 per prompt by -length"]
    assert shown.count("before optimisation") == shown.count("after optimisation") == 4
    assert "graded.mix:4" in shown and str(Path.cwd()) not in shown


@pytest.mark.parametrize("spec", ["scored", "graded"])
def test_the_report_is_valid_by_both_schemas_and_says_what_is_exact(spec: str, run: Run) -> None:
    code, shown, _ = run("plan", f"{spec}.mix", "--format", "json")
    data = json.loads(shown)
    assert code == 0
    assert violations(data) == [] and violations(data, report=True) == []
    assert data["known"]["scan:rows"]["rows"] == {"value": 36, "exact": True}
    if spec == "scored":
        assert data["feasible"] is True and data["missing"] == {}
        assert data["known"]["select"]["rows"] == {"value": 12, "exact": True}
        assert data["composition"]["of"] == "selected"
        assert sum(share["rows"]["value"] for share in data["composition"]["teachers"]) == 12
    else:
        assert data["feasible"] is None and data["missing"] == {"correct": 36}
        assert data["known"]["score:correct"]["missing"] == {"value": 36, "exact": True}
        after = next(k for id, k in data["known"].items() if any(s["clause"] == "where correct" for s in k["steps"]))
        assert after["rows"] == {"value": 36, "exact": False, "bound": "upper"}
        assert data["composition"]["of"] == "candidates"


def test_the_schema_of_the_report_refuses_what_it_does_not_know(run: Run) -> None:
    data = json.loads(run("plan", "scored.mix", "--format", "json")[1])
    data["known"]["select"]["rows"]["exact"] = "yes"
    data["cached"]["colour"] = "red"
    found = violations(data, report=True)
    assert len(found) == 2 and "colour" in found[0] and "select" in found[1]


def test_a_figure_of_the_plan_is_that_of_the_build(run: Run) -> None:
    planned = json.loads(run("plan", "scored.mix", "--format", "json")[1])
    assert run("build", "scored.mix")[0] == 0
    manifest = json.loads(Path("build/scored/manifest.json").read_text())
    assert planned["known"]["select"]["rows"]["value"] == manifest["counts"]["selected"]
    assert [s["rows"]["value"] for s in planned["known"]["select"]["steps"]] == [
        step["rows"] for step in manifest["counts"]["funnel"] if step["clause"].startswith("keep")
    ]


def test_exit_code_2_is_something_to_run_and_0_an_up_to_date_build(run: Run) -> None:
    assert run("plan", "scored.mix")[0] == 0
    assert run("plan", "scored.mix", "--exit-code")[0] == 2
    assert run("build", "scored.mix", "--until", "select")[0] == 0
    assert run("plan", "scored.mix", "--exit-code", "--until", "select")[0] == 0
    code, shown, _ = run("plan", "scored.mix", "--exit-code")
    assert code == 2 and "would run materialise, because `materialise` was not run" in shown
    assert run("build", "scored.mix")[0] == 0
    code, shown, _ = run("plan", "scored.mix", "--exit-code")
    assert code == 0 and "build/scored: up to date, nothing to run" in shown
    assert run("plan", "scored.mix", "--exit-code", "--out", "elsewhere")[0] == 2


@pytest.mark.parametrize(
    ("old", "new", "why", "runs"),
    [
        ("budget   12 examples", "budget   11 examples", "`select` is another", ["select", "materialise"]),
        ("length <= 400 tokens", "length <= 300 tokens", "`filter:1` is another", ["filter:1", "select", "materialise"]),
        ("mix \"scored\"", "# a remark\nmix \"scored\"", None, []),
    ],
)
def test_what_would_run_is_what_the_change_reaches(old: str, new: str, why: str | None, runs: list[str], run: Run) -> None:
    run("build", "scored.mix")
    Path("scored.mix").write_text(SCORED.replace(old, new))
    cached = json.loads(run("plan", "scored.mix", "--format", "json")[1])["cached"]
    assert [id for id, stage in cached["stages"].items() if not stage["up_to_date"]] == runs
    assert {stage["why"] for stage in cached["stages"].values()} - {None} == ({why} if why else set())


def test_rows_with_the_same_ids_and_another_reference_are_other_rows(run: Run) -> None:
    run("build", "scored.mix")
    path = Path("data/rows.jsonl")
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"count": 7}), *rest]))
    _, shown, _ = run("plan", "scored.mix")
    assert "because the rows of `scan:rows` are others" in " ".join(shown.split())
    run("build", "scored.mix")
    Path("build/scored/train.jsonl").unlink()
    assert "`build/scored/train.jsonl` is missing" in " ".join(run("plan", "scored.mix")[1].split())


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        ('quota    skill "addition" >= 20%', 'quota    skill "addition" >= 10 examples', 'quota skill "addition" >= 10 examples'),
        ("budget   12 examples", "budget   25 examples", "keep best 2 per prompt by -length"),
        ("where    length <= 400 tokens", 'where    prompt contains "Problem 1"', "budget 12 examples"),
    ],
)
def test_what_no_score_can_mend_is_infeasible_before_anything_is_scored(old: str, new: str, clause: str, run: Run) -> None:
    Path("graded.mix").write_text(GRADED.replace(old, new))
    code, shown, err = run("plan", "graded.mix", "--exit-code")
    assert code == 3 and "MIX0401" in err and clause in " ".join(err.split())
    assert "whatever the scores turn out to be" in " ".join(err.split())
    assert "no, whatever the missing scores turn out to be" in " ".join(shown.split())
    assert "keep best 2 per prompt by -length" in shown
    assert not any(Path(".mixc/scores").glob("*/*.parquet"))
    code, shown, _ = run("plan", "graded.mix", "--format", "json")
    data = json.loads(shown)
    assert code == 3 and data["feasible"] is False and [d["code"] for d in data["diagnostics"]] == ["MIX0401"]
    assert violations(data, report=True) == []


def test_what_no_rows_can_satisfy_is_wrong_to_check_and_infeasible_to_plan_and_build(run: Run) -> None:
    Path("graded.mix").write_text(GRADED.replace(">= 20%", ">= 20 examples"))
    assert [run(verb, "graded.mix")[0] for verb in ("check", "plan", "build")] == [1, 3, 3]


def test_selecting_nothing_is_told_as_the_build_tells_it(run: Run) -> None:
    Path("graded.mix").write_text(SCORED.replace("budget   12", "budget   up to 12").replace("length <= 400", "length <= 1").replace('  quota    skill "addition" >= 20%\n', ""))
    code, shown, err = run("plan", "graded.mix")
    assert code == run("build", "graded.mix")[0] == 4
    assert "feasible    no (MIX0503)" in shown and "no row is left to select" in err
    assert json.loads(run("plan", "graded.mix", "--format", "json")[1])["feasible"] is False


def test_a_benchmark_that_changed_makes_what_reads_it_run(run: Run) -> None:
    Path("guarded.mix").write_text(SCORED.replace('decontaminate none because "nothing is trained"', 'decontaminate against "bench.jsonl" by 8-grams of prompt'))
    run("build", "guarded.mix")
    assert run("plan", "guarded.mix", "--exit-code")[0] == 0
    with Path("bench.jsonl").open("a") as file:
        file.write('{"problem": "What is one and one?", "answer": "2"}\n')
    code, shown, _ = run("plan", "guarded.mix", "--exit-code")
    assert code == 2 and "because `bench.jsonl` has changed" in " ".join(shown.split())


def test_until_plans_no_further(run: Run) -> None:
    data = json.loads(run("plan", "scored.mix", "--until", "teachers", "--format", "json")[1])
    assert data["stages_run"] == list(data["known"]) == ["scan:rows", "teachers"]
    assert data["feasible"] is None


def test_a_rate_that_is_none_is_refused(run: Run) -> None:
    for rate in ("0", "-3", "fast", "inf"):
        code, _, err = run("plan", "scored.mix", f"--rate={rate}")
        assert code == 1 and "is not a number of tokens a second" in err


def test_a_build_stops_before_a_score_that_cannot_help(run: Run) -> None:
    Path("graded.mix").write_text(GRADED.replace('quota    skill "addition" >= 20%', 'quota    skill "addition" >= 10 examples'))
    code, _, err = run("build", "graded.mix")
    said = " ".join(err.split())
    assert code == 3 and "MIX0401" in said and "certain before anything more is scored" in said
    assert not any(Path(".mixc/scores").glob("*/*.parquet"))
    assert run("build", "graded.mix", "--until", "score")[0] == 0

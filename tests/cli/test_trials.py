"""`mixc test`: what passes, what fails and how it says so, what it leaves alone."""

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mixc.compiler.semantics.catalogue import SCORERS
from mixc.tests.cli.running import runner
from mixc.tests.project import SCORED, make_project, rows, write_rows

from .program import START, arguments, environment, mixc

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "trials"
RECIPE = SCORED.replace("budget   12 examples", "budget   up to 6 examples").replace("maximize random", "maximize -length")
EIGHT = [row for row in rows(4) if row["model"] != "rambler"]


def project(folder: Path, tests: str, recipe: str = RECIPE, fixture: list[dict] = EIGHT) -> Path:
    make_project(folder)
    write_rows(folder / "few.jsonl", fixture)
    (folder / "spec.mix").write_text(f"{recipe}\n{tests}")
    return folder


def ran(folder: Path, *words: str, **env: str):
    done = mixc("test", *(words or ("spec.mix",)), cwd=folder, **env)
    assert "Traceback" not in done.stderr and "bug in mixc" not in done.stderr, done.stderr
    return done


def timeless(text: str) -> str:
    return re.sub(r"\d+\.\d\d s$", "… s", text, flags=re.M)


def test(name: str, *lines: str) -> str:
    inside = "\n".join(f"  {line}" for line in ('given "few.jsonl"', *lines))
    return f'test "{name}" {{\n{inside}\n}}\n'


test.__test__ = False  # type: ignore[attr-defined]

TRUE = (
    "expect selected == 6 examples",
    "expect selected >= 3 prompts",
    "expect selected <= 100 tokens",
    "expect selected != 5 examples",
    'expect skill "addition" >= 20%',
    'expect skill "addition" > 1% of tokens',
    'expect teacher "tutor" < 60%',
    'expect column split "train" == 100%',
    'expect column model "terse" >= 3 examples',
)


def test_expectations_that_hold_pass_and_say_so(tmp_path: Path) -> None:
    project(tmp_path, test("all is well", *TRUE))
    done = ran(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert timeless(done.stdout) == "spec.mix\n  ok    all is well  … s\n1 test passed\n"
    assert done.stderr == ""


def test_every_kind_of_expectation_can_fail(tmp_path: Path) -> None:
    opposite = {"==": "!=", "!=": "==", ">=": "<", "<=": ">", ">": "<=", "<": ">="}
    wrong = [re.sub(r"[=!<>]+", lambda found: opposite[found[0]], line) for line in TRUE]
    project(tmp_path, "".join(test(f"t{i}", line) for i, line in enumerate(wrong)))
    done = ran(tmp_path)
    assert done.returncode == 1 and done.stdout.count("  FAIL  t") == done.stderr.count("error[MIX0420]: expected") == len(TRUE)


def test_a_failing_test_shows_what_was_expected_what_was_seen_and_the_rows(tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    project(
        tmp_path,
        test("too much", "expect selected == 3 examples", 'expect skill "addition" == 40%', 'expect skill "gemoetry" >= 1 examples')
        + test("no error", "expect error MIX0401")
        + test("fine", "expect selected == 6 examples"),
    )
    done = ran(tmp_path)
    assert done.returncode == 1
    golden(GOLDENS / "MIX0420_expectations.txt", f"{timeless(done.stdout)}\n{done.stderr}")


def test_an_expected_error_must_be_the_only_one(tmp_path: Path) -> None:
    infeasible = RECIPE.replace("up to 6 examples", "60 examples")
    project(tmp_path, test("named", "expect error MIX0401") + test("another", "expect error MIX0503") + test("none", "expect selected == 6 examples"), infeasible)
    done = ran(tmp_path)
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()[1:4]] == ["ok", "FAIL", "FAIL"]
    assert "the run was to end with MIX0503, and it ended with MIX0401" in done.stderr
    assert done.stderr.count("error[MIX0401]") == 2


def test_a_fixture_that_cannot_be_read_may_be_what_is_expected(tmp_path: Path) -> None:
    expects = test("broken rows are noticed", "expect error MIX0501").replace("few", "broken")
    project(tmp_path, expects + test("all is well", *TRUE))
    (tmp_path / "broken.jsonl").write_text('{"question": "What is 1 + 1?", "answer": \n')
    done = ran(tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("2 tests passed\n")
    assert mixc("check", "spec.mix", cwd=tmp_path).returncode == 0
    project(tmp_path, expects.replace("MIX0501", "MIX0503"))
    assert "MIX0501" in ran(tmp_path).stderr


def test_selecting_nothing_is_the_error_that_it_is_in_a_build(tmp_path: Path) -> None:
    project(tmp_path, test("none", "expect error MIX0503"), RECIPE.replace("<= 400 tokens", "<= 0 tokens"))
    assert ran(tmp_path).returncode == 0


def test_scores_in_the_fixture_take_the_place_of_their_scorers(tmp_path: Path) -> None:
    recipe = RECIPE.replace("column(good)", "verify_math(reference)").replace(
        "score length  = column(count, unit: tokens)",
        'student tiny { model "./nowhere" }\nscore length = tokens(student: tiny)\nscore nats = global_logprob(student: tiny)',
    ).replace("maximize -length", "maximize nats")  # fmt: skip
    fixture = [{k: v for k, v in row.items() if k not in ("good", "count")} | {"correct": i % 2 == 0, "length": 10 + i, "nats": -1.0 - i} for i, row in enumerate(EIGHT)]
    tests = test("carried", "expect selected == 4 examples", "expect selected == 52 tokens", 'expect teacher "tutor" == 0 examples')
    project(tmp_path, tests, recipe, fixture)
    blocked = "import sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'trl', 'math_verify'))); " + START
    done = subprocess.run(arguments("test", "spec.mix", code=blocked), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_column_tokens_stands_for_the_tokenizer(tmp_path: Path) -> None:
    recipe = RECIPE.replace("score length  = column(count, unit: tokens)", 'student tiny { model "./nowhere" }').replace("where    length <= 400 tokens", "budget   30 tokens")
    fixture = [row | {"tokens": 5} for row in EIGHT]
    project(tmp_path, test("counted", "expect selected == 6 examples", "expect selected == 30 tokens"), recipe.replace("maximize -length", "maximize random").replace("by -length", "by 1"), fixture)
    done = ran(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_score_that_the_fixture_lacks_is_really_computed(tmp_path: Path) -> None:
    recipe = RECIPE.replace("column(good)", "verify_math(reference)")
    wrong = [row | {"answer": "It is \\boxed{-1}.", "good": True, "prompt_id": f"w{i}", "question": f"{row['question']} Again?"} for i, row in enumerate(EIGHT[:2])]
    right = [row for row in EIGHT if row["good"]][:5]
    project(tmp_path, test("graded", "expect selected == 5 examples"), recipe, [*right, *wrong])
    done = ran(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_of_the_user_is_touched_and_nothing_is_left(tmp_path: Path) -> None:
    recipe = RECIPE.replace("column(good)", "verify_math(reference)")
    project(tmp_path, test("graded", "expect selected >= 1 examples"), recipe)
    (tmp_path / "temporary").mkdir()
    before = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*"))
    done = ran(tmp_path, MIXC_HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path / "temporary"))
    assert done.returncode == 0, done.stderr
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == before


def test_neither_the_corpus_nor_the_model_need_be_there_but_the_fixture(tmp_path: Path) -> None:
    project(tmp_path, test("small", "expect selected == 6 examples"))
    shutil.rmtree(tmp_path / "data")
    assert ran(tmp_path).returncode == 0
    assert mixc("check", "spec.mix", cwd=tmp_path).returncode == 1
    (tmp_path / "few.jsonl").unlink()
    done = ran(tmp_path)
    assert done.returncode == 1 and "error[MIX0208]" in done.stderr and "its tests cannot be run" in done.stdout


def test_rows_of_several_corpora_say_whose_they_are(tmp_path: Path) -> None:
    block = RECIPE[RECIPE.index("corpus rows") : RECIPE.index("skills topics")]
    recipe = RECIPE.replace(block, block + block.replace("corpus rows", "corpus more").replace("data/*", "data/r*").replace("}", '  where model == "tutor"\n}'))
    fixture = [row | {"corpus": "rows" if i < 4 else "more"} for i, row in enumerate(EIGHT)]
    tests = test("both", "expect selected == 5 examples")
    project(tmp_path, tests, recipe.replace('quota    teacher "rambler" <= 30%', ""), fixture)
    done = ran(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    write_rows(tmp_path / "few.jsonl", [row | {"corpus": "rows"} for row in fixture[:5]])
    assert ran(tmp_path).returncode == 0, "a corpus without a row is left out"
    write_rows(tmp_path / "few.jsonl", [*fixture[:-1], fixture[-1] | {"corpus": "mroe"}])
    unknown = ran(tmp_path)
    assert unknown.returncode == 1 and "`mroe`" in unknown.stderr and "MIX0502" in unknown.stderr


def test_tests_are_inherited_and_replaced_by_name(tmp_path: Path) -> None:
    project(tmp_path, test("one", "expect selected == 6 examples") + test("two", "expect selected == 5 examples"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "child.mix").write_text('extends "../spec.mix"\ntest "two" {\n  expect selected == 6 examples\n}\nremove test "one"\n')
    done = ran(tmp_path, "sub/child.mix")
    assert done.returncode == 0, done.stderr
    assert timeless(done.stdout) == "sub/child.mix\n  ok    two  … s\n1 test passed\n"


def test_several_specs_all_run_whatever_is_wrong_with_one(tmp_path: Path) -> None:
    project(tmp_path, test("one", "expect selected == 6 examples"))
    (tmp_path / "broken.mix").write_text(RECIPE.replace("-length", "-lenght"))
    (tmp_path / "none.mix").write_text(RECIPE)
    done = ran(tmp_path, "broken.mix", "none.mix", "missing.mix", "spec.mix")
    assert done.returncode == 1
    assert timeless(done.stdout).splitlines() == [
        "broken.mix", "  wrong its tests cannot be run", "none.mix", "  no tests", "missing.mix", "  wrong its tests cannot be run",
        "spec.mix", "  ok    one  … s", "1 test passed",
    ]  # fmt: skip
    assert "MIX0201" in done.stderr and "MIX0208" in done.stderr
    alone = ran(tmp_path, "none.mix")
    assert alone.returncode == 0 and "a test is a block" in alone.stderr


def test_json_has_every_test_and_every_diagnostic(tmp_path: Path) -> None:
    project(tmp_path, test("good", "expect selected == 6 examples") + test("bad", "expect selected == 5 examples"))
    (tmp_path / "broken.mix").write_text(RECIPE.replace("-length", "-lenght"))
    done = ran(tmp_path, "spec.mix", "broken.mix", "--format", "json")
    data = json.loads(done.stdout)
    assert done.returncode == 1 and (data["passed"], data["failed"]) == (1, 1)
    assert [(t["spec"], t["name"], t["passed"], t["selected"]) for t in data["tests"]] == [("spec.mix", "good", True, 6), ("spec.mix", "bad", False, 6)]
    assert [d["code"] for d in data["tests"][1]["diagnostics"]] == ["MIX0420"] and data["tests"][1]["diagnostics"][0]["start"]["line"] > 30
    assert {d["code"] for d in data["diagnostics"]} == {"MIX0201"}


def test_a_clause_that_is_not_run_yet_fails_the_test_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SCORERS, "pass_rate", dataclasses.replace(SCORERS["pass_rate"], ready=False))
    recipe = RECIPE.replace("score length", "score easy = pass_rate()\nscore length").replace("  where    correct\n", "  where    correct and easy >= 0.1\n")
    project(tmp_path, test("later", "expect selected == 6 examples"), recipe)
    code, _, errors = runner(tmp_path, monkeypatch, capsys)("test", "spec.mix")
    assert code == 1 and "MIX0410" in errors and "spec.mix:15:14" in errors and "--until" not in errors


LICENSED = RECIPE.replace("  teacher   model\n}", '  teacher   model\n  license   terms\n}\nrequire license in ["MIT"]')
TERMS = [{**row, "terms": "MIT" if row["model"] == "tutor" else None} for row in EIGHT]


def test_rows_of_a_fixture_are_held_to_the_licences_that_are_required(tmp_path: Path) -> None:
    project(tmp_path, test("tutor alone", 'expect teacher "tutor" == 100%'), LICENSED, TERMS)
    write_rows(tmp_path / "data" / "rows.jsonl", TERMS)
    assert ran(tmp_path).returncode == 0
    project(tmp_path, test("none", "expect error MIX0544"), LICENSED, [{**row, "terms": "mit"} for row in TERMS])
    write_rows(tmp_path / "data" / "rows.jsonl", TERMS)
    assert ran(tmp_path).returncode == 0


@pytest.mark.parametrize("name", ["reselect", "quickstart"])
def test_the_tests_of_the_shipped_specs_pass_without_corpus_and_student(tmp_path: Path, name: str) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    done = ran(tmp_path, f"specs/tests/{name}.mix")
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [("where    correct\n", ""), ("where    length <= 80 tokens\n", ""), ("heldout    problems where split == \"test\"\n", "")],
)
def test_the_tests_of_the_quickstart_notice_a_clause_that_is_gone(tmp_path: Path, old: str, new: str) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    spec = tmp_path / "specs" / "quickstart.mix"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new))
    done = ran(tmp_path, "specs/tests/quickstart.mix")
    assert done.returncode == 1 and "FAIL" in done.stdout

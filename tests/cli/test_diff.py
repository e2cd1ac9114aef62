"""`mixc diff` from outside: revisions in git, exit codes, what is said where a side cannot be had. Each repository is real and made for the test."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mixc.cli.main import main

from .program import START, arguments, environment

BASE = """\
mix "base" { seed 3 }

corpus rows {
  scan     "rows.jsonl"
  prompt   question
  response answer
  teacher  model
}

skills maths {
  tree "maths.json"
  tag  by column topic
}

select {
  quota  skill "Algebra" >= 10%
  budget 12 examples
}
"""
CHILD = 'extends "shared/base.mix"\n\nselect {\n  replace budget 10 examples\n}\n'
ROW = {"question": "What is 2+2?", "answer": "4", "model": "terse", "topic": "Algebra"}
Run = Callable[..., tuple[int, str, str]]


def git(*words: str) -> None:
    name = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *name, *words], check=True, capture_output=True)


def commit(message: str) -> None:
    git("add", "-A")
    git("commit", "-q", "-m", message)


@pytest.fixture
def mixc(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a spec that extends another; the data is ignored by git. Two commits: the parent's quota changes in the second."""
    root = tmp_path / "project"
    (root / "specs" / "shared").mkdir(parents=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "100")
    Path("specs/shared/rows.jsonl").write_text(json.dumps(ROW) + "\n")
    Path(".gitignore").write_text("*.jsonl\n.mixc\n")
    Path("specs/shared/maths.json").write_text('{"name": "Maths", "children": [{"name": "Algebra"}, {"name": "Geometry"}]}')
    Path("specs/shared/base.mix").write_text(BASE)
    Path("specs/child.mix").write_text(CHILD)
    git("init", "-q")
    commit("first")
    git("tag", "v1")
    Path("specs/shared/base.mix").write_text(BASE.replace(">= 10%", ">= 20%"))
    commit("the parent: more algebra")
    return root


def test_a_parent_is_read_from_the_revision_too(repository: Path, mixc: Run) -> None:
    code, out, err = mixc("diff", "HEAD~1:specs/child.mix", "specs/child.mix", "--format", "json")
    assert (code, err) == (2, "")
    data = json.loads(out)
    assert data["before"] == {"name": "HEAD~1:specs/child.mix", "revision": "HEAD~1"} and data["after"]["revision"] is None
    (change,) = data["changes"]
    assert change["class"] == "re-select"
    assert change["before"] == {"text": 'quota skill "Algebra" >= 10%', "file": "specs/shared/base.mix", "line": 16}
    assert change["after"]["text"] == 'quota skill "Algebra" >= 20%'
    code, out, _ = mixc("diff", "v1:specs/child.mix", "HEAD:specs/child.mix")
    assert code == 2
    assert [line.split() for line in out.splitlines() if line.startswith("  -")] == [
        ["-", "quota", "skill", '"Algebra"', ">=", "10%", "v1:specs/shared/base.mix:16"]
    ]


def test_a_tree_is_read_from_the_revision_too(repository: Path, mixc: Run) -> None:
    Path("specs/shared/maths.json").write_text('{"name": "Maths", "children": [{"name": "Algebra", "children": [{"name": "Groups"}]}]}')
    code, out, _ = mixc("diff", "HEAD:specs/child.mix", "specs/child.mix", "--format", "json")
    assert code == 2
    assert [(c["block"], c["class"]) for c in json.loads(out)["changes"]] == [("skills", "re-select")]


def test_one_spec_is_compared_with_its_last_commit(repository: Path, mixc: Run) -> None:
    assert mixc("diff", "specs/child.mix")[:2] == (0, "HEAD:specs/child.mix -> specs/child.mix: no difference\n")
    Path("specs/child.mix").write_text(CHILD.replace("10 examples", "8 examples"))
    code, out, _ = mixc("diff", "specs/child.mix")
    assert code == 2 and "- budget 10 examples" in out and "+ budget 8 examples" in out
    Path("specs/child.mix").write_text(CHILD + "# a word\n")
    code, out, _ = mixc("diff", "specs/child.mix")
    assert code == 0 and "the same in meaning" in out and "the text: comments" in out


def test_a_revision_alone_is_compared_with_the_file_as_it_is(repository: Path, mixc: Run) -> None:
    code, out, _ = mixc("diff", "v1:specs/child.mix")
    assert code == 2 and out.startswith("v1:specs/child.mix -> specs/child.mix: re-select\n")


def test_nothing_heavy_is_loaded(repository: Path) -> None:
    done = program("diff", "v1:specs/child.mix", code=f"{START.rpartition(';')[0]}; import sys; from mixc.cli.main import main; main(); print(*sys.modules)")
    assert "run again" in done and not {"torch", "polars", "numpy", "jsonschema", "transformers"} & set(done.split())


def program(*words: str, code: str) -> str:
    return subprocess.run(arguments(*words, code=code), env=environment(), capture_output=True, text=True, check=True).stdout


def test_the_index_is_a_revision_without_a_name(repository: Path, mixc: Run) -> None:
    Path("specs/child.mix").write_text(CHILD.replace("10 examples", "8 examples"))
    git("add", "specs/child.mix")
    Path("specs/child.mix").write_text(CHILD.replace("10 examples", "7 examples"))
    code, out, _ = mixc("diff", ":specs/child.mix", "specs/child.mix")
    assert code == 2 and "- budget 8 examples" in out and "+ budget 7 examples" in out


def test_paths_are_relative_to_the_working_directory(repository: Path, mixc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "specs" / "shared")
    for name in ("../child.mix", "./../child.mix", str(repository / "specs" / "child.mix")):
        code, out, err = mixc("diff", f"v1:{name}", name)
        assert code == 2 and '>= 10%' in out, err


def test_a_path_may_be_relative_to_the_top_as_git_has_it(repository: Path, mixc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "specs" / "shared")
    code, out, err = mixc("diff", "v1:specs/child.mix", "HEAD:../child.mix")
    assert code == 2 and '>= 10%' in out, err
    assert mixc("diff", "v1:./specs/child.mix", "../child.mix")[0] == 1


def test_a_folder_of_variants_is_told_from_a_build(repository: Path, mixc: Run) -> None:
    (repository / "build" / "n=1").mkdir(parents=True)
    (repository / "build" / "n=1" / "plan.json").write_text("{}")
    code, _, err = mixc("diff", "build", "specs/child.mix")
    assert code == 1 and "name one, such as `build/n=1`" in err


def test_nothing_is_checked_out_and_the_index_stays(repository: Path, mixc: Run) -> None:
    Path("specs/child.mix").write_text(CHILD + "\n# mine\n")
    index = Path(".git/index").read_bytes()
    mixc("diff", "v1:specs/child.mix", "specs/child.mix")
    assert Path("specs/child.mix").read_text() == CHILD + "\n# mine\n"
    assert Path(".git/index").read_bytes() == index and Path(".git/HEAD").read_text() == "ref: refs/heads/main\n"


def test_a_revision_may_be_named_with_a_colon(repository: Path, mixc: Run) -> None:
    code, out, err = mixc("diff", "HEAD^{/the parent: more}:specs/child.mix", "v1:specs/child.mix")
    assert code == 2 and "+ quota skill" in out, err


@pytest.mark.parametrize(
    ("words", "says", "helps"),
    [
        (("HAED:specs/child.mix", "specs/child.mix"), "git knows no revision `HAED`", "did you mean `HEAD:specs/child.mix`?"),
        (("v2:specs/child.mix", "specs/child.mix"), "git knows no revision `v2`", "did you mean `v1:specs/child.mix`?"),
        (("nothing-like-it:specs/child.mix", "specs/child.mix"), "git knows no revision", "git log --oneline"),
        (("v1:specs/chlid.mix", "specs/child.mix"), "there is no `specs/chlid.mix` in the revision `v1`", "`v1:specs/child.mix`"),
        (("v1:child.mix", "specs/child.mix"), "there is no `child.mix`", "`v1:specs/child.mix`"),
        (("v1:specs", "specs/child.mix"), "there is no `specs` in", "`v1:specs/child.mix`"),
        (("specs/nothing.mix", "specs/child.mix"), "no spec at `specs/nothing.mix`", "`specs/child.mix`"),
        (("specs", "specs/child.mix"), "a folder without a `plan.json`", "name one, or a spec"),
        (("specs/child.mix:", "specs/child.mix"), "git knows no revision `specs/child.mix`", ""),
    ],
)
def test_what_cannot_be_had_is_said_with_a_way_out(repository: Path, mixc: Run, words: tuple[str, str], says: str, helps: str) -> None:
    code, out, err = mixc("diff", *words)
    assert (code, out) == (1, "")
    assert "MIX0208" in err and says in err and helps in err


def test_an_untracked_spec_alone_has_nothing_to_be_compared_with(repository: Path, mixc: Run) -> None:
    Path("specs/new.mix").write_text(CHILD)
    code, _, err = mixc("diff", "specs/new.mix")
    assert code == 1 and "git has no `specs/new.mix` at `HEAD`" in err and "commit it first" in err
    code, _, err = mixc("diff", "specs")
    assert code == 1 and "B is missing" in err


def test_no_repository_and_no_commit_and_no_git(tmp_path: Path, mixc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    Path("a.mix").write_text(BASE)
    code, _, err = mixc("diff", "HEAD:a.mix", "a.mix")
    assert code == 1 and "in no git repository" in err
    git("init", "-q")
    code, _, err = mixc("diff", "HEAD:a.mix", "a.mix")
    assert code == 1 and "nothing is committed yet" in err and "commit the spec first" in err
    assert mixc("diff", "a.mix")[0] == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = mixc("diff", "HEAD:a.mix", "a.mix")
    assert code == 1 and "git, which is not installed" in err


def test_a_side_that_does_not_compile_shows_its_own_text(repository: Path, mixc: Run) -> None:
    Path("specs/shared/base.mix").write_text(BASE.replace("budget 12 examples", "bugdet 12 examples"))
    commit("a slip")
    Path("specs/shared/base.mix").write_text(BASE)
    code, out, err = mixc("diff", "HEAD:specs/child.mix", "specs/child.mix")
    assert (code, out) == (1, "")
    assert "bugdet 12 examples" in err and "in `HEAD:specs/child.mix`" in err and "Traceback" not in err
    code, out, _ = mixc("diff", "HEAD:specs/child.mix", "specs/child.mix", "--format", "json")
    assert code == 1 and json.loads(out)["diagnostics"][0]["start"]["line"] == 17


def test_a_broken_plan_is_no_traceback(repository: Path, mixc: Run) -> None:
    for text in ("", "[]", '{"mixc_plan": 1}', '{"mixc_plan": 99, "name": "x"}', "[" * 100_000):
        Path("plan.json").write_text(text)
        code, _, err = mixc("diff", "plan.json", "specs/child.mix")
        assert code == 4 and "MIX0501" in err and "Traceback" not in err and "bug" not in err


def test_params_are_set_on_both_sides(repository: Path, mixc: Run) -> None:
    Path("a.mix").write_text("param n = 1\n" + BASE.replace("12 examples", "$n examples").replace('"rows', '"specs/shared/rows').replace('"maths', '"specs/shared/maths'))
    Path("b.mix").write_text(Path("a.mix").read_text().replace("param n = 1", "param n = 2"))
    assert mixc("diff", "a.mix", "b.mix")[0] == 2
    code, out, _ = mixc("diff", "a.mix", "b.mix", "--set", "n=5")
    assert code == 0 and "the text: params" in out


def test_a_removed_test_of_a_parent_is_told(repository: Path, mixc: Run) -> None:
    Path("specs/shared/base.mix").write_text(BASE + 'test "t" {\n  given "rows.jsonl"\n  expect selected == 1 examples\n}\n')
    Path("specs/other.mix").write_text(CHILD + '\nremove test "t"\n')
    code, out, err = mixc("diff", "specs/child.mix", "specs/other.mix", "--format", "json")
    assert code == 0, err
    assert [(c["kind"], c["block"]) for c in json.loads(out)["changes"]] == [("removed", "test t")]


def test_a_repository_that_git_refuses_is_no_missing_one(repository: Path, mixc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository / "gone"))
    code, _, err = mixc("diff", "v1:specs/child.mix", "specs/child.mix")
    assert code == 1 and "MIX0208" in err and "no git repository" not in err


def test_a_spec_that_warns_is_compared(repository: Path, mixc: Run) -> None:
    Path("specs/child.mix").write_text(CHILD + '\ntest "t" {\n  given "shared/rows.jsonl"\n  expect selected == 1 examples\n}\n')
    code, out, err = mixc("diff", "specs/child.mix")
    assert code == 0 and err == "" and "no stage reads it" in out

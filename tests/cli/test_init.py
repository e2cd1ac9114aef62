"""`mixc init`: what it writes checks and builds, without a model."""

import json
import subprocess
from pathlib import Path

import pytest
from mixc.cli.main import main

from .program import START, arguments, environment

WRITTEN = (".gitignore", "README.md", "data/responses.jsonl", "recipe.mix", "tests/wrong.jsonl")


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_starter_project_is_written_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", str(tmp_path / "new" / "demo")]) == 0
    assert files(tmp_path / "new" / "demo") == list(WRITTEN)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "mixc build recipe.mix" in shown.err


@pytest.mark.parametrize("there", WRITTEN)
def test_nothing_is_overwritten_and_nothing_half_written(
    there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert files(tmp_path) == [there]
    assert (tmp_path / there).read_text() == "mine"
    assert f"`{there}`" in capsys.readouterr().err


def test_a_file_is_no_place_for_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "demo").write_text("")
    assert main(["init", str(tmp_path / "demo")]) == 1
    assert "is a file, not a folder" in capsys.readouterr().err


def test_the_data_says_the_truth_about_itself(tmp_path: Path):
    main(["init", "-q", str(tmp_path)])
    rows = [json.loads(line) for line in (tmp_path / "data/responses.jsonl").read_text().splitlines()]
    assert {r["teacher"] for r in rows} == {"careful", "brief", "hasty"}
    for row in rows:
        assert row["correct"] == row["response"].endswith(f"The answer is {row['reference']}.")
    assert len({(r["prompt"], r["teacher"]) for r in rows}) == len(rows)


def test_the_starter_checks_and_builds_where_there_is_no_torch(tmp_path: Path):
    main(["init", "-q", str(tmp_path)])
    blocked = "import sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'trl'))); " + START
    for words in (("check", "recipe.mix"), ("test", "recipe.mix"), ("plan", "recipe.mix"), ("build", "recipe.mix")):
        done = subprocess.run(
            arguments(*words, code=blocked),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    lines = (tmp_path / "build/recipe/train.jsonl").read_text().splitlines()
    assert len(lines) == 10

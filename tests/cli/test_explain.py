"""`mixc explain`: one story, or the list of all."""

import json

import pytest
from mixc.cli.main import main
from mixc.compiler.codes.all import CODES


@pytest.mark.parametrize("word", ["MIX0201", "mix0201", "0201", "201"])
def test_a_code_is_found_however_it_is_written(word: str, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", word]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"MIX0201: {CODES['MIX0201'].title}\n")
    assert "\nwrong:\n" in shown and "\nright:\n" in shown
    assert max(len(line) for line in shown.splitlines()) <= 130


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]):
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    assert [w for w in shown.split() if w in CODES] == sorted(CODES)


def test_the_nearest_code_is_offered(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "MIX0291"]) == 1
    assert "did you mean `mixc explain MIX0201`?" in capsys.readouterr().err


def test_json_has_the_same_words(capsys: pytest.CaptureFixture[str]):
    assert main(["explain", "0201", "--format", "json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert main(["explain", "--format", "json"]) == 0
    every = json.loads(capsys.readouterr().out)["codes"]
    assert one in every
    assert one == {
        "code": "MIX0201",
        "title": CODES["MIX0201"].title,
        "story": CODES["MIX0201"].story,
        "wrong": CODES["MIX0201"].wrong,
        "right": CODES["MIX0201"].right,
    }
    assert [entry["code"] for entry in every] == sorted(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_title_of_one_line_and_a_story(code: str):
    entry = CODES[code]
    assert len(code) == 7 and code.startswith("MIX0") and code[3:].isdigit()
    assert entry.title and "\n" not in entry.title and not entry.title.endswith(".")
    assert len(entry.story.split()) > 8

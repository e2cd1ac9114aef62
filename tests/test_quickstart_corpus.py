"""What the script of the quickstart promises of the corpus that it writes."""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "specs" / "quickstart" / "make_corpus.py"
COLUMNS = ["id", "question", "answer", "model", "solution", "skill", "split"]


def written(folder: Path, **environment: str) -> Path:
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(scope="module")
def responses(folder: Path) -> list[dict[str, str]]:
    return rows(folder / "responses.jsonl")


@pytest.fixture(scope="module")
def benchmark(folder: Path) -> list[dict[str, str]]:
    return rows(folder / "benchmark.jsonl")


def boxed(row: dict[str, str]) -> str:
    found = re.search(r"\\boxed\{(\d+)\}\.?$", row["solution"])
    assert found, row["solution"]
    return found.group(1)


def ngrams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())
    return {tuple(words[start : start + 8]) for start in range(len(words) - 7)}


def test_same_bytes_whatever_the_hash_seed_and_however_often(folder: Path, tmp_path: Path) -> None:
    again = written(written(tmp_path, PYTHONHASHSEED="1"), PYTHONHASHSEED="2")
    assert sorted(path.name for path in again.iterdir()) == ["benchmark.jsonl", "responses.jsonl"]
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_every_problem_is_answered_once_by_each_teacher(responses: list[dict[str, str]]) -> None:
    assert all(list(row) == COLUMNS and all(row.values()) for row in responses)
    assert {row["model"] for row in responses} == {"terse", "tutor", "rambler"}
    assert len({(row["id"], row["model"]) for row in responses}) == len(responses) == 600
    by_prompt = {row["id"]: (row["question"], row["answer"], row["skill"], row["split"]) for row in responses}
    assert len(by_prompt) == len(set(by_prompt.values())) == len({row["question"] for row in responses}) == 200


def test_skills_and_splits_are_even(responses: list[dict[str, str]]) -> None:
    prompts = {(row["id"], row["skill"], row["split"]) for row in responses}
    counts = Counter((skill, split) for _, skill, split in prompts)
    assert len(counts) == 16
    assert all(number == (3 if split == "test" else 22) for (_, split), number in counts.items())


def test_teachers_are_right_as_often_as_their_style_lets_one_expect(responses: list[dict[str, str]]) -> None:
    right = Counter(row["model"] for row in responses if boxed(row) == row["answer"])
    assert 180 <= right["terse"] <= 196
    assert 170 <= right["tutor"] <= 190
    assert 125 <= right["rambler"] <= 155


def test_the_tutor_explains_the_rambler_hedges_and_terse_does_neither(responses: list[dict[str, str]]) -> None:
    length = Counter[str]()
    for row in responses:
        length[row["model"]] += len(row["solution"])
        sentences = len(re.findall(r"[.!?](?= |$)", row["solution"]))
        if row["model"] == "rambler":
            assert "Whatever!!" in row["solution"] and "==>" in row["solution"]
        else:
            assert sentences == 2 if row["model"] == "terse" else 4 <= sentences <= 6, row["solution"]
    assert length["terse"] * 2 < length["tutor"] and length["terse"] * 2 < length["rambler"]


def test_a_right_response_shows_sums_that_add_up(responses: list[dict[str, str]]) -> None:
    checked = 0
    for row in responses:
        if row["model"] == "tutor" and boxed(row) == row["answer"]:
            for left, shown in re.findall(r": ([\d +*/-]+) = (\d+)\.", row["solution"]):
                assert value(left) == int(shown), row["solution"]
                checked += 1
    assert checked > 170


def value(sum_: str) -> Fraction:
    """`a op b op c`, from the left, as the scripted teachers write sums."""
    first, *rest = sum_.split()
    total = Fraction(first)
    for sign, number in zip(rest[::2], rest[1::2], strict=True):
        match sign:
            case "+":
                total += int(number)
            case "-":
                total -= int(number)
            case "*":
                total *= int(number)
            case _:
                total /= int(number)
    return total


def test_a_wrong_response_is_wrong_in_its_last_line_alone(responses: list[dict[str, str]]) -> None:
    for row in responses:
        assert int(boxed(row)) > 0
        if row["model"] == "terse":
            assert re.findall(r"= (\d+)", row["solution"])[-1] == boxed(row)


def test_three_train_prompts_and_no_others_leaked_from_the_benchmark(
    responses: list[dict[str, str]], benchmark: list[dict[str, str]]
) -> None:
    forbidden = set().union(*(ngrams(row["problem"]) for row in benchmark))
    leaked = {(row["skill"], row["split"]) for row in responses if ngrams(row["question"]) & forbidden}
    assert leaked == {("addition", "train"), ("division", "train"), ("time", "train")}
    assert len({row["id"] for row in responses if ngrams(row["question"]) & forbidden}) == 3


def test_the_benchmark_asks_for_every_skill(responses: list[dict[str, str]], benchmark: list[dict[str, str]]) -> None:
    assert all(list(row) == ["id", "problem", "answer", "skill"] and row["answer"].isdigit() for row in benchmark)
    assert Counter(row["skill"] for row in benchmark) == dict.fromkeys({row["skill"] for row in responses}, 5)
    assert len({row["problem"] for row in benchmark}) == len(benchmark)

"""`grade_exact` and `grade_choice`: what is written decides, and nothing wrong is taken for right."""

import warnings
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from mixc.runtime.scorers.graders import Grade, grade_choice, grade_exact, grade_math
from mixc.runtime.scorers.letters import choices, final


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Final answer: 3", "3"),
        ("final answer: 3\nNote: it is 4 otherwise", "3"),
        ("Final answer: 2\nNo.\nFinal answer: 3", "3"),
        ("The answer is: [1, 2]", "[1, 2]"),
        ("so\n#### 7", "7"),
        ("  'a b '  ", "'a b '"),
        ("one\ntwo", None),
        ("", None),
        ("Final answer:", None),
    ],
)
def test_the_final_answer_is_behind_its_last_mark(response: str, answer: str | None) -> None:
    assert final(response) == answer


SAME = [("'p'", "p"), ("'p'", '"p"'), ("[1,2]", "[1, 2]"), ("{'l': 1}", '{"l": 1}'), ("'[ab]'", "[ab]"), ("x y", "x y"), ("{'u': 1}", "{u'u': 1}")]
OTHER = [
    ("'1'", "1"), ("1", "1.0"), ("1", "True"), ("'True'", "True"), ("[1]", "(1,)"), ("'a '", "'a'"), ("A", "a"), ("'[4]'", "[4]"),
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"), ("{1: 2}", "{1: 3, 1: 2}"), ("{{1: 2}}", "{{1: 3}}"), (r"'\d'", r"'\w'"), ("[", "("),
]  # fmt: skip


def test_quotes_and_spacing_of_a_literal_are_no_letters_and_all_else_is() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = grade_exact([(f"Final answer: {answer}", reference) for reference, answer in SAME])
        other = grade_exact([(f"Final answer: {answer}", reference) for reference, answer in OTHER])
    assert same == [Grade(True)] * len(SAME)
    assert other == [Grade(False)] * len(OTHER)


def test_what_python_cannot_read_is_compared_as_it_is() -> None:
    deep, long = "[" * 5_000, "[" + "1, " * 50_000 + "1]"
    assert grade_exact([(f"Final answer: {text}", text) for text in (deep, long)]) == [Grade(True)] * 2
    assert grade_exact([(f"Final answer: {deep}", deep + "["), ("a\nb", "b")]) == [Grade(False)] * 2


@pytest.mark.parametrize(
    ("response", "named"),
    [
        ("The answer is (C).", "C"),
        ("The answer is **C**", "C"),
        ("Answer: C", "C"),
        ("the answer is C. 40 metres", "C"),
        (r"so \boxed{\text{C}}", "C"),
        ("we get the answer (C).", "C"),
        ("(C)", "C"),
        ("The answer is (C). No: the answer is (A).", "AC"),
        ("The answer is A 5 m rope", ""),
        ("The answer is January 2. Option A1", ""),
        ("The answer is (C. false, true).", "C"),
        ("The answer is (C. false and D. true).", ""),
        ("The answer is (A, C)", ""),
        ("The answer is (A", ""),
        ("the answer is not (A)", ""),
        ("A is true and B is not", ""),
    ],
)
def test_a_letter_is_named_where_the_response_says_that_it_is_the_answer(response: str, named: str) -> None:
    assert choices(response) == tuple(named)


def test_one_letter_is_right_or_wrong_several_are_neither() -> None:
    pairs = [("The answer is (C).", "C"), ("The answer is (C).", "(C)"), ("The answer is (B).", "C"), ("I do not know", "C")]
    assert [grade.value for grade in grade_choice(pairs)] == [True, True, False, False]
    several = grade_choice([("The answer is (C). The answer is (B).", "C"), ("Answer: C", "east"), ("Answer: C", None)])
    assert several == [Grade(None, "unknown: several answers: B, C"), Grade(None, "unknown: the reference is no letter"), Grade(None, "no reference")]


@pytest.mark.parametrize("grader", [grade_exact, grade_choice])
def test_without_a_reference_nothing_is_said(grader: Callable[..., list[Grade]]) -> None:
    assert grader([("Answer: C", None), ("Answer: C", " ")]) == [Grade(None, "no reference")] * 2


@pytest.mark.shared
@pytest.mark.parametrize(
    ("corpus", "grader", "least"), [("gsm8k", grade_math, 0.99), ("math_l5", grade_math, 0.995), ("crux", grade_exact, 0.97), ("mmlu_pro", grade_choice, 0.95)]
)
def test_grades_agree_with_the_labels_of_real_responses(
    shared: Path, corpus: str, grader: Callable[..., list[Grade]], least: float
) -> None:
    rows = pl.scan_parquet(shared / "teachers.parquet").filter(pl.col("corpus") == corpus).collect().sample(400, seed=7)
    grades = grader(list(zip(rows["response"], rows["reference_answer"], strict=True)))
    agree = sum(grade.value == correct for grade, correct in zip(grades, rows["correct"], strict=True))
    assert agree >= least * len(rows)
    if grader is not grade_math:  # a label of false that the grade calls true: at most notes and misread words
        assert sum(grade.value is True and not correct for grade, correct in zip(grades, rows["correct"], strict=True)) <= 1

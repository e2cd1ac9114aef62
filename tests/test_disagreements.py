"""Every rule by which the grading benchmark says why a grade and a label differ."""

import pytest
from mixc.benchmarks.disagreements import kind

LAX, STRICT, GRADE = "label too lax: ", "label too strict: ", "grade too strict: "
CASES = [
    ("gsm8k", "", "12", "5 + 7 = 12", False, True, STRICT + "the working stands in the box, its result is the reference"),
    ("gsm8k", "", "12", "20 - (5 + 3)", False, True, STRICT + "a sum left undone equals the reference"),
    ("math_l5", "", "12", "12 miles", False, True, STRICT + "a unit behind the number"),
    ("math_l5", "", "12", "3√5 + 12", True, False, LAX + "one term of the answer is the reference"),
    ("gsm8k", "", "12", "13", True, False, "grade too strict"),
    ("gsm8k", "", "12", "13", False, True, "other"),
    ("gsm8k", "", "12", "12", True, None, "unknown"),
    ("crux", "Final answer: 12", "'12'", "12", True, False, LAX + "a text without its quotes reads as another literal"),
    ("crux", "Final answer: {1: 3, 1: 2}", "{1: 2}", "", True, False, LAX + "a key stands twice"),
    ("crux", "Final answer: {1: 3, 2: 4}", "{2: 4, 1: 3}", "", True, False, GRADE + "the keys in another order"),
    ("crux", "Final answer: a\nb", r"'a\nb'", "", True, False, GRADE + "the answer goes over several lines"),
    ("crux", "Final answer: 3\nNote: done", "3", "", False, True, STRICT + "a note behind the answer"),
    ("crux", "Final answer: 3", "4", "", True, False, "other"),
    ("mmlu_pro", "The answer is (B). The answer is (C).", "B", "B", True, None, "several answers: the label took the first"),
    ("mmlu_pro", "The answer is Better. The answer is (C).", "C", "B", False, True, STRICT + "it took the first letter of a word"),
    ("mmlu_pro", "The answer is (Better not said)", "B", "B", True, False, LAX + "it took the first letter of a word"),
    ("mmlu_pro", "The answer is (B, C)", "B", "B", True, False, LAX + "of several letters in one answer it took the first"),
    ("mmlu_pro", "The answer is (B", "B", "B", True, False, GRADE + "cut off behind the letter"),
    ("mmlu_pro", "The closest option is (B) 7 m", "B", "B", True, False, GRADE + "the answer is named in other words"),
    ("mmlu_pro", "and 4 times 4 is", "B", "B", True, False, LAX + "no answer, a letter was guessed"),
    ("mmlu_pro", "Answer: B", "B", "B", True, False, "other"),
]


@pytest.mark.parametrize(("corpus", "response", "reference", "labelled", "correct", "grade", "why"), CASES)
def test_a_disagreement_has_its_class(
    corpus: str, response: str, reference: str, labelled: str, correct: bool, grade: bool | None, why: str
) -> None:
    assert kind(corpus, response, reference, labelled, correct, grade) == why

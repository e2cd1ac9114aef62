"""Why a grade and a label differ, by rule: which of the two is right, and what in the response made the other wrong. Knows no grader's inside."""

import ast
import re

from mixc.runtime.scorers.letters import choices, final

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_AMOUNT = re.compile(r"\$?-?\d[\d,]*(?:\.\d+)?(?: [A-Za-z]+)+\.?")
_LIST = re.compile(r"(?i:answer is):? \(?[A-Z](?:,| and) ")
_CUT = re.compile(r"(?i:answer is):? \([A-Z]\Z")
_OTHERWISE = re.compile(r"(?i:closest|option|choice|buy|this) (?i:is|to|that|satisfies)[^\n]{0,20}\([A-Z]\)|option \([A-Z]\)")


def kind(corpus: str, response: str, reference: str, labelled: str, correct: bool, grade: bool | None) -> str:
    """The class of a row whose `grade` is not its label `correct`; `labelled` is the answer that the label was made from."""
    if corpus == "crux":
        return _letters(response, reference, correct, grade)
    if corpus == "mmlu_pro":
        return _choice(response, labelled, correct, grade)
    return _mathematics(reference, labelled, correct, grade)


def _mathematics(reference: str, labelled: str, correct: bool, grade: bool | None) -> str:
    if grade is None:
        return "unknown"
    numbers = [_value(found) for found in _NUMBER.findall(labelled)]
    if correct:
        return "label too lax: one term of the answer is the reference" if _value(reference) in numbers else "grade too strict"
    if _AMOUNT.fullmatch(labelled.strip()):
        return "label too strict: a unit behind the number"
    if "=" in labelled and numbers and numbers[-1] == _value(reference):
        return "label too strict: the working stands in the box, its result is the reference"
    if re.search(r"\d\s*[-+*/]", labelled) and not re.search(r"[A-Za-z=]", labelled):
        return "label too strict: a sum left undone equals the reference"
    return "other"


def _letters(response: str, reference: str, correct: bool, grade: bool | None) -> str:
    answer = final(response) or ""
    if not correct:
        return "label too strict: a note behind the answer" if grade else "unknown"
    right, said = _literal(reference), _literal(answer)
    if isinstance(right, str) and "\n" in right:
        return "grade too strict: the answer goes over several lines"
    if isinstance(right, dict) and isinstance(said, dict) and right == said:
        pairs = ast.parse(answer, mode="eval").body
        twice = isinstance(pairs, ast.Dict) and len(pairs.keys) > len(said)
        return "label too lax: a key stands twice" if twice else "grade too strict: the keys in another order"
    if isinstance(right, str) and answer == right:
        return "label too lax: a text without its quotes reads as another literal"
    return "other"


def _choice(response: str, labelled: str, correct: bool, grade: bool | None) -> str:
    if grade is None:
        return "several answers: the label took the first"
    of_a_word = re.search(rf"(?i:answer is):? \(?{labelled}['\w]", response)
    if not correct:
        return "label too strict: it took the first letter of a word" if grade and of_a_word else "other"
    if of_a_word:
        return "label too lax: it took the first letter of a word"
    if choices(response):
        return "other"
    if _CUT.search(response):
        return "grade too strict: cut off behind the letter"
    if _LIST.search(response):
        return "label too lax: of several letters in one answer it took the first"
    if _OTHERWISE.search(response[-120:]):
        return "grade too strict: the answer is named in other words"
    return "label too lax: no answer, a letter was guessed"


def _value(number: str) -> float:
    return float(number.replace(",", "").rstrip("."))


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return None

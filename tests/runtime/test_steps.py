"""Where a response is cut into steps."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from mixc.runtime.steps import given, split


def pieces(text: str, rule: str = "sentence") -> list[str]:
    return [text[start:end] for start, end in split(text, rule)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("We add them. Then 5 apples! Is it so? Yes it is.", ["We add them.", " Then 5 apples!", " Is it so?", " Yes it is."]),
        ("It costs 3.50 dollars. Next.", ["It costs 3.50 dollars.", " Next."]),
        ("First line\nsecond line\n\n\nthird", ["First line\n", "second line\n\n\n", "third"]),
        ("It ends here. \nThen more.", ["It ends here. \n", "Then more."]),
        ("It ends here.\tThen more.", ["It ends here.\tThen more."]),
        ("Well... That is it.", ["Well...", " That is it."]),
        ("It ends.   ", ["It ends.   "]),
        ("lines\r\n\r\nof windows", ["lines\r\n\r\n", "of windows"]),
    ],
)
def test_a_sentence_ends_before_its_spaces_and_after_its_newlines(text: str, steps: list[str]) -> None:
    assert pieces(text) == steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("1. Add them all. End it.", ["1. Add them all.", " End it."]),
        ("1. 2. Add them.", ["1. 2.", " Add them."]),
        ("Add them all. Ok.", ["Add them all. Ok."]),
        ("Add them all. Yes. No it is.", ["Add them all.", " Yes.", " No it is."]),
        ("\n\nAdd them.", ["\n\nAdd them."]),
        ("Add them.\n \n", ["Add them.\n \n"]),
        ("Ok.", ["Ok."]),
        ("a. b.", ["a. b."]),
        ("  ", ["  "]),
    ],
)
def test_a_piece_of_fewer_than_four_characters_joins_the_next_or_at_the_end_the_one_before(
    text: str, steps: list[str]
) -> None:
    assert pieces(text) == steps


def test_paragraphs_end_after_blank_lines_and_lines_after_newlines() -> None:
    text = "One here. Two.\nThree\n\nFour.\n  \nFive here\n"
    assert pieces(text, "newline") == ["One here. Two.\n", "Three\n\n", "Four.\n", "  \nFive here\n"]
    assert pieces(text, "paragraph") == ["One here. Two.\nThree\n\n", "Four.\n  \n", "Five here\n"]


@examples(st.text(alphabet="ab1.!? \n\r\té日"), st.sampled_from(["sentence", "newline", "paragraph"]))
def test_steps_cover_the_text_once_and_none_is_short(text: str, rule: str) -> None:
    steps = pieces(text, rule)
    assert "".join(steps) == text
    assert all(steps)
    assert len(steps) < 2 or all(len("".join(step.split())) >= 4 for step in steps)


def test_given_steps_are_the_response_or_say_why_not() -> None:
    assert given(["ab", "", "c"], "abc") == [(0, 2), (2, 2), (2, 3)]
    assert given(["ab", "x"], "abc") == "the given steps are not the response, from step 2 on"
    assert given(["ab"], "abc") == "the given steps end before the response does, at character 2"
    assert given(["ab", "c", "d"], "abc") == "the given steps are not the response, from step 3 on"
    assert given(["ab", None], "abc") == "the given steps are not the response, from step 2 on"
    assert given(None, "abc") == "no steps are given"

"""What a row becomes before it is tokenised."""

import pytest
from mixc.runtime.chat import messages


def test_plain_is_prompt_and_response_untouched():
    assert messages(" 1+1? ", "It is\n2 ", ["Algebra->Sums"], "plain") == [
        {"role": "user", "content": " 1+1? "},
        {"role": "assistant", "content": "It is\n2 "},
    ]


def test_skill_aware_begins_the_answer_with_one_chain_a_line_and_leaves_the_prompt_alone():
    user, assistant = messages("1+1?", "2", ["B->b->x", "A"], "skill_aware")
    assert user["content"] == "1+1?"
    assert assistant["content"] == "Skills:\nA\nB->b->x\n2"


def test_the_order_and_repetition_of_chains_do_not_show():
    forms = [["B->c", "A->b"], ["A->b", "B->c"], ["A->b", "B->c", "A->b"]]
    assert len({messages("p", "r", skills, "skill_aware")[1]["content"] for skills in forms}) == 1


@pytest.mark.parametrize("skills", [None, [], [""], [" ", "\n"]])
def test_skill_aware_without_skills_is_the_plain_response(skills):
    assert messages("p", "r", skills, "skill_aware") == messages("p", "r", skills, "plain")


def test_a_chain_is_one_line_whatever_the_name_of_a_skill_holds():
    assert messages("p", "r", ["B\nSkills:", "", "A -> b"], "skill_aware")[1]["content"] == "Skills:\nA -> b\nB Skills:\nr"


def test_a_format_that_does_not_exist_is_never_taken_for_plain():
    with pytest.raises(ValueError, match="skill-aware"):
        messages("p", "r", [], "skill-aware")

"""What is told of the thing under the cursor."""

import pytest
from mixc.compiler.ide.hover import explained, hover
from mixc.compiler.ide.usage import usage
from mixc.compiler.ide.words import WORDS
from mixc.grammar import table
from mixc.tests.ide.asking import BASE, asked, project


def told(marked: str, **more) -> str:
    whole, offset = asked(marked, **more)
    found = hover(whole, offset)
    return found.markdown if found else ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("where    correct", "where    corr|ect", ["score correct = verify_math(reference)", "**true or false**"]),
        ("maximize natural", "maximize nat|ural", ["**a log-probability in nats**", "(LALP)", "`split: sentence`, `debias: none`"]),
        ("where    length", "where    len|gth", ["column(count, unit: tokens)", "**a number of tokens**"]),
        ("= verify_math", "= verify|_math", ["verify_math(reference)", "moderate: a grader"]),
        ("= local_logprob", "= local|_logprob", ["window: 4 steps", "dear: the model reads every response", "`sentence`, `newline`"]),
        ("window: 4", "win|dow: 4", ["window: 4 steps", "argument of `local_logprob`"]),
        ("$n examples", "$|n examples", ["param n = 40"]),
        ("param n", "param |n", ["param n = 40"]),
        ("column(count", "column(cou|nt", ["column count", "a bare number, in the files of `rows`"]),
        ('model == "terse"', 'mo|del == "terse"', ["column model", "a text"]),
        ("verify_math(reference)", "verify_math(ref|erence)", ["reference: the right answer", "column `answer` of `rows`"]),
        ("student: small", "student: sma|ll", ["student small", 'model `"./small"`']),
        ("teacher brief from rows", "teacher brief from ro|ws", ["corpus rows", 'scan `"rows.jsonl"`', "8 columns: `question`"]),
        ("quota    teacher brief", "quota    teacher br|ief", ['teacher brief from rows where model == "terse"']),
        ("skills maths", "skills ma|ths", ['tree `"tree.json"`', "tag by `column topic`", "3 skills in the tree"]),
        ('skill "Geometry"', 'skill "Geo|metry"', ["Geometry", "1 skill below it"]),
        ("quota    skill", "quo|ta    skill", ["`quota`", "Bounds how much"]),
        ("400 tokens", "400 tok|ens", ["`tokens`", "under the student's tokenizer"]),
        ("  teacher   model", "  tea|cher   model", ["teacher: who wrote the response", "column `model` of `rows`"]),
        ("seed 1", "se|ed 1", ["Decides every choice by chance"]),
    ],
)
def test_what_is_told(old: str, new: str, said: list[str]) -> None:
    assert BASE.count(old) >= 1
    markdown = told(BASE.replace(old, new, 1))
    for each in said:
        assert each in markdown, markdown


def test_a_quantile_says_what_it_is() -> None:
    assert "20th percentile" in told(BASE.replace("where    correct", "where    natural >= p2|0 within teacher"))


def test_a_param_that_was_set_shows_both_values() -> None:
    markdown = told(BASE.replace("$n", "$|n"), overrides=(("n", "60"),))
    assert "param n = 60" in markdown and "the spec says `40`" in markdown


def test_what_a_parent_declares_says_where() -> None:
    markdown = told('extends "base.mix"\nselect {\n  replace maximize -len|gth\n}\n', base=BASE)
    assert "declared in `base.mix`, line 24" in markdown


def test_nothing_is_told_of_numbers_and_blanks() -> None:
    assert told(BASE.replace("400 tokens", "40|0 tokens")) == ""
    assert told(BASE.replace("\n\nparam", "\n|\nparam", 1)) == ""


def test_every_word_of_the_language_has_a_sentence() -> None:
    assert set(WORDS) == set(table()["words"])
    for word, sentence in WORDS.items():
        assert sentence.endswith(".") and (sentence[0].isupper() or sentence[0] == "`"), word
        assert len(sentence) <= 140, word


def test_a_diagnostic_has_its_story() -> None:
    whole, offset = asked(BASE.replace("where    correct", "where    corr|rect"))
    (found,) = explained(whole, offset)
    assert found.markdown.startswith("**MIX0201**: ") and "wrong:" in found.markdown
    assert not explained(project(BASE), BASE.index("correct"))


@pytest.mark.parametrize(
    ("call", "active"),
    [
        ("local_logprob(|)", 0),
        ("local_logprob(student: sma|ll)", 0),
        ("local_logprob(student: small, win|dow)", 1),
        ("local_logprob(split: sen|tence)", 2),
        ("local_logprob(split: sentence, debias: |)", 3),
        ("verify_math(|", 0),
    ],
)
def test_the_argument_under_the_cursor(call: str, active: int) -> None:
    found = usage(*asked(BASE + f"\nscore x = {call}\n"))
    assert found is not None and found.active == active
    assert found.label.startswith(call.partition("(")[0]) and all(a.label in found.label for a in found.arguments)


def test_outside_of_calls_there_is_no_signature() -> None:
    assert usage(*asked(BASE.replace("verify_math(reference)", "verify_math(reference)|"))) is None
    assert usage(*asked(BASE.replace("where    correct", "where    (cor|rect)"))) is None

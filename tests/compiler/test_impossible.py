"""Errors of whole specs that are seen without a row: where they must be seen, and where rows may come from elsewhere."""

import pytest
from mixc.compiler.driver import Outcome, compile
from mixc.compiler.semantics.inputs import Inputs
from mixc.compiler.source import Source

HEAD = """\
mix "m" { seed 1 }
corpus rows {
  scan     "rows.jsonl"
  prompt   q
  response a
  teacher  t
  where    split == "train"
}
"""
SECOND = 'corpus more {\n  scan "more.jsonl"\n  prompt q\n  response a\n  teacher t\n  where split == "test"\n}\n'
NAMED = HEAD.replace("  teacher  t\n", "")
COLUMNS = {"q": "text", "a": "text", "t": "text", "split": "text", "n": "number", "topic": "text", "tags": "list", "good": "bool"}
SCORES = 'score length = column(n, unit: tokens)\ndecontaminate none because "x"\n'


def outcome_of(text: str, columns: dict[str, str] | None = COLUMNS) -> Outcome:
    paths = ("rows.jsonl", "more.jsonl")
    return compile(Source("a.mix", text), Inputs({}, dict.fromkeys(paths, columns), dict.fromkeys(paths, True)))


def errors(text: str, columns: dict[str, str] | None = COLUMNS) -> list[str]:
    return [d.code for d in outcome_of(text, columns).notes if not d.code.startswith("MIX06") and d.code != "MIX0410"]


def select(*clauses: str) -> str:
    return "select {\n" + "".join(f"  {c}\n" for c in clauses) + "}\n"


EMPTY = {
    "against the corpus": HEAD + select('where split == "test"'),
    "against both corpora": HEAD + SECOND + select('where split == "validation"'),
    "against every teacher": HEAD + 'teacher x from rows where t == "x"\nteacher y from rows where t == "y"\n' + select('where t == "z"'),
    "against a teacher by the role": HEAD + 'teacher x from rows where t == "x"\n' + select('where teacher == "z"'),
    "against a corpus without the role": NAMED + select('where teacher == "other"'),
    "teachers closed one by one": HEAD
    + 'teacher x from rows where t == "x"\nteacher y from rows where t == "y"\n'
    + select('where t != "x"', 'where t != "y"'),
    "a choice closed by two later clauses": HEAD + select("where n == 1 or n == 2", "where n != 1", "where n != 2"),
    "held out whole": HEAD + 'student s { model "./m" }\ndecontaminate none because "x"\nevaluate { heldout rows where split in ["train", "test"] }\n',
}
OPEN = {
    "another corpus has it": HEAD + SECOND + select('where split == "test"'),
    "another teacher may have it": HEAD + 'teacher x from rows where t == "x"\nteacher y from rows\n' + select('where t == "z"'),
    "a teacher that has yet to answer": HEAD
    + 'teacher x from rows where t == "x"\nteacher g generate {\n  model "./m"\n  prompts from rows\n}\n'
    + select('where t == "z"'),
    "a score of a column may be negative": HEAD + SCORES + select("where length < 0 tokens"),
    "the corpus's own name": NAMED + select('where teacher == "rows"'),
    "held out beside": HEAD + 'student s { model "./m" }\ndecontaminate none because "x"\nevaluate { heldout rows where split == "test" }\n',
    "lists of skills": HEAD + "skills k { tag by column tags }\n" + select('where skill == "x" and skill == "y"', 'quota skill "x" >= 60%', 'quota skill "y" >= 60%'),
    "lists in a column": HEAD + select('quota column tags "x" >= 60%', 'quota column tags "y" >= 60%'),
    "the caps of some teachers": HEAD + 'teacher x from rows where t == "x"\nteacher y from rows where t == "y"\n' + select("quota teacher x <= 30%"),
    "up to what is sampled": HEAD.replace('where    split == "train"', "sample 5 prompts") + select("keep best 1 per prompt by n", "budget up to 10 examples"),
    "several of each prompt": HEAD.replace('where    split == "train"', "sample 5 prompts") + select("keep best 2 per prompt by n", "budget 10 examples"),
    "a corpus that is not sampled": HEAD.replace('where    split == "train"', "sample 5 prompts") + SECOND + select("keep at most 1 per prompt", "budget 10 examples"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_no_row_is_left_and_it_is_said_once(name: str) -> None:
    assert errors(EMPTY[name]) == ["MIX0407"]


@pytest.mark.parametrize("name", OPEN)
def test_what_may_be_is_not_refused(name: str) -> None:
    assert errors(OPEN[name]) == []


def test_columns_that_nobody_could_look_at_are_not_taken_for_single_values() -> None:
    text = HEAD + "skills k { tag by column topic }\n" + select('quota skill "x" >= 60%', 'quota skill "y" >= 60%')
    assert errors(text) == ["MIX0402"]
    assert errors(text, None) == []


def test_independent_empty_clauses_are_all_told() -> None:
    assert errors(HEAD + select("where n < 3", "where n > 5", "where good", "where not good", 'where split == "test"')) == ["MIX0407"] * 3


def test_both_errors_are_told_beside_an_unknown_name() -> None:
    text = HEAD + select("where n < 3 and n > 5", "where unknown > 3", 'quota teacher "x" >= 60%', 'quota teacher "y" >= 60%')
    assert sorted(errors(text)) == ["MIX0201", "MIX0402", "MIX0407"]


def test_a_removed_param_is_gone_and_one_declared_again_is_there() -> None:
    base = HEAD + "param n_most = 3\n" + select("budget $n_most examples")

    def child(text: str) -> list[str]:
        inputs = Inputs({"a.mix": base}, {"rows.jsonl": COLUMNS}, {"rows.jsonl": True})
        notes = compile(Source("child.mix", f'extends "a.mix"\n{text}'), inputs).notes
        return [d.code for d in notes if not d.code.startswith("MIX06")]

    assert child("remove param n_most\n") == ["MIX0206"]
    assert child("remove param n_most\nparam n_most = 4\n") == []
    assert child("") == []

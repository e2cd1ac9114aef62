"""The lexical rules of the language, one line each: what is written, and the code of the error (None: it is legal)."""

import pytest
from mixc.compiler.plan.stages import Scan
from mixc.tests.compiler.rules import CORPUS, HEAD, SCORED, chosen, errors, helped, plan

RULES = {
    "a byte-order mark is dropped": ("\ufeff" + HEAD, None),
    "lines may end in CRLF": (HEAD.replace("\n", "\r\n"), None),
    "declarations stand in any order": (CORPUS + 'mix "m" { seed 1 }\n', None),
    "comments stand alone and at the end of a line": ("# one\n" + HEAD.replace("}\n", "} # two\n", 1), None),
    "a block of one clause may be one line": (chosen("budget 3 examples").replace("{\n  budget 3 examples\n}", "{ budget 3 examples }"), None),
    "`{` stands on its keyword's line": (HEAD + "select\n{\n  budget 3 examples\n}\n", "MIX0118"),
    "a newline does not end a clause inside ( )": (HEAD + "score s = column(\n  count,\n  unit: tokens,\n)\n", None),
    "nor inside [ ]": (chosen('where model in [\n    "a",\n    "b",\n  ]'), None),
    "a newline ends a clause": (chosen("where good_one\n  and ratio > 1"), "MIX0101"),
    "two clauses on a line": (chosen("budget 3 examples budget 3k tokens"), "MIX0115"),
    "names have letters, digits and _, not first a digit": (HEAD + "score 1st = column(count)\n", "MIX0104"),
    "keywords end at a word boundary": (chosen("wheregood_one"), "MIX0103"),
    "% touches the number": (chosen('quota skill "Algebra" <= 40 %'), "MIX0104"),
    "K is no multiplier": (chosen("budget 2K tokens"), "MIX0104"),
    "no comma in a number": (chosen("budget 1,000 examples"), "MIX0104"),
    "no number ends in a point": (chosen("where ratio > 100."), "MIX0104"),
    "k, M and B are": (chosen("budget 2k examples\n  budget 2M tokens\n  where ratio < 1B"), None),
    "an exponent": (chosen("where ratio < 1e-5"), None),
    "a unit follows its number": (chosen("where length <= 4k tokens"), None),
    "a number without the unit that matters": (chosen("budget 1000"), "MIX0309"),
    "only two escapes in a string": (chosen(r'where answer contains "a\n"'), "MIX0106"),
    "a quote and a backslash": (chosen(r'where answer contains "a\"b\\"'), None),
    "a string ends on its line": (chosen('where answer contains "a'), "MIX0105"),
    "`=` in quotas": (chosen('quota skill "Algebra" = 3 examples'), None),
    "`==` does not stand in quotas": (chosen('quota skill "Algebra" == 3 examples'), "MIX0111"),
    "`==` in expressions": (chosen('where model == "a"'), None),
    "`=` does not stand in expressions": (chosen('where model = "a"'), "MIX0111"),
    "comparisons do not chain": (chosen("where 1 < ratio < 2"), "MIX0112"),
    "there is no modulo operator": (chosen("where ratio % 2 == 0"), "MIX0107"),
    "skills are quoted": (chosen("quota skill Algebra >= 2 examples"), "MIX0120"),
    "a bare label after `teacher` is a declared teacher": (chosen("quota teacher a >= 2 examples"), "MIX0201"),
    "a quoted one is a value of its column": (chosen('quota teacher "a" >= 2 examples'), None),
    "a setting takes one value, not an expression": (HEAD.replace("seed 1", "seed 1 + 1"), "MIX0115"),
    "a forgotten newline is caught": (HEAD.replace("question\n  response", "question response"), "MIX0115"),
    "a reserved word is no name": (HEAD + "score rank = column(count)\n", "MIX0113"),
    "nor is a quantile": (HEAD + "score p20 = column(count)\n", "MIX0113"),
    "nor a column that every output has": (HEAD + "score reason = column(count)\n", "MIX0210"),
    "a keyword may be a name": (HEAD + "score batch = column(count)\nselect { maximize batch }\n", None),
    "a character that means nothing": (chosen("where ratio > 1;"), "MIX0107"),
    "regexes have no look-ahead": (chosen('where answer matches "a(?=b)"'), "MIX0311"),
    "no look-behind": (chosen('where answer matches "(?<!a)b"'), "MIX0311"),
    "no back-references": (chosen(r'where answer matches "(a)\\1"'), "MIX0311"),
    "no named back-references": (chosen('where answer matches "(?P<x>a)(?P=x)"'), "MIX0311"),
    "Rust's classes and flags are fine": (chosen(r'where answer matches "(?i)\\p{L}+\\d"'), None),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    text, code = RULES[rule]
    found = errors(text)
    assert found == ([code] if code else [])


FIXES = {
    "2K": (chosen("budget 2K tokens"), "2k"),
    "40 %": (chosen('quota skill "Algebra" <= 40 %'), "40%"),
    "1,000": (chosen("budget 1,000 examples"), "1000"),
    "100.": (chosen("where ratio > 100."), "100"),
}


@pytest.mark.parametrize("written", FIXES)
def test_a_number_not_written_so_has_a_fix(written: str) -> None:
    text, fixed = FIXES[written]
    assert f"`{fixed}" in helped(text)


@pytest.mark.parametrize(
    ("declared", "clause", "same"),
    [
        ("param w = 4", "where length <= $w tokens", "where length <= 4 tokens"),
        ("param w = 4 tokens", "where length <= $w", "where length <= 4 tokens"),
        ("param cap = 40", "quota teacher \"a\" <= $cap%", 'quota teacher "a" <= 40%'),
        ("param cap = 40%", "quota teacher \"a\" <= $cap", 'quota teacher "a" <= 40%'),
        ("param cap = 40", "quota teacher \"a\" <= $cap% of tokens", 'quota teacher "a" <= 40% of tokens'),
        ("param n = 2", "keep best $n per prompt by ratio", "keep best 2 per prompt by ratio"),
        ("param n = 2k", "budget up to $n examples", "budget up to 2k examples"),
        ("param lo = 2\nparam hi = 5", 'quota skill "Algebra" $lo..$hi examples', 'quota skill "Algebra" 2..5 examples'),
        ("param w = 3", "quota skill uniform\n  budget $w examples", "quota skill uniform\n  budget 3 examples"),
    ],
)
def test_a_param_stands_wherever_a_number_may(declared: str, clause: str, same: str) -> None:
    with_param, plain = plan(f"{declared}\n{chosen(clause)}"), plan(chosen(same))
    assert [s.id for s in with_param.stages] == [s.id for s in plain.stages]
    assert dict(with_param.fingerprints) == dict(plain.fingerprints)


def test_a_column_whose_name_is_not_plain_is_written_as_a_string() -> None:
    (scan, *_) = plan(HEAD.replace("question", '"a b"')).stages
    assert isinstance(scan, Scan) and scan.roles.prompt == "a b"


def test_scored_is_sound() -> None:
    assert errors(SCORED) == []

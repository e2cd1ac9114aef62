"""What the parser says of text that is no spec, and how it goes on after errors."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.codes.syntax import CODES
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source, Span
from mixc.compiler.syntax import ast
from mixc.compiler.syntax.parse import MOST, parse
from mixc.grammar import grammar_text, table
from mixc.tests.compiler.specs import CHILD, OTHERS, RESELECT, TRAINED, name, read


@pytest.mark.parametrize("code", sorted(CODES.keys() - {"MIX0116", "MIX0117", "MIX0121"}))
def test_the_wrong_example_of_a_code_gives_just_that_code_and_the_right_one_none(code: str) -> None:
    assert read(CODES[code].wrong)[1] == [code]
    assert read(CODES[code].right)[1] == []


def test_limits_of_size_and_depth_are_one_diagnostic_each() -> None:
    assert read("# a\n" * 10_001)[1] == ["MIX0117"]
    assert read("# a\n" * 10_000)[1] == []
    assert read("#" + "é" * (128 * 1024))[1] == ["MIX0117"]
    assert read("select {\n  where " + "not " * 101 + "a\n  where b\n}")[1] == ["MIX0116"]
    assert read("select {\n  where " + " or ".join("a" * 102) + "\n  where b\n}")[1] == ["MIX0116"]
    assert read("select {\n  where " + "(" * 5000 + "a" + ")" * 5000 + "\n}")[1] == []
    codes = read("@ \n" * 5000)[1]
    assert codes.count("MIX0121") == 1
    assert len(codes) == MOST + 1


FIXES = [
    ("where x <= 2K tokens", "where x <= 2k tokens"),
    ("where x >= 40 %", "where x >= 40%"),
    ("where x >= $w %", "where x >= $w%"),
    ("budget 1,000 examples", "budget 1000 examples"),
    ("budget 1_000 examples", "budget 1000 examples"),
    ("budget 100. examples", "budget 100 examples"),
    ("where x > .5", "where x > 0.5"),
    ("budget 4 k tokens", "budget 4k tokens"),
    ("budget 8examples", "budget 8 examples"),
    ("budget 8 exampels", "budget 8 examples"),
    ("where x = 3", "where x == 3"),
    ('quota skill "A" == 3 examples', 'quota skill "A" = 3 examples'),
    ("quota skill Algebra >= 15%", 'quota skill "Algebra" >= 15%'),
    ("where a && b", "where a and b"),
    ("where a AND b", "where a and b"),
    ("whre a", "where a"),
    ("where x == 'a'", 'where x == "a"'),
    (r'where x matches "\d\s"', r'where x matches "\\d\\s"'),
    ("where (a or b", "where (a or b)"),
    ("where f([a, b", "where f([a, b])"),
    ("where a)", "where a"),
    ("keep best 1 per promt by x", "keep best 1 per prompt by x"),
    ("add where a befor keep", "add where a before keep"),
    ("quota skill weakness(max_weight = 3)", "quota skill weakness(max_weight: 3)"),
    ("where a where b", "where a\n  where b"),
    ("where a\u00a0and b", "where a and b"),
]


@pytest.mark.parametrize(("wrong", "right"), FIXES)
def test_the_fix_of_a_diagnostic_makes_the_text_right(wrong: str, right: str) -> None:
    text = f"select {{\n  {wrong}\n  where last\n}}\n"
    notes = Diagnostics()
    spec = parse(Source("a.mix", text), notes)
    (found,) = notes
    for edit in sorted(found.edits, key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == f"select {{\n  {right}\n  where last\n}}\n"
    mended, codes = read(text)
    assert codes == []
    last = [d.lines[-1] for s in (spec, mended) for d in s.declarations if isinstance(d, ast.Block)]
    assert last == [ast.Where(name("last"), span=Span("", 0, 0))] * 2


@pytest.mark.parametrize(
    ("text", "code", "message", "at"),
    [
        ("select {\n  keep best 1\n}", "MIX0101", "expected `per` after `keep best 1`", (2, 13)),
        ("select {\n  where a and\n}", "MIX0101", "expected an expression after `where a and`", (2, 11)),
        ("score x = tokens", "MIX0101", "expected `(` after `score x = tokens`", (1, 11)),
        ("corpus c {\n  promt question\n}", "MIX0103", "`promt` is not a clause of `corpus`", (2, 3)),
        ("corpus c {\n  quota x\n}", "MIX0103", "`quota` is not a clause of `corpus`", (2, 3)),
        ("where a", "MIX0103", "`where` stands outside a block", (1, 1)),
        ('corpsu c {\n  scan "a"\n}', "MIX0102", "no declaration is called `corpsu`", (1, 1)),
        (
            "corpus c {\n  prompt question response answer\n}",
            "MIX0115",
            "`prompt question` ends before `response`",
            (2, 19),
        ),
        ('mix "a" { seed 3 } mix "b" {}', "MIX0115", "nothing may follow `}` on its line", (1, 20)),
        ("select {\n  where a < b < c\n}", "MIX0112", "comparisons do not chain", (2, 15)),
        ('select {\n  where x == "abc\n}', "MIX0105", "a string has no end", (2, 14)),
        ("param rank = 3", "MIX0113", "`rank` is reserved and cannot be a name", (1, 7)),
        ("select {\n  maximize p20\n}", "MIX0119", "a quantile stands alone on the right of a comparison", (2, 12)),
        ("corpus c\n{\n}", "MIX0118", "`{` stands on the line of its keyword", (2, 1)),
        ('corpus c\n  scan "a"\n}', "MIX0118", "`{` is missing after `corpus c`", (1, 8)),
        ('corpus {\n  scan "a"\n}', "MIX0101", "expected a name after `corpus`", (1, 8)),
        (
            "select {\n  quota teacher t < 3%\n}",
            "MIX0101",
            "expected a number, `<=`, `=` or `>=` after `quota teacher t`",
            (2, 19),
        ),
    ],
)
def test_messages_say_what_is_wrong_where(text: str, code: str, message: str, at: tuple[int, int]) -> None:
    notes, source = Diagnostics(), Source("a.mix", text)
    parse(source, notes)
    (found,) = notes
    assert (found.code, found.message) == (code, message)
    assert found.primary is not None
    assert source.position(found.primary.span.start) == at


def test_an_unknown_clause_is_met_with_a_suggestion_and_what_the_block_may_hold() -> None:
    notes = Diagnostics()
    parse(Source("a.mix", "corpus c {\n  promt question\n}"), notes)
    (found,) = notes
    assert found.help == "did you mean `prompt`?"
    assert all(f"`{word}`" in found.notes[0] for word in ("scan", "prompt", "response", "where", "sample"))


def test_three_independent_errors_are_three_diagnostics_and_the_rest_is_read() -> None:
    text = (
        TRAINED.replace("seed 17", "seed 17 18")
        .replace("keep     best 1 per prompt", "keep     best 1")
        .replace("epochs        5", "epohcs        5")
    )
    spec, codes = read(text)
    whole, _ = read(TRAINED)
    assert codes == ["MIX0115", "MIX0101", "MIX0103"]
    assert [type(d) for d in spec.declarations] == [type(d) for d in whole.declarations]
    lines = [[(len(d.lines) if isinstance(d, ast.Block) else 0) for d in s.declarations] for s in (spec, whole)]
    assert sum(lines[1]) - sum(lines[0]) == 1  # the misspelt clause is read as it was meant


def test_a_declaration_in_column_1_closes_an_open_block_once() -> None:
    text = 'corpus c {\n  scan "a"\n  teacher t\n\nscore x = f(a)\nselect {\n  where x\n}\n'
    spec, codes = read(text)
    assert codes == ["MIX0109"]
    assert [type(d) for d in spec.declarations] == [ast.Block, ast.Score, ast.Block]


def test_clauses_in_column_1_do_not_close_their_block() -> None:
    assert read('corpus c {\nscan "a"\nteacher model\nremove where\n}\nselect {\nremove where x\n}\n')[1] == []


def test_a_line_that_starts_with_a_keyword_closes_brackets_but_an_argument_does_not() -> None:
    spec, codes = read(
        "select {\n  where (a and b\n  keep best 1 per prompt by x\n}\nscore y = f(\n  student: s,\n  sample,\n  prompt\n)\n"
    )
    assert codes == ["MIX0108"]
    block = spec.declarations[0]
    assert isinstance(block, ast.Block)
    assert [type(line) for line in block.lines] == [ast.Where, ast.Keep]


def test_the_shipped_table_is_that_of_the_grammar() -> None:
    from mixc.grammar.table import build

    assert json.loads(json.dumps(build(grammar_text()))) == table()


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    import logging

    import lark

    lark.logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger=lark.logger.name):
            lark.logger.addHandler(caplog.handler)
            lark.Lark(grammar_text(), parser="lalr", lexer="basic", start="file", debug=True)
    finally:
        lark.logger.removeHandler(caplog.handler)
        lark.logger.setLevel(logging.CRITICAL)
    assert "onflict" not in caplog.text


PIECES = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    '"',
    "\n",
    "\\",
    "=",
    "==",
    "%",
    " where ",
    " select {",
    "p20",
    "$",
    "1,000",
    "#",
    "..",
    "\ufeff",
    "\r",
    "é",
    ";",
    "-",
    "not ",
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([TRAINED, RESELECT, CHILD, OTHERS]), st.integers(0, 2**32), st.integers(1, 12))
def test_a_mutated_spec_never_raises_and_places_lie_in_the_text(text: str, seed: int, times: int) -> None:
    dice = random.Random(seed)
    for _ in range(times):
        at = dice.randrange(len(text) + 1)
        match dice.randrange(3):
            case 0:
                text = text[:at] + text[at + dice.randrange(1, 20) :]
            case 1:
                text = text[:at] + dice.choice(PIECES) + text[at:]
            case _:
                start = dice.randrange(len(text) + 1)
                text = text[:at] + text[start : start + dice.randrange(40)] + text[at:]
    notes = Diagnostics()
    spec = parse(Source("a.mix", text), notes)
    assert isinstance(spec, ast.Spec)
    for found in notes:
        assert found.primary is not None
        assert found.code in CODES
        for span in (found.primary.span, *(s.span for s in found.secondary), *(e.span for e in found.edits)):
            assert 0 <= span.start <= span.end <= len(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_without_raising(text: str) -> None:
    assert isinstance(read(text)[0], ast.Spec)

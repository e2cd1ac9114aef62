"""What the parser reads, where it says things stand, and how it goes on after errors."""

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

TRAINED = """\
mix "sums" {
  seed 17
}

param window = 4  # steps

student tiny {
  model    "hub/tiny"
  revision "12fd25"
  dtype    bf16
}

corpus traces {
  scan      "data/*.parquet"
  prompt    question
  response  solution
  reference answer
  teacher   model
  where     split == "train"
  sample    150 prompts
}

teacher strong from traces where model in ["one", "two"]
teacher small  from traces where model == "three"

skills maths {
  tree "skills.json"
  tag  by column subject
}

score correct     = verify_math(reference)
score naturalness = local_logprob(student: tiny, window: $window steps, split: sentence)
score length      = tokens(student: tiny)

profile tiny {
  attempts    1 per prompt
  sample      200 prompts per skill
  temperature 0.6
  grade       verify_math(reference)
}

decontaminate against "bench/*.jsonl" by 8-grams of prompt

select {
  where    correct
  where    length <= 4k tokens
  where    naturalness >= p20 within teacher
  keep     best 1 per prompt by naturalness
  quota    skill weakness(max_weight: 20, prior: beta(1, 1))
  quota    skill "Geometry" >= 15%
  quota    teacher strong <= 40% of tokens
  budget   1000 examples
  budget   2M tokens
  maximize naturalness
}

train tiny {
  format        skill_aware
  epochs        5
  learning_rate 1e-5
  batch         8 examples
  max_length    8k tokens
}

evaluate {
  benchmark sums "bench/sums.jsonl" samples 1 limit 50 prompts
  heldout   traces where split == "test"
  baseline  random
  seeds     [0, 1, 2]
}
"""

RESELECT = """\
mix "again" { seed 3 }

corpus traces {
  scan      "teachers.parquet"
  id        prompt_id
  prompt    prompt
  response  response
  reference reference_answer
  teacher   teacher
}

skills subject { tag by column skill }

score correct = column(correct)
score length  = column(student_tokens, unit: tokens)

decontaminate none because "nothing is trained"

select {
  where    correct and length <= 1k tokens
  keep     best 1 per prompt by -length
  quota    skill "Algebra" 100..150 examples
  quota    teacher "human" <= 10%
  budget   500 examples
  maximize random
}
"""

CHILD = """\
extends "parent.mix"
param window = 8
corpus traces {
  remove where
  scan "other.parquet"
}
remove score fluency
remove test "old"
remove evaluate
select {
  replace keep best 1 per prompt by fluency
  replace where correct with where correct or fluent
  replace maximize with maximize random
  remove  quota skill "Geometry"
  remove  quota skill weakness
  remove  budget tokens
  add     where fluency >= -1.5 nats before keep
  add     keep at most 2 per prompt after where correct
  add     count tokens by length
}
"""

OTHERS = """\
teacher writer generate {
  model       "hub/large"
  prompts     from traces
  samples     4
  temperature 0.6
  max_tokens  2k tokens
  where       split == "train"
}
profile tiny from "profile.json"
dedup by exact of prompt
dedup by minhash(threshold: 0.8) of response
require license in ["MIT", "Apache-2.0"]
sweep window in [1, 2, 4]
ablate quota skill "Geometry"
ablate maximize
decontaminate against ["a.jsonl", "b.jsonl"] by 13-grams of prompt field: name
test "it selects" {
  given  "rows.jsonl"
  expect selected == 3 examples
  expect skill "Algebra" >= 2 examples
  expect error MIX0401
}
"""


def read(text: str) -> tuple[ast.Spec, list[str]]:
    notes = Diagnostics()
    spec = parse(Source("a.mix", text), notes)
    return spec, [d.code for d in notes]


def clause(text: str) -> ast.Line:
    spec, codes = read(f"select {{\n  {text}\n}}\n")
    assert codes == []
    (block,) = spec.declarations
    assert isinstance(block, ast.Block)
    (line,) = block.lines
    return line


def condition(text: str) -> ast.Expr:
    line = clause(f"where {text}")
    assert isinstance(line, ast.Where)
    return line.condition


def name(text: str) -> ast.Name:
    return ast.Name(text, span=Span("", 0, 0))


def number(value: float, unit: str | None = None) -> ast.Number:
    return ast.Number(value, unit, span=Span("", 0, 0))


@pytest.mark.parametrize("text", [TRAINED, RESELECT, CHILD, OTHERS])
def test_whole_specs_parse_with_either_newline_and_a_byte_order_mark(text: str) -> None:
    spec, codes = read(text)
    assert codes == []
    for other in (text.replace("\n", "\r\n"), "\ufeff" + text, text.rstrip("\n")):
        same, codes = read(other)
        assert codes == []
        assert same == spec


def test_every_declaration_has_its_node() -> None:
    spec, _ = read(TRAINED + OTHERS + CHILD)
    kinds = {type(d) for d in spec.declarations}
    assert kinds == {
        ast.Extends, ast.ParamDeclaration, ast.Block, ast.Teacher, ast.Score, ast.Decontaminate, ast.Dedup, ast.Require,
        ast.Sweep, ast.Ablate, ast.RemoveDeclaration,
    }  # fmt: skip
    blocks = [d for d in spec.declarations if isinstance(d, ast.Block)]
    assert {b.kind for b in blocks} == {
        "mix", "student", "corpus", "generate", "skills", "profile", "select", "train", "evaluate", "test"
    }  # fmt: skip


def test_settings_have_the_values_that_later_passes_rely_on() -> None:
    spec, _ = read(TRAINED + OTHERS)
    values = {
        (b.kind, s.keyword.text): s.value
        for b in spec.declarations
        if isinstance(b, ast.Block)
        for s in b.lines
        if isinstance(s, ast.Setting)
    }
    assert values["corpus", "sample"] == number(150, "prompts")
    assert values["corpus", "where"] == ast.Binary(
        "==", name("split"), ast.String("train", span=Span("", 0, 0)), span=Span("", 0, 0)
    )
    assert values["profile", "sample"] == ast.PerSkill(number(200, "prompts"), name("skill"), span=Span("", 0, 0))
    assert values["profile", "attempts"] == ast.PerSkill(number(1), name("prompt"), span=Span("", 0, 0))
    assert values["generate", "prompts"] == name("traces")
    assert values["train", "learning_rate"] == number(1e-5)
    assert values["train", "max_length"] == number(8000, "tokens")
    assert values["student", "dtype"] == name("bf16")
    assert values["evaluate", "seeds"] == ast.List((number(0), number(1), number(2)), span=Span("", 0, 0))
    assert values["evaluate", "baseline"] == name("random")
    benchmark = values["evaluate", "benchmark"]
    assert isinstance(benchmark, ast.Benchmark)
    assert (benchmark.samples, benchmark.limit) == (number(1), number(50, "prompts"))
    assert isinstance(values["profile", "grade"], ast.Call)
    assert isinstance(values["skills", "tag"], ast.TagBy)
    assert isinstance(values["evaluate", "heldout"], ast.Heldout)
    assert isinstance(values["test", "expect"], ast.Expect)
    assert isinstance(values["profile", "from"], ast.String)


@pytest.mark.parametrize(
    ("text", "low", "high", "operator"),
    [
        (">= 15%", number(15, "%"), None, ">="),
        ("<= 40% of tokens", None, number(40, "% of tokens"), "<="),
        ("= 20 examples", number(20, "examples"), number(20, "examples"), "="),
        ("100..150 examples", number(100, "examples"), number(150, "examples"), ".."),
        ("10..20% of tokens", number(10, "% of tokens"), number(20, "% of tokens"), ".."),
    ],
)
def test_bounds_of_quotas(text: str, low: ast.Number | None, high: ast.Number | None, operator: str) -> None:
    line = clause(f'quota skill "A" {text}')
    assert isinstance(line, ast.Quota)
    assert line.bound == ast.Bound(operator, low, high, span=Span("", 0, 0))


def test_a_group_is_a_skill_a_declared_teacher_a_value_or_a_column() -> None:
    at = Span("", 0, 0)
    groups = [
        clause(f"quota {g} >= 1 examples")
        for g in ('skill "A"', "teacher t", 'teacher "t"', 'column level "x"', 'column "a b" "x"')
    ]
    assert [g.group for g in groups if isinstance(g, ast.Quota)] == [
        ast.Group("skill", ast.String("A", span=at), span=at),
        ast.Group("teacher", name("t"), span=at),
        ast.Group("teacher", ast.String("t", span=at), span=at),
        ast.Group("column", ast.String("x", span=at), name("level"), span=at),
        ast.Group("column", ast.String("x", span=at), name("a b"), span=at),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4k", 4000),
        ("1.5k", 1500),
        ("2M", 2_000_000),
        ("3B", 3_000_000_000),
        ("1e-5", 1e-5),
        ("1e3", 1000),
        ("0.6", 0.6),
        ("5.0", 5),
    ],
)
def test_numbers_have_their_value_and_whole_ones_are_int(text: str, value: float) -> None:
    found = condition(f"x > {text}")
    assert isinstance(found, ast.Binary)
    assert isinstance(found.right, ast.Number)
    assert found.right.value == value
    assert type(found.right.value) is type(value)
    assert found.right.text == text


def test_minus_before_a_number_makes_a_negative_number() -> None:
    assert condition("x > -1.5 nats") == ast.Binary(">", name("x"), number(-1.5, "nats"), span=Span("", 0, 0))
    assert condition("x > -y") == ast.Binary(
        ">", name("x"), ast.Unary("-", name("y"), span=Span("", 0, 0)), span=Span("", 0, 0)
    )


def test_precedence_is_or_and_not_comparison_sum_product_sign() -> None:
    assert condition("a or b and not c < d + e * -f") == condition("(a or (b and (not (c < (d + (e * (-f)))))))")
    assert condition("a - b - c") == condition("(a - b) - c")
    assert condition("a - b - c") != condition("a - (b - c)")
    assert condition("not a in [1]") == condition("not (a in [1])")
    assert condition("a not in [1]") != condition("not a in [1]")


def test_every_keyword_but_the_reserved_ones_may_be_a_name() -> None:
    reserved = {"and", "or", "not", "in", "matches", "contains", "within", "rank", "true", "false", "none"}
    for word in table()["words"]:
        spec, codes = read(
            f"param {word} = 1\ncorpus c {{\n  prompt {word}\n}}\nselect {{\n  where {word} == 1 or {word}\n}}\n"
        )
        assert (codes != []) == (word in reserved), word
        assert len(spec.declarations) == (2 if word in reserved else 3)


def test_keywords_end_at_a_word_boundary() -> None:
    assert read("select {\n  wherecorrect\n}")[1] == ["MIX0103"]


def test_escapes_are_resolved_and_a_hash_in_a_string_is_no_comment() -> None:
    found = condition(r'x == "a\"b\\c # d"  # a comment')
    assert isinstance(found, ast.Binary)
    assert found.right == ast.String('a"b\\c # d', span=Span("", 0, 0))


def test_comments_are_kept_with_their_place() -> None:
    text = '# one\nmix "a" {\n  seed 3  # two\n  # three\n}\n'
    spec, _ = read(text)
    assert [(c.text, c.alone, text[c.span.start : c.span.end]) for c in spec.comments] == [
        ("# one", True, "# one"), ("# two", False, "# two"), ("# three", True, "# three")
    ]  # fmt: skip


def test_spans_are_the_text_of_their_nodes() -> None:
    text = '# ÄÖ🙂\ncorpus traces {\n  scan "é.jsonl"\n}\nselect {\n  where (a and b) or x >= p20 within teacher\n  quota skill "A" 1..2 examples\n}\n'

    def said(span: Span) -> str:
        return text[span.start : span.end]

    spec, codes = read("\ufeff" + text)
    assert codes == []
    assert ("\ufeff" + text)[spec.declarations[0].span.start :].startswith("corpus")
    spec, _ = read(text)
    corpus, select = spec.declarations
    assert isinstance(corpus, ast.Block) and isinstance(select, ast.Block)
    assert said(corpus.head) == "corpus traces"
    assert said(corpus.span) == 'corpus traces {\n  scan "é.jsonl"\n}'
    assert said(corpus.lines[0].span) == 'scan "é.jsonl"'
    where, quota = select.lines
    assert isinstance(where, ast.Where) and isinstance(where.condition, ast.Binary) and isinstance(quota, ast.Quota)
    assert said(where.span) == "where (a and b) or x >= p20 within teacher"
    assert said(where.condition.left.span) == "a and b"
    assert said(where.condition.right.span) == "x >= p20 within teacher"
    assert said(quota.group.span) == 'skill "A"'
    assert said(quota.bound.span) == "1..2 examples"


def test_newlines_inside_brackets_do_not_end_a_clause() -> None:
    one = "score x = f(student: a, window: 4 steps)\nparam l = [1, 2]\n"
    many = "score x = f(\n  student: a, # c\n\n  window: 4 steps,\n)\nparam l = [\n1,\n2\n]\n"
    assert read(one) == read(many)
    assert read(many)[1] == []


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

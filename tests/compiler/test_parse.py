"""What the parser reads, and where it says things stand."""


import pytest
from mixc.compiler.source import Span
from mixc.compiler.syntax import ast
from mixc.grammar import table
from mixc.tests.compiler.specs import CHILD, OTHERS, RESELECT, TRAINED, clause, condition, name, number, read


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

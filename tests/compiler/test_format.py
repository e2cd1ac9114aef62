"""The canonical text: minimal, and read back as the same tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source, Span
from mixc.compiler.syntax import ast
from mixc.compiler.syntax.format import format_clause, format_expression, format_pattern
from mixc.compiler.syntax.parse import parse

AT = Span("", 0, 0)

CLAUSES = {
    "mix": ["seed 17", 'description "a \\"b\\" \\\\ c"', "remove seed"],
    "student": ['model "hub/tiny"', "dtype bf16", "remove template"],
    "corpus": [
        'scan "data/*.parquet"', "prompt prompt", 'reference "the answer"', "teacher teacher", 'where split == "train"',
        "sample 150 prompts", "id prompt_id", "remove where", "remove scan",
    ],
    "generate": ["prompts from traces", "samples 4", "temperature 0.6", "max_tokens 2k tokens", "where a", "remove prompts"],
    "skills": ['tree "t.json"', "tag by column subject", 'tag by keywords "f.json"', 'tag by embedding(model: "m")', "remove tag"],
    "profile": ["attempts 1 per prompt", "sample 200 prompts per skill", "sample 30..200 prompts per skill", "width 10%", "temperature $t", "grade verify_math(reference)", "remove grade"],
    "train": ["format skill_aware", "epochs 5", "learning_rate 1e-5", "batch 8 examples", "packing true", "schedule none", "save [1, 2]"],
    "evaluate": [
        'benchmark sums "f.jsonl"', 'benchmark sums "f.jsonl" samples 1', 'benchmark sums "f.jsonl" limit 50 prompts',
        'benchmark sums "f.jsonl" samples $n limit 50 prompts', 'benchmark sums "f.jsonl" (problem: text, answer: "a b") samples 4 grade choice',
        'benchmark sums "f.jsonl" grade verify_math(reference)', 'heldout traces where split == "test" or x', "baseline random",
        "seeds [0, 1, 2]", "remove heldout",
    ],
    "test": ['given "rows.jsonl"', "expect selected == 3 examples", 'expect skill "Algebra" >= 2 examples', "expect error MIX0401",
             "expect teacher strong != 10%", 'expect column "a b" "c" < 5 examples'],
    "select": [
        "where correct", "where a and b or not c", "where (a or b) and c", "where not (a and b)", "where x >= p20", "where x > p05 within teacher",
        "where rank(a + b) within prompt <= 3", "where a - (b - c) * -d / 2 < -1.5 nats", 'where a in ["x", 1, true, none, $p]',
        'where a not in [-1, 40%]', 'where not a in ["x"]', 'where a matches "\\\\d+" or b contains "\\"q\\""', "where (a == b) == c",
        "where -(-2) < --x", "where f(x: [1, 2], y, 3 steps, beta(1, 1)) == none", "where $a tokens <= $b% of tokens",
        "where length <= 4k tokens", "where share > 12.5% of tokens", "where (not a) == b", "where (a < b) + 1 > 0", "where a * (b + c)",
        "keep best 1 per prompt by -length", "keep best $k per prompt by a + b", "keep at most 2 per prompt",
        "quota skill weakness", "quota skill weakness(max_weight: 20, prior: beta(1, 1))", "quota skill weakness(paper)",
        'quota skill "Geometry" >= 15%', "quota teacher strong <= 40% of tokens", 'quota teacher "a b" = 20 examples',
        'quota column level "hard" 100..150 examples', 'quota column "a b" "hard" 10%..20%', 'quota skill "A" $a..$b examples',
        'quota skill "A" 10%..20 examples', 'quota skill "A" $lo%..$hi% of tokens',
        "budget 1000 examples", "budget up to 1000 examples", "budget 2M tokens", "budget $n tokens", "maximize random", "maximize a - b",
        "solver auto", "solver prices", "replace solver exact", "replace solver with solver exact", "remove solver", "add solver exact before maximize",
        'quota teacher strong 1k..40% of tokens', 'quota teacher "a" 0.5e1..40%',
        "count tokens by length", "replace keep best 1 per prompt by a", "replace where a with where a or b", "replace maximize with maximize b",
        "replace budget tokens with budget 3 examples", 'replace quota skill "A" with quota skill "B" >= 3%', "replace count tokens by x",
        "remove keep", "remove maximize", "remove count tokens", "remove quota skill weakness", "remove budget examples",
        'remove quota column level "x"', "add where a", "add where a before keep", "add keep at most 2 per prompt after where a > 1",
        "add maximize b after quota skill weakness",
    ],
}  # fmt: skip
HEADS = {
    "mix": 'mix "m"',
    "generate": "teacher t generate",
    "select": "select",
    "evaluate": "evaluate",
    "test": 'test "t"',
}


def read(kind: str, text: str) -> ast.Line:
    notes = Diagnostics()
    spec = parse(Source("a.mix", f"{HEADS.get(kind, f'{kind} n')} {{\n  {text}\n}}\n"), notes)
    assert [d.message for d in notes] == []
    (block,) = spec.declarations
    assert isinstance(block, ast.Block)
    assert block.kind == kind
    (line,) = block.lines
    return line


def condition(text: str) -> ast.Expr:
    line = read("select", f"where {text}")
    assert isinstance(line, ast.Where)
    return line.condition


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in CLAUSES.items() for text in texts])
def test_a_canonical_clause_is_its_own_text(kind: str, text: str) -> None:
    assert format_clause(read(kind, text)) == text


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("((a))and(b)", "a and b"),
        ("(a and b) or c", "a and b or c"),
        ("(a * b) + c", "a * b + c"),
        ("(a - b) - c", "a - b - c"),
        ("not (not a)", "not not a"),
        ("not (a < b)", "not a < b"),
        ("a<=4k   tokens", "a <= 4k tokens"),
        ("f( x:1,y, )", "f(x: 1, y)"),
        ("a in [ 1,2, ]", "a in [1, 2]"),
        ("(a) >= (1 + 2)", "a >= 1 + 2"),
        ("-(x) < -(2)", "-x < -2"),
        ("a >= p5", "a >= p05"),
        ("a >= p05 within teacher", "a >= p05 within teacher"),
    ],
)
def test_parentheses_and_spaces_are_minimal(written: str, canonical: str) -> None:
    assert format_expression(condition(written)) == canonical
    assert condition(canonical) == condition(written)


def test_text_of_groups_and_patterns() -> None:
    remove = read("select", 'remove quota  column "a b"  "x"')
    assert isinstance(remove, ast.RemoveClause)
    assert isinstance(remove.pattern.detail, ast.Group)
    assert format_pattern(remove.pattern) == 'quota column "a b" "x"'


def test_numbers_that_nobody_wrote_have_a_text_too() -> None:
    assert format_expression(ast.Number(4000, "tokens", span=AT)) == "4000 tokens"
    assert format_expression(ast.Number(0.15, "%", span=AT)) == "0.15%"
    assert condition(format_expression(ast.Binary("<", ast.Name("x", span=AT), ast.Number(-1e-7, span=AT), span=AT)))


def _name(text: str) -> ast.Expr:
    return ast.Name(text, span=AT)


LEAVES = st.one_of(
    st.sampled_from(["a", "prompt", "with", "seed"]).map(_name),
    st.sampled_from([0, 3, 0.5, 1e-9, -2, -0.25]).map(lambda v: ast.Number(v, "steps", span=AT)),
    st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=6).map(lambda t: ast.String(t, span=AT)),
    st.booleans().map(lambda b: ast.Boolean(b, span=AT)),
)
LEVEL = ["or", "and", "==", "<", "+", "-", "*", "/"]


def _grow(children: st.SearchStrategy[ast.Expr]) -> st.SearchStrategy[ast.Expr]:
    return st.one_of(
        st.tuples(st.sampled_from(LEVEL), children, children).map(lambda t: ast.Binary(*t, span=AT)),
        children.map(lambda e: ast.Unary("not", e, span=AT)),
        children.map(lambda e: ast.Rank(e, ast.Name("prompt", span=AT), span=AT)),
        children.map(
            lambda e: ast.Call(ast.Name("f", span=AT), (ast.Argument(ast.Name("x", span=AT), e, span=AT),), span=AT)
        ),
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(LEAVES, _grow, max_leaves=12))
def test_any_expression_is_read_back_as_it_was(expression: ast.Expr) -> None:
    assert condition(format_expression(expression)) == expression

"""Rows get their skills by the words of their prompts, as a plain reading of the rule says."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.cli.inputs import compile_file
from mixc.compiler.diagnostics import Fault
from mixc.compiler.keywords import either
from mixc.compiler.plan.digest import digest
from mixc.compiler.plan.stages import Tag
from mixc.compiler.source import Span
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Notice
from mixc.runtime.execute import build
from mixc.runtime.rows import Rows
from mixc.runtime.store import Store
from mixc.runtime.tag import tag
from mixc.tests.project import SCORED, make_project, rows, write_rows

SPAN = Span("a.mix", 0, 5)
TREE = {"name": "all", "children": [{"name": "sums", "children": [{"name": "addition"}, {"name": "subtraction"}]}, {"name": "products"}]}
CHAINS = (("sums", "sums"), ("addition", "sums->addition"), ("subtraction", "sums->subtraction"), ("products", "products"))

FOUND = {
    "triangle": (["A Triangle.", "right-triangle", "TRIANGLE"], ["triangles", "rectriangle", "tri angle"]),
    "triang*": (["triangle", "Triangulate!", "triang"], ["quadtriangle"]),
    "*gon": (["hexagon", "gon", "a Polygon,"], ["gone", "hexagons"]),
    "how  many": (["How many", "how\nmany", "how \t many"], ["howmany", "how manyfold", "how are many"]),
    "%": (["5%", "% of"], ["percent"]),
    "o'clock": (["at 5 O'Clock"], ["o clock"]),
    "\\sqrt": (["$\\sqrt{2}$", "\\sqrt 2", "\\sqrt2"], ["\\sqrtt", "sqrt"]),
    "\\int": (["\\int_0^1", "\\int x"], ["\\interior"]),
    "a.b": (["a.b", "A.B!"], ["axb"]),
    "f(x)": (["f(x) = 2", "F(x)"], ["f x"]),
    "größe": (["die GRÖßE", "Größe"], ["Größen"]),
    "/x\\^2/": (["x^2"], ["X^2"]),
    "/(?i)cos(ine)?\\b/": (["arcCOS", "cosine"], ["cosines"]),
    "a/b": (["a/b"], ["a b"]),
}


@pytest.mark.parametrize("pattern", FOUND)
def test_a_pattern_is_found_where_it_should_be_and_nowhere_else(pattern: str) -> None:
    there, nowhere = FOUND[pattern]
    texts = pl.DataFrame({"prompt": [*there, *nowhere]})
    assert texts.select(pl.col("prompt").str.contains(either([pattern]))).to_series().to_list() == [True] * len(there) + [False] * len(nowhere)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text.strip() and "*" not in text), st.sampled_from(["", " ", ", ", "\n"]))
def test_any_word_is_a_regular_expression_that_finds_itself(word: str, around: str) -> None:
    if len(word) > 2 and word[0] == word[-1] == "/":
        return
    assert pl.DataFrame({"prompt": [around + word + around]}).select(pl.col("prompt").str.contains(either([word]))).item()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab c", max_size=8), max_size=6), st.dictionaries(st.sampled_from([name for name, _ in CHAINS]), st.lists(st.sampled_from(["a", "b", "ab", "a b", "ca"]), min_size=1)))
def test_rows_get_the_skills_that_a_plain_reading_gives_them(prompts: list[str], words: dict[str, list[str]]) -> None:
    stage = Tag(id="tag", inputs=(), taxonomy="t", method="keywords", keywords=tuple((k, tuple(v)) for k, v in words.items()), tree=CHAINS, span=SPAN)
    frame = pl.DataFrame({"prompt": [*prompts, None], "reason": None}, schema={"prompt": pl.String, "reason": pl.String})
    said: list[Event] = []
    found = tag(stage, Rows.of(frame), Context(Store(Path("nowhere")), Students(), watch=said.append)).frame()["skills"].to_list()
    plain = [
        sorted(chain for name, chain in CHAINS if any(re.search(rf"(?<!\w){w.replace(' ', ' +')}(?!\w)", prompt) for w in words.get(name, ())))
        for prompt in prompts
    ]
    assert found == [*plain, []]
    assert [event.message.split(" ")[0] for event in said if isinstance(event, Notice)] == [str(sum(not skills for skills in found))]


def spec(words: object, tree: bool = True) -> str:
    Path("words.json").write_text(words if isinstance(words, str) else json.dumps(words))
    Path("tree.json").write_text(json.dumps(TREE))
    return SCORED.replace("skills topics { tag by column topic }", "skills topics {\n" + ('  tree "tree.json"\n' if tree else "") + '  tag by keywords "words.json"\n}').replace(
        '  quota    skill "addition" >= 20%\n', ""
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_project(tmp_path, 12))
    return tmp_path


def built(text: str, out: str) -> pl.DataFrame:
    Path("some.mix").write_text(text)
    plan = compile_file("some.mix", []).plan
    assert plan is not None and not plan.pending
    build(plan, Path(out), Context(Store(Path("store")), Students()))
    return pl.read_parquet(f"{out}/ledger.parquet")


def test_a_build_tags_every_row_by_its_prompt_and_every_response_to_it_alike(project: Path) -> None:
    ledger = built(spec({"addition": ["addition of"], "sums": ["addition", "subtraction"], "products": ["/multi/"]}), "out")
    by = {"addition": ["sums", "sums->addition"], "subtraction": ["sums"], "multiplication": ["products"]}
    wanted = {row["prompt_id"]: by[str(row["topic"])] for row in rows(12)}
    assert ledger.height == 36
    assert all(row["skills"] == wanted[row["prompt_id"]] for row in ledger.iter_rows(named=True))


def test_the_order_of_the_file_changes_no_row_and_its_words_change_the_plan(project: Path) -> None:
    words = {"addition": ["addition", "plus"], "products": ["multiplication"]}
    first = built(spec(words), "a")
    again = built(spec(dict(reversed([(k, v[::-1]) for k, v in words.items()]))), "b")
    assert first.equals(again)
    plans = []
    for each in (words, words | {"products": ["times"]}):
        Path("some.mix").write_text(spec(each))
        plans.append(compile_file("some.mix", []).plan)
    assert all(plans) and digest(plans[0]) != digest(plans[1])


def test_a_pattern_that_only_rusts_engine_refuses_is_told_at_its_clause(project: Path) -> None:
    write_rows(Path("data/rows.jsonl"), rows(2))
    with pytest.raises(Fault) as fault:
        built(spec({"addition": ["/a{1000}{1000}{1000}/"]}), "out")
    found = fault.value.diagnostics[0]
    assert found.code == "MIX0311" and found.primary is not None and found.primary.span.path == "some.mix"


WRONG = {
    "[1]": "MIX0301",
    "{": "MIX0301",
    '{"addition": []}': "MIX0301",
    '{"addition": "plus"}': "MIX0301",
    '{"addition": ["plus", 3]}': "MIX0301",
    '{"addition": [" "]}': "MIX0301",
    '{"addition": ["a"], "addition": ["b"]}': "MIX0301",
    "[" * 100_000: "MIX0301",
    '{"adition": ["a"]}': "MIX0201",
    '{"sums->addition": ["a"]}': "MIX0201",
    '{"addition": ["/(/"]}': "MIX0311",
    '{"addition": ["/(?=a)b/"]}': "MIX0311",
    '{"addition": ["/a*/"]}': "MIX0311",
    '{"addition": ["*"]}': "MIX0311",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_what_is_wrong_with_a_file_is_told_by_check_at_the_clause(text: str, project: Path) -> None:
    Path("some.mix").write_text(spec(text))
    outcome = compile_file("some.mix", [])
    assert outcome.plan is None
    [found] = [d for d in outcome.notes if d.severity.value == "error"]
    assert found.code == WRONG[text]
    assert found.primary is not None
    source = next(s for s in outcome.sources if s.path == found.primary.span.path)
    assert source.text[found.primary.span.start : found.primary.span.end] == '"words.json"'


def test_without_a_tree_any_skill_may_have_words(project: Path) -> None:
    ledger = built(spec({"Anything at all": ["addition"]}, tree=False), "out")
    assert set(ledger["skills"].explode().drop_nulls()) == {"Anything at all"}

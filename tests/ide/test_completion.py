"""What is offered at a cursor: what the grammar takes there, and the names that mean something there."""

import pytest
from mixc.compiler.codes.all import CODES
from mixc.compiler.codes.entry import Code
from mixc.compiler.ide.completion import complete
from mixc.grammar import table
from mixc.tests.ide.asking import BASE, asked, project


def offered(marked: str, **texts: str) -> list[str]:
    """The labels for a text that stands after `BASE`."""
    whole, offset = asked(BASE + "\n" + marked, **texts)
    return [s.label for s in complete(whole, offset).suggestions]


@pytest.mark.parametrize(
    ("marked", "wanted", "unwanted"),
    [
        ("|", {"score", "corpus", "select", "extends", "sweep"}, {"where", "seed", "true", "correct"}),
        ("sco|", {"score"}, {"where"}),
        ("student other {\n  |\n}", {"model", "revision", "dtype", "remove"}, {"scan", "where", "corpus"}),
        ('student other {\n  model "x"\n  |\n}', {"revision", "dtype"}, {"model"}),
        ("student other {\n  dtype |\n}", {"bf16", "fp32"}, {"true", "small"}),
        ("train small {\n  format |\n}", {"plain", "skill_aware"}, set()),
        ("train |", {"small"}, {"correct", "rows"}),
        ("teacher long from |", {"rows"}, {"small", "brief"}),
        ("teacher long from rows where |", {"model", "topic", "prompt"}, {"correct", "natural"}),
        ("corpus more {\n  scan \"rows.jsonl\"\n  prompt |\n}", {"question", "solution"}, {"correct"}),
        ("profile small {\n  grade |\n}", {"verify_math", "choice"}, {"tokens", "column", "local_logprob"}),
        ("evaluate {\n  benchmark b \"b.jsonl\" grade |\n}", {"verify_math", "choice"}, {"tokens", "column"}),
        ('skills other {\n  tag by llm(model: "x", |', {"endpoint", "key", "reads", "depth"}, {"model", "top"}),
        ('skills other {\n  tag by llm(model: "x", reads: |', {"prompt", "response"}, {"true", "none"}),
        ('skills other {\n  tag by embedding(model: "x", |', {"top", "margin", "least"}, {"model", "key"}),
        ("score x = |", {"verify_math", "tokens", "local_logprob"}, {"correct"}),
        ("score x = local_logprob(|", {"student", "window", "split", "debias"}, {"correct", "true"}),
        ("score x = local_logprob(student: small, |", {"window", "split", "debias"}, {"student"}),
        ("score x = local_logprob(student: |", {"small"}, {"rows", "brief"}),
        ("score x = local_logprob(debias: |", {"none", "drop_first", "length"}, {"sentence"}),
        ("score x = local_logprob(split: |", {"sentence", "newline", "given"}, {"none"}),
        ("score x = column(count, unit: |", {"tokens", "nats"}, {"count"}),
        ("select {\n  where |\n}", {"correct", "length", "reference", "question", "not", "true"}, {"small", "none", "my column"}),
        ("select {\n  where correct |\n}", {"and", "or", "in", "not"}, {"correct", "length"}),
        ("select {\n  where correct and |", {"length", "natural"}, {"and", "small"}),
        ("select {\n  where natural >= |", {"p20 within teacher", "length", "$n"}, {"and"}),
        ("select {\n  where natural >= p20 |", {"within", "and"}, {"natural"}),
        ("select {\n  where natural >= p20 within |", {"teacher", "prompt", "skill", "corpus", "topic"}, {"correct"}),
        ("select {\n  quota |", {"skill", "teacher", "column"}, {"correct"}),
        ("select {\n  quota teacher |", {"brief"}, {"rows", "small"}),
        ('select {\n  quota skill "|', {"Geometry", "Circles", "Algebra"}, {"brief", "weakness"}),
        ('select {\n  quota skill "Geo|metry" >= 3%\n}', {"Geometry"}, {"brief"}),
        ("select {\n  quota skill |", {"weakness", "uniform", '"Algebra"'}, set()),
        ("select {\n  quota column |", {"topic", '"my column"'}, {"correct"}),
        ("select {\n  keep |", {"best", "at"}, {"correct"}),
        ("select {\n  keep best 1 per prompt by |", {"natural", "length"}, {"random"}),
        ("select {\n  maximize |", {"random", "natural"}, set()),
        ("select {\n  count tokens by |", {"length"}, {"correct", "natural"}),
        ("select {\n  solver |", {"auto", "exact", "prices"}, {"length"}),
        ("select {\n  budget 4k |", {"examples", "tokens"}, {"prompts", "nats"}),
        ("select {\n  budget |", {"up", "$n"}, {"examples"}),
        ("select {\n  where length <= $|", {"$n"}, {"length"}),
        ("select {\n  |", {"where", "keep", "replace", "remove"}, {"seed"}),
        ("skills more {\n  tag by |", {"column", "keywords", "embedding"}, set()),
        ("skills more {\n  tag by column |", {"topic"}, set()),
        ("evaluate {\n  heldout |", {"rows"}, {"small"}),
        ("evaluate {\n  baseline |", {"random", "natural"}, {"rows"}),
        ("profile small {\n  grade |", {"verify_math"}, set()),
        ('test "t" {\n  expect error |', {"MIX0401"}, set()),
        ("sweep |", {"n"}, {"correct"}),
        ("remove score |", {"correct", "natural"}, {"small"}),
        ("dedup by |", {"exact", "minhash"}, set()),
        ("dedup by exact of |", {"prompt", "response"}, set()),
        ("# mixc: |", {"allow"}, {"where"}),
        ("# a remark |", set(), {"score", "allow"}),
        ("param |", set(), {"correct", "n"}),
        ("score |", set(), {"correct", "tokens"}),
        ('mix "x|"', set(), {"score"}),
    ],
)  # fmt: skip
def test_what_is_offered(marked: str, wanted: set[str], unwanted: set[str]) -> None:
    labels = set(offered(marked))
    assert wanted <= labels
    assert not unwanted & labels


def test_a_broken_line_elsewhere_does_no_harm() -> None:
    labels = offered('teacher oops from where ==\nscore bad = (\n\nselect {\n  where correct and |\n  quota skill\n}\ncorpus {')
    assert {"correct", "natural", "length"} <= set(labels)


def test_details_say_type_and_unit() -> None:
    whole, offset = asked(BASE + "\nselect {\n  where |")
    details = {s.label: s.detail for s in complete(whole, offset).suggestions}
    assert details["length"] == "a number of tokens"
    assert details["natural"] == "a log-probability in nats"
    assert details["correct"] == "true or false"
    assert details["count"] == "column, a bare number"
    assert details["$n"] == "40"


def test_a_param_set_from_outside_shows_its_value() -> None:
    whole, offset = asked(BASE + "\nselect {\n  budget |", overrides=(("n", "60"),))
    assert {s.label: s.detail for s in complete(whole, offset).suggestions}["$n"] == "60"


def test_names_of_the_parent_are_offered_in_a_child() -> None:
    whole, offset = asked('extends "base.mix"\n\nselect {\n  replace maximize |', base=BASE)
    assert {"natural", "length"} <= {s.label for s in complete(whole, offset).suggestions}
    whole, offset = asked('extends "base.mix"\n\nselect {\n  remove quota skill "|', base=BASE)
    assert "Circles" in {s.label for s in complete(whole, offset).suggestions}


def test_a_suggestion_takes_the_place_of_the_word_or_the_string() -> None:
    whole, offset = asked(BASE + "\nselect {\n  where corr|ect\n}")
    (found,) = [s for s in complete(whole, offset).suggestions if s.label == "correct"]
    assert whole.source.text[found.span.start : found.span.end] == "correct"
    whole, offset = asked(BASE + '\nselect {\n  quota skill "Geo|metr" >= 3%\n}')
    (found,) = [s for s in complete(whole, offset).suggestions if s.label == "Geometry"]
    assert whole.source.text[found.span.start : found.span.end] == "Geometr"


def test_lints_are_offered_where_one_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CODES, "MIX0699", Code("a lint", "It is for this test alone and says nothing of specs."))
    labels = offered("# mixc: allow |")
    assert "MIX0699" in labels
    assert not {"MIX0601", "MIX0401"} & set(labels), "errors, which no comment silences"


def test_paths_are_asked_for_where_files_are_named() -> None:
    for marked in ('extends "|', 'corpus c {\n  scan "../data/|', 'skills s {\n  tree "|', 'decontaminate against "|', 'evaluate {\n  benchmark b "|'):
        whole, offset = asked(marked)
        found = complete(whole, offset)
        assert found.paths == ("../data/" if "data" in marked else "")
        assert not found.suggestions


def test_snippets_fill_in_to_text_that_parses() -> None:
    """Every beginning that is offered, with its first choices, is what the grammar takes."""
    from mixc.compiler.diagnostics import Diagnostics
    from mixc.compiler.ide.snippets import CLAUSES, DECLARATIONS, plain
    from mixc.compiler.source import Source
    from mixc.compiler.syntax.blocks import HEADS
    from mixc.compiler.syntax.parse import parse

    holes = {"score": "tokens()", "keep": "natural", "count": "length", "tag": "topic", "prompts": "rows"}
    texts = [plain(s.replace("$0", holes.get(word, "x"))) for word, s in DECLARATIONS.items()]
    names = {"mix": '"m"', "test": '"t"', "select": "", "evaluate": "", "generate": "t generate"}
    for (kind, word), snippet in CLAUSES.items():
        head = f"{'teacher' if kind == 'generate' else kind} {names.get(kind, 'n')}".strip()
        texts.append(f"{head} {{\n  {plain(snippet.replace('$0', holes.get(word, 'x')))}\n}}")
    for text in texts:
        notes = Diagnostics()
        parse(Source("s.mix", text + "\n"), notes)
        assert not list(notes), (text, [d.message for d in notes])
    assert {kind for kind, _ in CLAUSES} <= set(HEADS)


def test_every_offset_of_a_file_has_an_answer() -> None:
    text = BASE + '\n# mixc: allow MIX0601 because "x"\nselect {\n  where (a\n  quota "\n'
    whole = project(text)
    for offset in range(0, len(text) + 1, 3):
        found = complete(whole, offset)
        assert all(s.span.path == "spec.mix" and 0 <= s.span.start <= s.span.end <= len(text) for s in found.suggestions), offset


def test_all_keywords_that_may_begin_a_line_are_offered_somewhere() -> None:
    from mixc.compiler.syntax.blocks import HEADS, keywords

    names = {"mix": '"m"', "test": '"t"', "select": "", "evaluate": "", "generate": "t generate"}
    for kind in HEADS:
        head = f"{'teacher' if kind == 'generate' else kind} {names.get(kind, 'n')}".strip()
        whole, offset = asked(f"{head} {{\n  |\n}}\n")
        assert {s.label for s in complete(whole, offset).suggestions} == keywords(kind)
    assert set(offered("|")) == keywords("") and keywords("") < set(table()["words"])

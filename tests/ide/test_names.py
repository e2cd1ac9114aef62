"""Where a name is declared, where it is used, and giving it another, over specs that extend one another."""

import pytest
from mixc.compiler.diagnostics import Edit
from mixc.compiler.ide.definition import definition
from mixc.compiler.ide.references import references
from mixc.compiler.ide.rename import Refusal, renamable, rename
from mixc.tests.ide.asking import BASE, asked, chain_of, project, shown

CHILD = """\
extends "base.mix"

score extra = tokens(student: small)

select {
  replace maximize with maximize natural
  add     where natural >= p20 within teacher
  add     quota teacher brief >= $n examples
}
"""


def targets(marked: str, **texts: str) -> list[tuple[str, str]]:
    """The files and the text of what is found."""
    whole, offset = asked(marked, **texts)
    known = {"spec.mix": whole.source.text, "tree.json": whole.inputs.texts["tree.json"], **{f"{n}.mix": t for n, t in texts.items()}}
    return [(t.name.path, known.get(t.name.path, "")[t.name.start : t.name.end]) for t in definition(whole, offset)]


def mended(texts: dict[str, str], edits: tuple[Edit, ...]) -> dict[str, str]:
    new = dict(texts)
    for edit in sorted(edits, key=lambda e: -e.span.start):
        text = new[edit.span.path]
        new[edit.span.path] = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return new


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("maximize natural", "maximize nat|ural", ("spec.mix", "natural")),
        ("teacher brief >=", "teacher bri|ef >=", ("spec.mix", "brief")),
        ("from rows", "from ro|ws", ("spec.mix", "rows")),
        ("student: small", "student: s|mall", ("spec.mix", "small")),
        ("$n examples", "$n| examples", ("spec.mix", "n")),
        ("verify_math(reference)", "verify_math(|reference)", ("spec.mix", "reference")),
        ('skill "Geometry"', 'skill "|Geometry"', ("tree.json", "Geometry")),
        ("column(count", "column(|count", ("spec.mix", '"rows.jsonl"')),
        ('tree "tree', 'tree "t|ree', ("tree.json", "")),
    ],
)
def test_definitions_in_a_file(old: str, new: str, found: tuple[str, str]) -> None:
    assert targets(BASE.replace(old, new, 1)) == [found]


def test_definitions_across_extends() -> None:
    assert targets(CHILD.replace("maximize natural", "maximize nat|ural"), base=BASE) == [("base.mix", "natural")]
    assert targets(CHILD.replace("$n", "$|n"), base=BASE) == [("base.mix", "n")]
    assert targets(CHILD.replace("teacher brief", "teacher |brief"), base=BASE) == [("base.mix", "brief")]
    assert targets(CHILD.replace("base.mix", "ba|se.mix"), base=BASE) == [("base.mix", "")]


def test_what_overrides_leads_to_what_it_overrides() -> None:
    assert targets('extends "base.mix"\nparam |n = 3\n', base=BASE) == [("base.mix", "n")]


def test_a_keyword_and_a_scorer_have_no_definition() -> None:
    assert targets(BASE.replace("= verify_math", "= ver|ify_math")) == []
    assert targets(BASE.replace("maximize natural", "maxi|mize natural")) == []


def test_references_in_a_file() -> None:
    whole, offset = asked(BASE.replace("maximize natural", "maximize nat|ural"))
    name = whole.file.at(offset)
    assert name is not None
    text = shown(whole.source.text, [o.span for o in references(whole, name.symbol)])
    assert text.count("[natural]") == 2 and "score [natural] =" in text and "maximize [natural]" in text


def test_a_column_and_a_score_of_one_name_are_two_things() -> None:
    text = BASE.replace("score length  = column(count", "score count  = column(count").replace("where    length", "where    count")
    whole, offset = asked(text.replace("where    count", "where    |count"))
    name = whole.file.at(offset)
    assert name is not None and name.symbol.kind == "score"
    found = shown(text, [o.span for o in references(whole, name.symbol)])
    assert "score [count]  = column(count," in found and "where    [count]" in found


def test_rename_reaches_parents_and_children_and_no_other_spec() -> None:
    base, offset = asked(BASE.replace("score natural", "score |natural"), "base.mix")
    stranger = BASE.replace("base", "stranger")
    chains = [chain_of("child.mix", CHILD, base=BASE), chain_of("stranger.mix", stranger)]
    edits = rename(base, offset, "likely", chains)
    assert not isinstance(edits, Refusal)
    new = mended({"base.mix": BASE, "child.mix": CHILD, "stranger.mix": stranger}, edits)
    assert "natural" not in new["base.mix"] + new["child.mix"] and new["stranger.mix"] == stranger
    assert not project(new["child.mix"], base=new["base.mix"]).outcome.notes.has_errors


def test_rename_from_a_child_renames_in_the_parent() -> None:
    child, offset = asked(CHILD.replace("quota teacher brief", "quota teacher b|rief"), base=BASE)
    edits = rename(child, offset, "short")
    assert not isinstance(edits, Refusal)
    new = mended({"base.mix": BASE, "spec.mix": CHILD}, edits)
    assert "teacher short from" in new["base.mix"] and "quota    teacher short" in new["base.mix"] and "brief" not in new["spec.mix"]


def test_a_name_of_one_child_stays_in_it() -> None:
    child, offset = asked(CHILD.replace("score extra", "score |extra"), base=BASE)
    sibling = chain_of("sibling.mix", CHILD, base=BASE)
    edits = rename(child, offset, "more", [sibling])
    assert not isinstance(edits, Refusal) and {e.span.path for e in edits} == {"spec.mix"}


def test_a_param_is_renamed_with_and_without_its_dollar() -> None:
    for new in ("count_of", "$count_of"):
        whole, offset = asked(BASE.replace("$n", "$|n"))
        edits = rename(whole, offset, new)
        assert not isinstance(edits, Refusal)
        text = mended({"spec.mix": BASE}, edits)["spec.mix"]
        assert "param count_of = 40" in text and "budget   $count_of examples" in text


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("where correct", "not a name"),
        ("2nd", "not a name"),
        ("not", "reserved"),
        ("p20", "reserved"),
        ("within", "reserved"),
        ("tokens", "column of every output"),
        ("length", "declared already"),
        ("model", "is a column that `spec.mix` reads"),
    ],
)
def test_what_a_score_cannot_be_called(new: str, why: str) -> None:
    whole, offset = asked(BASE.replace("score natural", "score |natural"))
    refused = rename(whole, offset, new)
    assert isinstance(refused, Refusal) and why in refused.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= verify_math", "= |verify_math"),
        ("prompt    question", "prompt    |question"),
        ('"Geometry"', '"|Geometry"'),
        ("  prompt ", "  |prompt "),
        ("maximize natural", "|maximize natural"),
        ("seed 1", "seed |1"),
    ],
)
def test_what_cannot_be_renamed(old: str, new: str) -> None:
    whole, offset = asked(BASE.replace(old, new, 1))
    assert isinstance(renamable(whole, offset), Refusal)


def test_a_name_in_a_clause_that_cannot_be_read_is_not_left_behind() -> None:
    whole, offset = asked(BASE.replace("score natural", "score |natural").replace("maximize natural", "maximize natural natural"))
    refused = rename(whole, offset, "likely")
    assert isinstance(refused, Refusal) and "syntax error" in refused.message and "`spec.mix`" in refused.message


def test_the_same_name_is_no_change() -> None:
    whole, offset = asked(BASE.replace("score natural", "score |natural"))
    assert rename(whole, offset, "natural") == ()

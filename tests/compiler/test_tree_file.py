"""Trees of skills: what is read of a sound one, how each fault is told, and that places in the file are those of the values."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.compiler.diagnostics import Diagnostic, Diagnostics, Severity
from mixc.compiler.semantics.placed_json import Placed, read_placed
from mixc.compiler.semantics.tree_file import DEEPEST, Tree, read_tree
from mixc.compiler.source import Span
from mixc.compiler.syntax import ast

PATH = ast.String("tree.json", span=Span("folder/a.mix", 20, 31))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=20)


def read(tree: object) -> tuple[Tree | None, list[Diagnostic]]:
    notes = Diagnostics()
    found = read_tree(PATH, tree if isinstance(tree, str) else json.dumps(tree), notes)
    assert (found is None) == notes.has_errors
    return found, notes.reported


def plain(placed: Placed) -> Any:
    if isinstance(placed.value, tuple):
        return {key.value: plain(value) for key, value in placed.value}
    return [plain(value) for value in placed.value] if isinstance(placed.value, list) else placed.value


def every(placed: Placed) -> list[Placed]:
    inner = [one for pair in placed.pairs for one in pair] + (placed.value if isinstance(placed.value, list) else [])
    return [placed, *(found for one in inner for found in every(one))]


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_a_placed_value_is_that_of_json_and_its_place_holds_it(value: Any, indent: Any, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    found = read_placed(f" {text}\n")
    assert plain(found) == value
    assert all(json.loads(f" {text}\n"[one.start : one.end]) == plain(one) for one in every(found))


def test_what_is_no_json_is_told_by_json() -> None:
    for text in ("", "{", '{"a": 1,}', "[1 2]", "nul"):
        with pytest.raises(json.JSONDecodeError):
            read_placed(text)


def test_a_sound_tree_gives_chains_in_the_order_of_the_file_and_the_descriptions_that_there_are() -> None:
    tree = {"name": "all", "children": [
        {"name": "a", "id": 7, "description": " the first ", "children": [{"name": "b", "children": [{"name": "c"}]}, {"name": "d", "description": None}]},
        {"name": "e", "description": "the last"},
    ]}  # fmt: skip
    found, said = read(tree)
    assert said == [] and found is not None
    assert found.chains == (("a", "a"), ("b", "a->b"), ("c", "a->b->c"), ("d", "a->d"), ("e", "e"))
    assert found.descriptions == (("a", "the first"), ("e", "the last"))


def test_a_node_that_says_it_has_no_children_is_a_leaf_and_is_warned_of() -> None:
    found, said = read({"name": "all", "children": [{"name": "a", "children": []}, {"name": "b", "children": None}]})
    assert found is not None and found.chains == (("a", "a"), ("b", "b"))
    assert [(d.code, d.severity) for d in said] == [("MIX0431", Severity.WARNING)] and "`a`" in said[0].message


NODES: dict[str, tuple[Any, str, str]] = {
    "no name": ({"children": []}, "a node below `top` has no name", "{"),
    "a name that is a number": ({"name": 3}, "the name of a node below `top` is no text", "3"),
    "half a character": ('{"name": "\\ud800"}', "the name of a node below `top` is no text", '"'),
    "an empty name": ({"name": "  "}, "is empty", '"'),
    "an arrow": ({"name": "a->b"}, "`top->a->b` has `->` in it", '"'),
    "a line break": ({"name": "a\nb"}, "has a line break in it", '"'),
    "a name twice": ({"name": "first"}, "`first` and `top->first`", '"'),
    "its own ancestor": ({"name": "top"}, "a cycle: `top` lies below itself, `top->top`", '"'),
    "a far ancestor": ({"name": "mid", "children": [{"name": "top"}]}, "`top->mid->top`", '"'),
    "a reference": ({"$ref": "#/top"}, "a node below `top` has no name", '"'),
    "a text for a node": ("\"word\"", "a node below `top` is no object", '"'),
    "children that are an object": ({"name": "mid", "children": {"name": "x"}}, "the children of `top->mid` are no list", "{"),
    "a description that is a list": ({"name": "mid", "description": ["x"]}, "the description of `top->mid` is no text", "["),
    "a misspelt key": ({"name": "mid", "descripton": "x"}, "`mid` has a key `descripton`", '"'),
}


@pytest.mark.parametrize("case", NODES)
def test_each_fault_names_the_node_and_its_place(case: str) -> None:
    node, says, character = NODES[case]
    text = json.dumps({"name": "all", "children": [{"name": "first"}, {"name": "top", "children": ["NODE"]}]}).replace('"NODE"', node if isinstance(node, str) else json.dumps(node))
    found, said = read(text)
    errors = [d for d in said if d.severity is Severity.ERROR]
    assert found is None and [d.code for d in errors] == ["MIX0431"] and says in errors[0].message
    place = errors[0].secondary[0].span
    assert place.path == "folder/tree.json" and text[place.start] in (character, '"') and place.start >= text.index('"top"')
    assert errors[0].help and f", 1:{place.start + 1}:" in errors[0].message


def test_a_name_that_stands_twice_shows_both_places() -> None:
    text = '{"children": [{"name": "x"},\n {"name": "y", "children": [{"name": "x"}]}]}'
    _, said = read(text)
    assert [label.span.start for label in said[0].secondary] == [text.rindex('"x"'), text.index('"x"')]


@pytest.mark.parametrize("root", ["[]", "3", "{}", '{"name": "all"}', '{"name": "all", "children": []}', '{"name": "all", "children": {}}', "{", "[" * 100_000])
def test_a_root_that_has_no_skills_is_refused(root: str) -> None:
    found, said = read(root)
    assert found is None and [d.code for d in said] == ["MIX0431"] and said[0].help


def test_a_tree_may_be_so_deep_and_no_deeper() -> None:
    def deep(levels: int) -> dict[str, Any]:
        node: dict[str, Any] = {"name": f"n{levels}"}
        for level in range(levels - 1, 0, -1):
            node = {"name": f"n{level}", "children": [node]}
        return {"children": [node]}

    assert read(deep(DEEPEST))[0] is not None
    found, said = read(deep(DEEPEST + 3))
    assert found is None and [f"`n{DEEPEST + 1}` lies {DEEPEST + 1} levels below the root" in d.message for d in said] == [True]


def test_of_very_many_faults_twenty_are_told_and_the_others_counted() -> None:
    _, said = read({"children": [{"name": "a"}] * 100})
    assert len(said) == 21 and "79 more faults" in said[-1].message

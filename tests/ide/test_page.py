"""A file as a whole: its problems and their mending, its outline, its folds, its colours, its form."""

from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.driver import Outcome
from mixc.compiler.ide.actions import actions, mend
from mixc.compiler.ide.highlight import highlight
from mixc.compiler.ide.outline import folds, outline
from mixc.compiler.ide.problems import problems
from mixc.compiler.ide.tidy import tidy
from mixc.compiler.source import Source, Span
from mixc.tests.ide.asking import BASE, project
from mixc.tests.ide.test_names import CHILD, mended


def test_a_sound_spec_has_no_problems() -> None:
    assert problems(project(BASE)) == ()


def test_a_problem_stands_at_its_place_with_its_help() -> None:
    (found,) = problems(project(text := BASE.replace("maximize natural", "maximize naturl")))
    assert text[found.span.start : found.span.end] == "naturl"
    assert found.message.startswith("no score, role or column named `naturl`") and "did you mean the score `natural`?" in found.message


def test_an_error_of_the_parent_is_shown_at_extends() -> None:
    broken = BASE.replace("where    correct", "where    corect")
    found = [p for p in problems(project(CHILD, base=broken)) if p.diagnostic.code == "MIX0201"]
    assert found
    for each in found:
        assert CHILD[each.span.start : each.span.end] == '"base.mix"'
        assert each.message.startswith("in `base.mix`, line 27: ")
        assert each.related[0].span.path == "base.mix"


def test_a_problem_without_width_is_seen() -> None:
    for each in problems(project("corpus {\n  scan\n}\nselect {\n where\n")):
        assert each.span.end > each.span.start or each.span.start == 0


def test_a_fix_is_an_action_and_mends() -> None:
    text = BASE.replace("length <= 400 tokens", "length <= 400")
    whole = project(text)
    at = text.index("400")
    (action,) = actions(whole, at, at)
    assert action.preferred and action.title.startswith("write `length <= 400 tokens`")
    assert mended({"spec.mix": text}, action.edits)["spec.mix"] == BASE
    assert not actions(whole, 0, 3)


def test_all_fixes_at_once() -> None:
    text = BASE.replace("length <= 400 tokens", "length <= 400").replace("maximize natural", "maximize naturl")
    assert mended({"spec.mix": text}, mend(project(text)))["spec.mix"] == BASE


def test_a_lint_can_be_allowed_where_it_stands() -> None:
    whole = project(BASE)
    at = BASE.index("where    length")
    notes = Diagnostics()
    notes.warning("MIX0601", "a lint", Span("spec.mix", at, at + 5))
    whole.__dict__["outcome"] = Outcome(None, notes, (whole.source,))  # as if compiling had given it
    (action,) = actions(whole, at, at)
    text = mended({"spec.mix": BASE}, action.edits)["spec.mix"]
    assert '  where    correct\n  # mixc: allow MIX0601 because ""\n  where    length' in text


def test_the_comment_stands_before_the_whole_clause() -> None:
    text = BASE.replace("where    length <= 400 tokens", 'where    question in [\n    "a",\n    "b"\n  ]')
    whole = project(text)
    at = text.index('"b"')
    notes = Diagnostics()
    notes.warning("MIX0601", "a lint", Span("spec.mix", at, at + 3))
    whole.__dict__["outcome"] = Outcome(None, notes, (whole.source,))
    (action,) = actions(whole, at, at)
    assert '  # mixc: allow MIX0601 because ""\n  where    question in [' in mended({"spec.mix": text}, action.edits)["spec.mix"]


def test_the_outline_has_declarations_and_their_clauses() -> None:
    entries = outline(project(BASE).file)
    assert [e.title for e in entries] == ["base", "$n", "small", "rows", "brief", "maths", "correct", "natural", "length", "select"]
    select = entries[-1]
    assert [c.title for c in select.children] == ["where", "where", "quota", "quota", "budget", "maximize"]
    assert select.children[1].detail == "length <= 400 tokens"
    for entry in entries:
        assert entry.whole.start <= entry.name.start <= entry.name.end <= entry.whole.end


def test_blocks_and_runs_of_comments_fold() -> None:
    text = "# one\n# two\n\n# alone\n" + BASE
    found = [text[s.start : s.end] for s in folds(project(text).file)]
    assert found[-1] == "# one\n# two"
    assert [f.split()[0] for f in found[:-1]] == ["corpus", "skills", "select"]  # the others are on one line


def test_words_are_coloured_by_what_they_mean() -> None:
    text = "# note\n" + BASE
    found = [(text[h.span.start : h.span.end], h.kind, h.declares) for h in highlight(project(text).file)]
    for each in (
        ("# note", "comment", False),
        ("corpus", "keyword", False),
        ("rows", "namespace", True),
        ("correct", "variable", True),
        ("correct", "variable", False),
        ("verify_math", "function", False),
        ("reference", "property", False),
        ("$n", "parameter", False),
        ("40", "number", False),
        ('"Geometry"', "string", False),
        ("brief", "class", True),
    ):
        assert each in found
    assert ("prompt", "keyword", False) in found


def test_formatting_is_edits_of_the_lines_that_change() -> None:
    text = BASE.replace("param n = 40", "param   n=40")
    (edit,) = tidy(Source("spec.mix", text))
    assert text[edit.span.start : edit.span.end] == "param   n=40\n" and edit.text == "param n = 40\n"
    assert tidy(Source("spec.mix", BASE)) == ()
    assert tidy(Source("spec.mix", BASE.replace("select {", "select ("))) == ()


def test_formatting_keeps_the_line_ends_of_the_file() -> None:
    text = BASE.replace("param n = 40", "param   n=40").replace("\n", "\r\n")
    (edit,) = tidy(Source("spec.mix", text))
    assert edit.text == "param n = 40\r\n"
    assert tidy(Source("spec.mix", BASE.replace("\n", "\r\n"))) == ()


def test_a_file_that_is_too_large_is_one_problem_and_answers() -> None:
    whole = project("# x\n" * 70_000)
    assert [p.diagnostic.code for p in problems(whole)] == ["MIX0117"]
    assert highlight(whole.file) == () and outline(whole.file) == ()

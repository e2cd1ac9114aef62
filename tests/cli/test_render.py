"""What a diagnostic looks like, to people and to machines."""

import io
import json
import re

import pytest
from mixc.cli.console import THEME
from mixc.cli.exit import exit_code
from mixc.cli.render import render_json, render_text, summary
from mixc.compiler.diagnostics import Diagnostic, Edit, Label, Severity
from mixc.compiler.source import Source, Span
from rich.console import Console

SPEC = """mix "x" { seed 17 }
score length = tokens(student: smollm2)
select {
  where    length >= 3 nats
\twhere\t漢字e\u0301x == wide
  quota    skill "Geometry" >= 15%
  keep best 1

}
"""


def source(text: str = SPEC, path: str = "specs/a.mix") -> Source:
    return Source(path, text)


def span(of: Source, words: str, nth: int = 0) -> Span:
    at = -1
    for _ in range(nth + 1):
        at = of.text.index(words, at + 1)
    return Span(of.path, at, at + len(words))


def drawn(*diagnostics: Diagnostic, sources: tuple[Source, ...], width: int = 100, color: bool = False) -> str:
    out = io.StringIO()
    system = "standard" if color else None
    console = Console(
        file=out, width=width, theme=THEME, color_system=system, force_terminal=color, highlight=False, markup=False
    )
    render_text(diagnostics, {s.path: s for s in sources}, console)
    return out.getvalue()


def body(text: str) -> str:
    """The drawing of one diagnostic, without its summary."""
    return text.rpartition("\n\n")[0] + "\n"


def test_two_labels_of_a_line_are_drawn_as_the_contract_shows():
    s = source()
    d = Diagnostic(
        "MIX0304",
        "a number of tokens cannot be compared with nats",
        Label(span(s, "3 nats"), "these are nats"),
        (Label(span(s, "length", 1), "this is a number of tokens (declared on line 35)"),),
        help="write `length >= 3 tokens`, or compare a log-probability",
    )
    assert body(drawn(d, sources=(s,))) == (
        "error[MIX0304]: a number of tokens cannot be compared with nats\n"
        " --> specs/a.mix:4:22\n"
        "  |\n"
        "4 |   where    length >= 3 nats\n"
        "  |            ------    ^^^^^^ these are nats\n"
        "  |            this is a number of tokens (declared on line 35)\n"
        "  = help: write `length >= 3 tokens`, or compare a log-probability\n"
    )


def test_labels_elsewhere_have_their_lines_and_other_files_their_own_place():
    s, parent = source(), Source("specs/parent.mix", "\n" * 99 + "score a = x\n")
    d = Diagnostic(
        "MIX0305",
        "elsewhere",
        Label(span(s, "15%"), "here"),
        (Label(span(s, "length"), "declared here"), Label(Span(parent.path, 99, 104), "in the parent")),
        notes=("one", "two\nlines"),
    )
    assert body(drawn(d, sources=(s, parent))) == (
        "error[MIX0305]: elsewhere\n"
        "   --> specs/a.mix:6:32\n"
        "    |\n"
        "  2 | score length = tokens(student: smollm2)\n"
        "    |       ------ declared here\n"
        "...\n"
        '  6 |   quota    skill "Geometry" >= 15%\n'
        "    |                                ^^^ here\n"
        "   --> specs/parent.mix:100:1\n"
        "    |\n"
        "100 | score a = x\n"
        "    | ----- in the parent\n"
        "    = note: one\n"
        "    = note: two\n"
        "            lines\n"
    )


def test_tabs_wide_and_combining_characters_keep_marks_under_their_words():
    s = source()
    d = Diagnostic("MIX0306", "wide", Label(span(s, "wide"), "w"), (Label(span(s, "漢字e\u0301x"), "cjk"),))
    assert body(drawn(d, sources=(s,))).splitlines()[3:] == [
        "5 |     where   漢字e\u0301x == wide",
        "  |             ------    ^^^^ w",
        "  |             cjk",
    ]


@pytest.mark.parametrize("emoji", ["👩\u200d👩\u200d👧", "👍🏽", "🧑🏿\u200d🚀", "🏳\ufe0f\u200d🌈"])
def test_joined_emoji_are_two_cells_wide(emoji: str):
    s = source(f'where x == "{emoji}" and WRONG')
    d = Diagnostic("MIX0306", "wide", Label(span(s, "WRONG"), "w"))
    marks = body(drawn(d, sources=(s,))).splitlines()[4]
    assert marks.index("^") == len('  | where x == "') + 2 + len('" and ')


def test_a_short_block_is_shown_whole_and_barred():
    s = source()
    block = Span(s.path, span(s, "select").start, span(s, "15%").end)
    d = Diagnostic("MIX0308", "block", Label(block, "this"), (Label(span(s, "skill"), "inside"),))
    assert body(drawn(d, sources=(s,))).splitlines()[3:] == [
        "3 | / select {",
        "4 | |   where    length >= 3 nats",
        "5 | |     where   漢字e\u0301x == wide",
        '6 | |   quota    skill "Geometry" >= 15%',
        "  | |            ----- inside",
        "  | |__________________________________^ this",
    ]


def test_a_long_block_shows_its_ends_and_nested_blocks_their_own_bars():
    s = source()
    inner = Span(s.path, span(s, "length >=").start, span(s, "quota").end)
    d = Diagnostic("MIX0308", "blocks", Label(inner, "inner"), (Label(Span(s.path, 0, span(s, "best").end), "outer"),))
    assert body(drawn(d, sources=(s,))).splitlines()[3:] == [
        '1 | /   mix "x" { seed 17 }',
        "2 | |   score length = tokens(student: smollm2)",
        "3 | |   select {",
        "4 | |     where    length >= 3 nats",
        "  | |  ____________^",
        "5 | | |     where   漢字e\u0301x == wide",
        '6 | | |   quota    skill "Geometry" >= 15%',
        "  | | |_______^ inner",
        "7 | |     keep best 1",
        "  | |_____________- outer",
    ]


def test_a_long_line_is_cropped_around_its_marks_and_stays_within_the_width():
    s = source("x" * 150 + " WRONG thing " + "y" * 200)
    d = Diagnostic("MIX0307", "long", Label(span(s, "WRONG"), "here"), (Label(span(s, "thing"), "there"),))
    lines = body(drawn(d, sources=(s,), width=60)).splitlines()
    text, marks = lines[3], lines[4]
    assert len(text) <= 60
    assert text.startswith("1 | …") and text.endswith("…")
    assert text[marks.index("^") : marks.rindex("^") + 1] == "WRONG"
    assert text[marks.index("-") : marks.rindex("-") + 1] == "thing"


def test_an_overlong_mark_is_cropped_too():
    s = source("where " + "x" * 500)
    d = Diagnostic("MIX0307", "long", Label(span(s, "x" * 500), "all of it"))
    text, marks = body(drawn(d, sources=(s,), width=60)).splitlines()[3:]
    assert len(text) == 60
    assert len(marks) < 75
    assert marks.endswith("^ all of it")


def test_a_fault_at_the_end_of_the_file_shows_the_line_before_it():
    s = source("select {\n  where correct\n")
    d = Diagnostic("MIX0102", "a block is not closed", Label(Span(s.path, len(s.text), len(s.text)), "`}` is missing"))
    assert body(drawn(d, sources=(s,))).splitlines()[1:] == [
        " --> specs/a.mix:3:1",
        "  |",
        "2 |   where correct",
        "3 |",
        "  | ^ `}` is missing",
    ]


@pytest.mark.parametrize("text", ["", "x", "\n", "\r\n", "a\r\nb", "\ufeff", "\x1b[31m", "\t"])
def test_every_span_of_every_text_can_be_drawn(text: str):
    s = source(text)
    for start in range(len(text) + 3):
        for end in range(start, len(text) + 4):
            shown = drawn(Diagnostic("MIX0101", "m", Label(Span(s.path, start, end), "here")), sources=(s,))
            assert "^ here" in shown
            assert "\x1b" not in shown


def test_a_diagnostic_without_a_place_or_without_its_text_still_reads():
    nowhere = Diagnostic("MIX0509", "`torch` is missing", help='`pip install "mixc[train]"`')
    lost = Diagnostic("MIX0501", "lost", Label(Span("gone.mix", 3, 4), "this clause"))
    assert drawn(nowhere, lost, sources=()) == (
        "error[MIX0509]: `torch` is missing\n"
        '  = help: `pip install "mixc[train]"`\n'
        "\n"
        "error[MIX0501]: lost\n"
        " --> gone.mix\n"
        "  = note: this clause\n"
        "\n"
        "2 errors\n"
    )


def test_nested_labels_mark_the_primary_on_top():
    s = source()
    d = Diagnostic("MIX0310", "m", Label(span(s, ">="), "op"), (Label(span(s, "length >= 3 nats"), "whole"),))
    assert body(drawn(d, sources=(s,))).splitlines()[4:] == [
        "  |            -------^^------- whole",
        "  |                   op",
    ]


def test_colour_adds_nothing_but_colour():
    s = source()
    d = Diagnostic("MIX0304", "m `x`", Label(span(s, "3 nats"), "l"), notes=("n",), help="`h`")
    plain, coloured = drawn(d, sources=(s,)), drawn(d, sources=(s,), color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_summary_counts_errors_before_warnings_and_nothing_is_silent():
    error, warning = Diagnostic("MIX0101", "m"), Diagnostic("MIX0601", "m", severity=Severity.WARNING)
    assert summary([warning, error, error]) == "2 errors, 1 warning"
    assert summary([warning, warning]) == "2 warnings"
    assert drawn(sources=()) == ""


def test_json_places_count_from_one_in_code_points_with_the_end_past_the_last():
    s = source("mix 漢字 {\n  seed 1\n}\n")
    d = Diagnostic(
        "MIX0101",
        "m",
        Label(span(s, "漢字"), "l"),
        (Label(span(s, "seed 1"), "k"),),
        ("n",),
        "h",
        (Edit(span(s, "漢字"), '"x"'),),
        Severity.WARNING,
    )
    here = {"file": s.path, "start": {"line": 1, "column": 5}, "end": {"line": 1, "column": 7}}
    there = {"file": s.path, "start": {"line": 2, "column": 3}, "end": {"line": 2, "column": 9}}
    assert json.loads(render_json([d], {s.path: s})) == {
        "diagnostics": [
            {
                "code": "MIX0101",
                "severity": "warning",
                "message": "m",
                **here,
                "labels": [{**here, "text": "l", "primary": True}, {**there, "text": "k", "primary": False}],
                "notes": ["n"],
                "help": "h",
                "fix": {"edits": [{**here, "text": '"x"'}]},
            }
        ]
    }


def test_json_of_no_diagnostics_and_of_no_place():
    assert json.loads(render_json([], {})) == {"diagnostics": []}
    (only,) = json.loads(render_json([Diagnostic("MIX0509", "m")], {}))["diagnostics"]
    assert (only["file"], only["start"], only["end"], only["labels"], only["fix"]) == (None, None, None, [], None)


def test_what_no_rows_can_satisfy_is_infeasible_where_a_selection_is_asked_for():
    floors, name = Diagnostic("MIX0402", "m"), Diagnostic("MIX0201", "m")
    assert [exit_code([floors]), exit_code([floors], selects=True), exit_code([floors, name], selects=True)] == [1, 3, 1]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        (["MIX0601w"], 0),
        (["MIX0304", "MIX0601w"], 1),
        (["MIX0401"], 3),
        (["MIX0501"], 4),
        (["MIX0524"], 1),
        (["MIX0525", "MIX0501"], 4),
        (["MIX0602"], 1),
        (["MIX0402"], 1),
    ],
)
def test_exit_codes_are_the_contracted_ones(codes: list[str], expected: int):
    severities = [(c[:7], Severity.WARNING if c.endswith("w") else Severity.ERROR) for c in codes]
    assert exit_code(Diagnostic(c, "m", severity=s) for c, s in severities) == expected

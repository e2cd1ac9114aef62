"""Sheets in Markdown, and that no word of theirs is taken for markup."""

import pytest
from mixc.cli.markdown import escaped
from mixc.cli.sheet import Sheet, to_markdown


@pytest.mark.parametrize(
    ("words", "shown"),
    [("a >= b", "a &#62;= b"), ("a|b", "a\\|b"), ("x_y *z*", "x\\_y \\*z\\*"), ("`code`\n next", "`code` next"), ("\\ # @me", "\\\\ \\# &#64;me")],
)
def test_words_stay_words(words: str, shown: str) -> None:
    assert escaped(words) == shown


def test_a_sheet_is_a_table_with_its_notes() -> None:
    sheet = Sheet("small: 3", ("", "accuracy", "why"), (("a", "1%", "x"), ("b", "2%", "y")), ("! look", "more"), last=True, styles={1: "success"})
    assert to_markdown("two", [sheet, Sheet("notes", (), (), ("only",))]) == (
        "### two\n\n**small: 3**\n\n|  | accuracy | why |\n|---|---:|---|\n| a | 1% | x |\n| **b** | **2%** | **y** |\n\n- look\n- more\n\n**notes**\n\n- only\n"
    )

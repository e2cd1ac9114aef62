"""Rows of other trainers as prompt and response: which rows are one pair, which kinds of files are read, and what is said of the rest."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mixc.runtime import convert as converting
from mixc.runtime.conversations import NO_TEXT, NOT_ONE, Pairs, Turns, pair
from mixc.runtime.convert import convert, readable, rows_in
from mixc.runtime.records import Unreadable

ALPACA = Pairs("instruction", "output", "input", "history", "system")
CHAT = Turns("messages")


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("row", "shape", "expected"),
    [
        ({"instruction": "a", "output": "b"}, ALPACA, ("a", "b", "")),
        ({"instruction": "a", "input": "c", "output": "b", "system": "s"}, ALPACA, ("a\nc", "b", "s")),
        ({"instruction": "", "input": "c", "output": "b", "history": []}, ALPACA, ("c", "b", "")),
        ({"instruction": "a", "output": "b", "history": [["x", "y"]]}, ALPACA, NOT_ONE),
        ({"instruction": "a", "output": None}, ALPACA, NO_TEXT),
        ({"instruction": 3, "output": "b"}, ALPACA, NO_TEXT),
        ({"output": "b"}, ALPACA, NO_TEXT),
        ({"messages": [turn("user", "a"), turn("assistant", "b")]}, CHAT, ("a", "b", "")),
        ({"messages": [turn("system", "s"), turn("human", "a"), turn("gpt", "b")]}, CHAT, ("a", "b", "s")),
        ({"messages": [turn("assistant", "b"), turn("user", "a")]}, CHAT, NOT_ONE),
        ({"messages": [turn("user", "a")]}, CHAT, NOT_ONE),
        ({"messages": [turn("user", "a"), turn("assistant", "b")] * 2}, CHAT, NOT_ONE),
        ({"messages": [turn("user", [{"type": "image"}]), turn("assistant", "b")]}, CHAT, NO_TEXT),
        ({"messages": "user: a"}, CHAT, NO_TEXT),
        ({"messages": []}, CHAT, NOT_ONE),
        ({}, CHAT, NO_TEXT),
    ],
)
def test_a_row_is_one_question_and_one_answer_or_says_why_not(row: dict[str, Any], shape: Pairs | Turns, expected: Any) -> None:
    assert pair(row, shape) == expected


def test_rows_keep_their_order_and_their_plain_columns(tmp_path: Path) -> None:
    rows = [{"id": i, "messages": [turn("user", f"q{i}"), turn("assistant", f"a{i} \ud800")], "tags": ["x"], "prompt": "old", "score": None} for i in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    done = convert([tmp_path / "a.json"], CHAT, tmp_path / "out" / "b.jsonl")
    made = [json.loads(line) for line in (tmp_path / "out" / "b.jsonl").read_text().splitlines()]
    assert made == [{"prompt": f"q{i}", "response": f"a{i} \ud800", "id": i, "score": None} for i in range(3)]
    assert (done.kept, dict(done.left), done.dropped) == (3, {}, {"tags"})


def test_columns_are_read_as_they_stand_where_they_can_be(tmp_path: Path) -> None:
    lines, listed, table = tmp_path / "a.jsonl", tmp_path / "a.json", tmp_path / "a.parquet"
    rows = [{"instruction": "a", "input": "", "output": "b"}, {"instruction": "c", "input": None, "output": "d"}]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    listed.write_text(json.dumps(rows))
    pl.DataFrame(rows).write_parquet(table)
    assert [readable([path], ALPACA) for path in (lines, listed, table)] == [True, False, True]
    assert not readable([lines, table], ALPACA)
    lines.write_text(lines.read_text() + json.dumps({"instruction": "e", "input": "f", "output": "g"}) + "\n")
    assert not readable([lines], ALPACA) and readable([lines], Pairs("instruction", "output"))


@settings(max_examples=60, deadline=None)
@given(some.lists(some.dictionaries(some.text(max_size=5), some.none() | some.integers() | some.text(max_size=40), max_size=4), max_size=12), some.integers(1, 30), some.sampled_from([None, 0, 2]))
def test_a_list_is_read_block_by_block_as_it_is_read_whole(tmp_path_factory: pytest.TempPathFactory, rows: list, block: int, indent: int | None) -> None:
    path = tmp_path_factory.mktemp("list") / "a.json"
    path.write_text("  " + json.dumps(rows, indent=indent, ensure_ascii=bool(indent)), encoding="utf-8", errors="surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(converting, "_BLOCK", block)
        try:
            found = list(rows_in(path))
        except UnicodeDecodeError:
            assert any("\ud800" <= char <= "\udfff" for char in path.read_text(encoding="utf-8", errors="surrogatepass"))
            return
    assert found == rows


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '[{"a": 1}', '[{"a": 1} x', '[{"a": 1}, 3]', '[{"a": 1}, [2]]'])
def test_a_list_that_is_broken_says_which_entry(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Unreadable, match="entry 2"):
        list(rows_in(tmp_path / "a.json"))

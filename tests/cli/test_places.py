"""Places and names of files between the protocol and us."""

import pytest
from mixc.cli.server.positions import Positions
from mixc.cli.server.uris import path_of, uri_of

TEXT = 'a "é🧮漢" b\r\nnext\n\nlast'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_every_offset_is_found_again(encoding: str) -> None:
    lines = Positions(TEXT, encoding)
    for offset in range(len(TEXT) + 1):
        if TEXT[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(*lines.place(offset)) == offset


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_places_are_code_units(encoding: str) -> None:
    line, character = Positions(TEXT, encoding).place(TEXT.index(" b"))
    width = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    units = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    assert (line, character) == (0, len('a "é🧮漢"'.encode(width)) // units)


def test_places_beyond_the_end_are_the_end() -> None:
    lines = Positions(TEXT)
    assert lines.offset(0, 999) == TEXT.index("\r")
    assert lines.offset(99, 0) == len(TEXT)
    assert lines.offset(-1, 5) == 0
    assert lines.place(10_000) == (3, 4)


def test_the_middle_of_a_pair_is_its_beginning() -> None:
    assert Positions("🧮x").offset(0, 1) == 0


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///tmp/a.mix", "/tmp/a.mix"),
        ("file:///tmp/a%20b/%E2%9C%93.mix", "/tmp/a b/✓.mix"),
        ("file:///c%3A/specs/x/a.mix", "c:/specs/x/a.mix"),
        ("file:///C:/specs/x/a.mix", "c:/specs/x/a.mix"),
        ("file://host/share/a.mix", "//host/share/a.mix"),
        ("untitled:Untitled-1", "/here/Untitled-1"),
        ("vscode-notebook-cell:/x/y.mix", "/here/x/y.mix"),
    ],
)
def test_paths_of_uris(uri: str, path: str) -> None:
    assert path_of(uri, "/here") == path


@pytest.mark.parametrize("path", ["/tmp/a.mix", "/tmp/a b/✓#1?.mix", "c:/specs/x/ä.mix", "//host/share/a.mix"])
def test_uris_lead_back(path: str) -> None:
    assert path_of(uri_of(path)) == path
    assert " " not in uri_of(path) and "✓" not in uri_of(path)

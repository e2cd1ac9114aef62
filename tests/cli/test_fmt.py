"""`mixc fmt`: which files it writes and how, what it only tells, and what it leaves alone."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from mixc.cli.commands import fmt
from mixc.cli.main import main

from .program import arguments, environment

PATCH = shutil.which("patch")
UGLY = 'mix  "a" {seed 3 # why\n}\n'
PRETTY = 'mix "a" {\n  seed 3  # why\n}\n'
BROKEN = "selct {\n}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.mix").write_text(UGLY)
    (tmp_path / "pretty.mix").write_text(PRETTY)
    return tmp_path


def piped(data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(arguments("fmt", "-", *words), input=data, env=environment(), capture_output=True, timeout=60, check=False)


def test_only_what_changes_is_written_and_it_is_said_which(folder: Path, capsys: pytest.CaptureFixture[str]):
    before = (folder / "pretty.mix").stat()
    assert main(["fmt", "ugly.mix", "pretty.mix"]) == 0
    assert [(folder / name).read_text() for name in ("ugly.mix", "pretty.mix")] == [PRETTY] * 2
    after = (folder / "pretty.mix").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "formatted ugly.mix\n1 file formatted, 1 file as it should be\n")
    assert main(["fmt", "ugly.mix", "pretty.mix"]) == 0
    assert capsys.readouterr().err == "2 files as they should be\n"


def test_check_lists_what_would_change_and_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["fmt", "--check", "ugly.mix", "pretty.mix"]) == 2
    assert (folder / "ugly.mix").read_text() == UGLY
    assert capsys.readouterr().out == "ugly.mix\n"
    assert main(["fmt", "--check", "pretty.mix"]) == 0
    assert capsys.readouterr().out == ""


def test_check_as_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "broken.mix").write_text(BROKEN)
    assert main(["fmt", "--check", "--format", "json", "ugly.mix", "pretty.mix", "broken.mix"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["changed"] == ["ugly.mix"]
    assert [(d["code"], d["file"]) for d in shown["diagnostics"]] == [("MIX0102", "broken.mix")]


@pytest.mark.skipif(PATCH is None, reason="no `patch` here")
def test_diff_shows_what_patch_takes(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "windows.mix").write_bytes(b'\xef\xbb\xbfmix "w" { seed 1 }\r\n')
    (folder / "open.mix").write_bytes(b'mix "o" { seed 1 }')
    names = ["ugly.mix", "pretty.mix", "windows.mix", "open.mix"]
    held = {name: (folder / name).read_bytes() for name in names}
    assert main(["fmt", "--diff", *names]) == 2
    assert {name: (folder / name).read_bytes() for name in names} == held
    shown = capsys.readouterr().out
    assert shown.startswith('--- ugly.mix\n+++ ugly.mix\n@@ -1,2 +1,3 @@\n-mix  "a" {seed 3 # why\n+mix "a" {\n+  seed 3  # why\n }\n')
    assert "pretty.mix" not in shown and "\\ No newline at end of file\n" in shown
    shown = subprocess.run(arguments("fmt", "--diff", *names), env=environment(), capture_output=True, timeout=60, check=False)
    done = subprocess.run([PATCH or "patch", "-p0", "--binary"], input=shown.stdout, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert main(["fmt", "--check", *names]) == 0


def test_what_does_not_parse_is_told_and_left_and_the_others_are_formatted(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "broken.mix").write_text(BROKEN)
    (folder / "bytes.mix").write_bytes(b'mix "\xff" {}')
    assert main(["fmt", "broken.mix", "nowhere.mix", "bytes.mix", "ugly.mix"]) == 1
    assert (folder / "broken.mix").read_text() == BROKEN
    assert (folder / "ugly.mix").read_text() == PRETTY
    shown = capsys.readouterr().err
    for said in ("broken.mix:1:1", "no spec at `nowhere.mix`", "`bytes.mix` is not UTF-8 text (byte 5)", "formatted ugly.mix", "1 file formatted\n"):
        assert said in shown


def test_a_folder_stands_for_every_spec_below_it(folder: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("a/b/c.mix", "a/.hidden/d.mix", "a/e.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(UGLY)
    (folder / "empty").mkdir()
    assert main(["fmt", "--check", ".", "a", "./ugly.mix"]) == 2
    assert capsys.readouterr().out.split() == ["a/b/c.mix", "ugly.mix"]
    assert main(["fmt", "empty"]) == 1
    assert "no spec in the folder `empty`" in capsys.readouterr().err


def test_links_are_followed_and_permissions_kept(folder: Path):
    (folder / "ugly.mix").chmod(0o640)
    (folder / "link.mix").symlink_to("ugly.mix")
    assert main(["fmt", "link.mix"]) == 0
    assert (folder / "link.mix").is_symlink() and (folder / "ugly.mix").read_text() == PRETTY
    assert stat.S_IMODE((folder / "ugly.mix").stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["link.mix", "pretty.mix", "ugly.mix"]


def test_a_file_that_may_not_be_written_is_a_failure_with_its_name(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main(["fmt", "ugly.mix", "pretty.mix"]) == 4
    assert (folder / "ugly.mix").read_text() == UGLY
    assert "error[MIX0508]: cannot write `ugly.mix`: permission denied" in capsys.readouterr().err


def test_standard_input_goes_to_standard_output():
    done = piped(b'\xef\xbb\xbfmix "\xc3\xa9 \xe6\x95\xb0" {seed 3}\r\n')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'mix "é 数" { seed 3 }\n'.encode(), b"")
    assert piped(b"").stdout == b""
    done = piped(UGLY.encode(), "--check")
    assert (done.returncode, done.stdout) == (2, b"<stdin>\n")
    assert piped(PRETTY.encode(), "--diff").returncode == 0
    done = piped(BROKEN.encode())
    assert (done.returncode, done.stdout) == (1, b"") and b"<stdin>:1:1" in done.stderr
    done = piped(b"\xff")
    assert done.returncode == 1 and b"`<stdin>` is not UTF-8 text" in done.stderr


@pytest.mark.parametrize("words", [("-", "a.mix"), ("a.mix", "--format", "json"), ("--check", "--diff", "--format", "json", "a.mix"), ()])
def test_a_wrong_command_line_is_told(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert main(["fmt", *words]) == 1
    assert "usage: mixc fmt" in capsys.readouterr().err


def test_a_text_that_would_say_something_else_is_not_written(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr(fmt, "arrange", lambda source, notes: source.text.replace("3", "4"))
    assert main(["fmt", "ugly.mix"]) == 4
    assert (folder / "ugly.mix").read_text() == UGLY
    assert "this is a bug in mixc" in capsys.readouterr().err

"""`mixc check --fix`: what it writes, what it leaves, and that no fix does harm."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from mixc.cli.fix import apply, fix
from mixc.cli.inputs import check_files
from mixc.cli.main import main
from mixc.compiler.diagnostics import Diagnostic, Edit, Severity
from mixc.compiler.source import Span

ERRORS = Path(__file__).parents[1] / "errors"
HEAD = """\
mix "m" { seed 1 }

corpus rows {
  scan     "rows.jsonl"
  prompt   question
  response answer
  teacher  model
}

score length = column(count, unit: tokens)

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ERRORS / "data" / "rows.jsonl", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, clauses: str, head: str = HEAD) -> Path:
    path = Path(name)
    path.write_text(f"{head}select {{\n{clauses}}}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("  budget 1,000 examples\n", "  budget 1000 examples\n"),
        ("  where length <= 2K\n", "  where length <= 2k tokens\n"),
        ("  where lenght <= 3 tokens\n", "  where length <= 3 tokens\n"),
        ("  where length <= 3 tokens and and count > 1\n", "  where length <= 3 tokens and count > 1\n"),
        ("  where 1 < count < 5\n", "  where 1 < count and count < 5\n"),
        ("  where 1 tokens < length < 5 tokens\n", "  where 1 tokens < length and length < 5 tokens\n"),
        ("  where p20 <= length\n", "  where length >= p20\n"),
        ('  where model = "a\n', '  where model == "a"\n'),
        ('  quota teacher "a" <= 40 %\n', '  quota teacher "a" <= 40%\n'),
        ('  quota teacher "a" 5..3 examples\n', '  quota teacher "a" 3..5 examples\n'),
        ('  quota teacher "a" 50..3%\n', '  quota teacher "a" 3..50%\n'),
        ("  wheregood\n", "  where good\n"),
        ("  budget 3 examples budget 40 tokens\n", "  budget 3 examples\n  budget 40 tokens\n"),
        ("  budget 3 examples\n  budget 3 examples\n", "  budget 3 examples\n"),
        ("  budget up to 40 tokens\n", "  budget 40 tokens\n"),
        ('  where model in ["a", "b"\n  where good\n', '  where model in ["a", "b"]\n  where good\n'),
    ],
)
def test_a_fix_makes_the_spec_right(wrong: str, right: str, folder: Path) -> None:
    path = write("a.mix", wrong)
    assert main(["check", "--fix", "a.mix"]) == 0
    assert path.read_text(encoding="utf-8") == f"{HEAD}select {{\n{right}}}\n"


@pytest.mark.parametrize(
    "clauses",
    [
        "  budget 1000\n",
        "  budget 3 examples\n  budget 4 examples\n",
        '  quota teacher "a" <= 40\n',
        "  where length >= 3 nats\n",
        "  budget 500 rows\n",
    ],
)
def test_what_has_two_readings_is_left_alone(clauses: str, folder: Path) -> None:
    before = write("a.mix", clauses).read_bytes()
    assert main(["check", "--fix", "a.mix"]) == 1
    assert Path("a.mix").read_bytes() == before


def test_what_was_fixed_and_what_is_left_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a.mix", "  where lenght <= 2K tokens\n  budget 1000\n")
    assert main(["check", "--fix", "a.mix"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "fixed a.mix:13:9: no score, role or column named `lenght`" in shown.err
    assert "fixed a.mix:13:19: thousands" in shown.err
    assert shown.err.endswith("2 fixed, 1 error left\n")
    write("a.mix", "  budget 1,000 examples\n")
    assert main(["check", "--fix", "-q", "a.mix"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["check", "--fix", "a.mix"]) == 0
    assert capsys.readouterr().err.endswith("0 fixed, 1 warning left\n")


def test_json_says_what_was_fixed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a.mix", "  budget 1,000 examples\n  where nosuchthing\n")
    assert main(["check", "--fix", "--format", "json", "a.mix"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [d["code"] for d in told["diagnostics"]] == ["MIX0201"]
    (done,) = told["fixed"]
    assert (done["code"], done["file"], done["start"]) == ("MIX0104", "a.mix", {"line": 13, "column": 10})
    assert done["fix"]["edits"][0]["text"] == "1000"


def test_line_ends_byte_order_mark_and_permissions_are_kept(folder: Path) -> None:
    text = f"{HEAD}select {{\n  budget 3 examples budget 1,000 tokens\n}}\n".replace("\n", "\r\n")
    path = folder / "a.mix"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    path.chmod(0o640)
    link = folder / "link.mix"
    link.symlink_to(path)
    assert main(["check", "--fix", "link.mix"]) == 0
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    right = text.replace("examples budget 1,000", "examples\r\n  budget 1000")
    assert path.read_bytes() == b"\xef\xbb\xbf" + right.encode()
    assert sorted(p.name for p in folder.iterdir()) == ["a.mix", "link.mix", "rows.jsonl"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_told_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("a.mix", "  budget 1,000 examples\n").chmod(0o400)
    assert main(["check", "--fix", "a.mix"]) == 4
    assert "error[MIX0508]: `" in capsys.readouterr().err


def test_a_parent_is_changed_only_where_it_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent = write("base.mix", "  budget 1,000 examples\n")
    Path("child.mix").write_text('extends "base.mix"\n\nselect {\n  maximize lenght\n}\n', encoding="utf-8")
    before = parent.read_bytes()
    assert main(["check", "--fix", "child.mix"]) == 1
    assert parent.read_bytes() == before
    assert "not fixed, as it was not named: `mixc check --fix base.mix`" in capsys.readouterr().err
    assert "add maximize length\n" in Path("child.mix").read_text(encoding="utf-8")
    assert main(["check", "--fix", "child.mix", "./base.mix"]) == 0
    assert "budget 1000 examples" in parent.read_text(encoding="utf-8")


def test_a_diagnostic_is_fixed_with_all_of_its_edits_or_not_at_all(folder: Path) -> None:
    path = write("a.mix", '  where answer matches "\\d+\\s" and lenght > 3 tokens\n')
    assert main(["check", "--fix", "a.mix"]) == 0
    assert 'matches "\\\\d+\\\\s" and length > 3 tokens' in path.read_text(encoding="utf-8")


def test_edits_apply_from_the_end_and_a_removed_line_is_gone() -> None:
    def edit(start: int, end: int, text: str) -> Edit:
        return Edit(Span("a", start, end), text)

    assert apply("abcdef", [edit(0, 1, "xyz"), edit(3, 3, "-"), edit(5, 6, "")]) == "xyzbc-de"
    assert apply("a\n  b  \nc\n", [edit(4, 5, "")]) == "a\nc\n"
    assert apply("a\r\nb", [edit(3, 3, "c\n")]) == "a\r\nc\r\nb"


def fixable() -> list[str]:
    before = Path.cwd()
    os.chdir(ERRORS)
    try:
        return [p.stem for p in sorted(ERRORS.glob("*.mix")) if any(d.edits for d in check_files([p.name]).diagnostics)]
    finally:
        os.chdir(before)


def counted(diagnostics: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    return Counter((d.code, d.message) for d in diagnostics if d.severity is Severity.ERROR)


@pytest.mark.parametrize("case", fixable())
def test_every_fix_of_a_golden_removes_its_diagnostic_and_adds_no_error(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ERRORS, tmp_path / "errors")
    monkeypatch.chdir(tmp_path / "errors")
    path = Path(f"{case}.mix")
    text = path.read_text(encoding="utf-8")
    before = check_files([path.name])
    for diagnostic in (d for d in before.diagnostics if d.edits and all(e.span.path == path.name for e in d.edits)):
        path.write_text(apply(text, diagnostic.edits), encoding="utf-8")
        found = check_files([path.name])
        after, was = counted(found.diagnostics), counted(before.diagnostics)
        what = (diagnostic.code, diagnostic.message)
        left, there = (Counter((d.code, d.message) for d in told.diagnostics) for told in (found, before))
        assert left[what] < there[what] or left.total() < there.total(), what  # what made two clauses idle may now be said of the other
        line = found.sources[path.name].position(diagnostic.edits[0].span.start)[0]
        for new in (n for n in after if after[n] > was[n]):
            places = [d.primary.span for d in found.diagnostics if (d.code, d.message) == new and d.primary]
            assert new[0][:5] > diagnostic.code[:5], (what, new)
            assert line in [found.sources[path.name].position(p.start)[0] for p in places], "only the clause that could not be read"
    path.write_text(text, encoding="utf-8")
    fixed = fix([path.name], [])
    assert fixed.done
    assert not any(d.edits and all(e.span.path == path.name for e in d.edits) for d in fixed.left.diagnostics)
    again = path.read_bytes()
    assert not fix([path.name], []).done and path.read_bytes() == again

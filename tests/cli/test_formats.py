"""The formats for machines: SARIF and GitHub's workflow commands, of specs, of missing files and of wrong command lines."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from mixc.cli.inputs import check_files
from mixc.cli.main import main
from mixc.cli.render_github import render_github
from mixc.cli.render_sarif import render_sarif
from mixc.compiler.codes.all import CODES
from mixc.compiler.diagnostics import Diagnostic, Edit, Label, Severity
from mixc.compiler.source import Source, Span
from mixc.tests.cli.program import mixc
from mixc.tests.cli.sarif import LOG

ERRORS = Path(__file__).parents[1] / "errors"
CASES = sorted(p.name for p in ERRORS.glob("*.mix"))


def log_of(text: str) -> dict:
    data = json.loads(text)
    Draft202012Validator.check_schema(LOG)
    Draft202012Validator(LOG).validate(data)
    return data["runs"][0]


def unescaped(text: str) -> str:
    return re.sub("%(0A|0D|2C|3A|25)", lambda m: chr(int(m[1], 16)), text)


@pytest.mark.parametrize("case", CASES)
def test_every_golden_is_valid_sarif_with_its_rules_places_and_fixes(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ERRORS)
    checked = check_files([case])
    run = log_of(render_sarif(checked.diagnostics, checked.sources))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert run["columnKind"] == "unicodeCodePoints"
    for diagnostic, result in zip(checked.diagnostics, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == diagnostic.code
        assert result["level"] == diagnostic.severity.value
        assert result["message"]["text"].startswith(diagnostic.message)
        assert len(result.get("relatedLocations", ())) == len(diagnostic.secondary)
        replaced = [r for fix in result.get("fixes", ()) for c in fix["artifactChanges"] for r in c["replacements"]]
        assert [r["insertedContent"]["text"] for r in replaced] == [e.text for e in diagnostic.edits]
        for location in result.get("locations", ()):
            physical = location["physicalLocation"]
            source = checked.sources[physical["artifactLocation"]["uri"]]
            start = physical["region"]["startLine"], physical["region"]["startColumn"]
            assert start == source.position(diagnostic.primary.span.start)  # type: ignore[union-attr]


@pytest.mark.parametrize("case", CASES)
def test_every_golden_is_one_workflow_command_a_diagnostic(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ERRORS)
    checked = check_files([case])
    lines = render_github(checked.diagnostics, checked.sources).splitlines()
    for diagnostic, line in zip(checked.diagnostics, lines, strict=True):
        found = re.fullmatch(r"::(error|warning) ([^:]*)::(.*)", line)
        assert found and found[1] == diagnostic.severity.value
        properties = dict(part.split("=", 1) for part in found[2].split(","))
        assert properties["title"] == diagnostic.code
        assert unescaped(properties["file"]) == diagnostic.primary.span.path  # type: ignore[union-attr]
        assert unescaped(found[3]).splitlines()[0] == diagnostic.message
        assert diagnostic.help is None or unescaped(found[3]).endswith(f"help: {diagnostic.help}")


def test_a_workflow_command_escapes_what_github_would_read() -> None:
    source = Source("specs/a, b:c.mix", "mix 漢字 %\nx\n")
    one = Diagnostic("MIX0101", "50% of\r\nit: a, b", Label(Span(source.path, 4, 6), "l"), notes=("n",), help="h")
    several = Diagnostic("MIX0601", "m", Label(Span(source.path, 4, 10)), severity=Severity.WARNING)
    nowhere = Diagnostic("MIX0208", "no spec at `x`")
    lost = Diagnostic("MIX0501", "m", Label(Span("gone.mix", 3, 4)), (Label(Span(source.path, 0, 3), "said here"),))
    assert render_github([one, several, nowhere, lost], {source.path: source}).splitlines() == [
        "::error file=specs/a%2C b%3Ac.mix,line=1,col=5,endLine=1,endColumn=7,title=MIX0101::50%25 of%0D%0Ait: a, b%0Anote: n%0Ahelp: h",
        "::warning file=specs/a%2C b%3Ac.mix,line=1,endLine=2,title=MIX0601::m",
        "::error title=MIX0208::no spec at `x`",
        "::error file=gone.mix,title=MIX0501::m%0Aspecs/a, b:c.mix:1: said here",
    ]
    assert render_github([], {}) == ""


def test_sarif_places_are_code_points_and_addresses_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = ["./specs/a b.mix", str(tmp_path / "specs" / "ü.mix"), "../up.mix", "/elsewhere/x.mix"]
    sources = {path: Source(path, "mix 😀 x\n") for path in paths}
    found = [Diagnostic("MIX0101", "m", Label(Span(path, 6, 7)), edits=(Edit(Span(path, 6, 7), "y"),)) for path in paths]
    results = log_of(render_sarif(found, sources))["results"]
    physical = [r["locations"][0]["physicalLocation"] for r in results]
    assert [p["artifactLocation"]["uri"] for p in physical] == ["specs/a%20b.mix", "specs/%C3%BC.mix", "../up.mix", "file:///elsewhere/x.mix"]
    assert physical[0]["region"] == {"startLine": 1, "startColumn": 7, "endLine": 1, "endColumn": 8}
    assert results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"] == physical[0]["region"]
    (lost,) = log_of(render_sarif(found[:1], {}))["results"]
    assert "region" not in lost["locations"][0]["physicalLocation"] and "fixes" not in lost


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("check", "a.mix", "--set", "x"), "MIX0206", "`--set x` is not NAME=VALUE"),
        (("check", "a.mix", "--frmt"), "usage", "there is no flag `--frmt`"),
        (("check",), "usage", "SPEC is missing"),
        (("chekc", "a.mix"), "usage", "there is no verb `chekc`"),
    ],
)
def test_a_fault_without_a_file_is_told_in_each_format(
    words: tuple[str, ...], code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.mix").write_text('mix "m" { seed 1 }\n', encoding="utf-8")
    assert main([*words, "--format", "json"]) == 1
    (shown,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (shown["code"], shown["message"], shown["file"]) == (code, said, None)
    assert main([*words, "--format=sarif"]) == 1
    (result,) = log_of(capsys.readouterr().out)["results"]
    assert result["ruleId"] == code and "locations" not in result
    assert main([*words, "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith(f"::error title={code}::{said}")
    assert main(list(words)) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and said in shown.err


def test_a_file_that_cannot_be_read_is_the_place_of_its_fault_in_each_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes.mix").write_bytes(b"\xff\xfe")
    for path, said in (("nope.mix", "no spec at `nope.mix`"), ("bytes.mix", "`bytes.mix` is not UTF-8 text (byte 0)")):
        assert main(["check", path, "--format", "json"]) == 1
        (shown,) = json.loads(capsys.readouterr().out)["diagnostics"]
        assert (shown["code"], shown["message"], shown["file"], shown["start"]) == ("MIX0208", said, path, None)
        assert main(["check", path, "--format=sarif"]) == 1
        (result,) = log_of(capsys.readouterr().out)["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path
        assert main(["check", path, "--format", "github"]) == 1
        assert capsys.readouterr().out.startswith(f"::error file={path},title=MIX0208::{said}")
        assert main(["check", path]) == 1
        assert f"error[MIX0208]: {said}\n --> {path}\n" in capsys.readouterr().err


def test_what_is_for_machines_stands_alone_on_stdout_and_is_never_coloured(tmp_path: Path) -> None:
    (tmp_path / "a.mix").write_text('mix "m" { seed 1 }\n', encoding="utf-8")
    for format in ("json", "sarif", "github"):
        done = mixc("check", "a.mix", "--format", format, cwd=tmp_path, FORCE_COLOR="1")
        assert (done.returncode, done.stderr) == (1, "")
        assert "\x1b" not in done.stdout and "MIX0207" in done.stdout


def test_quiet_shows_errors_alone_and_text_is_plain_where_colour_is_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(ERRORS / "data")
    text = (ERRORS / "MIX0410_not_run_yet.mix").read_text(encoding="utf-8")
    (tmp_path / "a.mix").write_text(f"{text}\ndedup by minhash(threshold: 3) of response\n", encoding="utf-8")
    loud = mixc("check", "a.mix", cwd=tmp_path, NO_COLOR="1", FORCE_COLOR="1")
    quiet = mixc("check", "-q", "a.mix", cwd=tmp_path)
    assert loud.returncode == quiet.returncode == 1
    assert "warning[MIX0410]" in loud.stderr and loud.stderr.endswith("1 error, 1 warning\n")
    assert "\x1b" not in loud.stderr
    assert "warning" not in quiet.stderr and quiet.stderr.endswith("1 error\n")

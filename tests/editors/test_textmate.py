"""The TextMate grammar, run by VS Code's own engine, held against the parser on every spec of the repository."""

import json
import subprocess
from pathlib import Path

import pytest
from mixc.tests.editors.meaning import ROOT, meanings, read, specs

pytestmark = pytest.mark.node

KINDS = {
    "comment": ("comment.",),
    "string": ("string.",),
    "number": ("constant.numeric",),
    "quantile": ("constant.numeric.quantile",),
    "param": ("variable.parameter", "constant.numeric"),
    "keyword": ("keyword.", "constant.language"),
    "name": ("variable.", "entity.", "support.", "constant.other.code"),
}


def scopes(paths: list[Path]) -> list[list[tuple[int, int, list[str]]]]:
    """The scopes of each piece of each file."""
    run = subprocess.run(
        ["node", str(Path(__file__).with_name("tokenize.mjs")), *map(str, paths)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_every_word_is_coloured_as_the_parser_reads_it() -> None:
    files = specs()
    assert len(files) > 20
    wrong = []
    for path, pieces in zip(files, scopes(files), strict=True):
        text = read(path)
        units = len(path.read_bytes().decode("utf-8")) - len(text)  # the byte-order mark
        for start, end, kind in meanings(text):
            at = len(text[:start].encode("utf-16-le")) // 2 + units
            inner = next((s for a, b, s in pieces if a <= at < b), [])
            if not any(scope.startswith(KINDS[kind]) for scope in inner):
                wrong.append(
                    f"{path.relative_to(ROOT)}:{text[:start].count(chr(10)) + 1} {text[start:end]!r} is a {kind}, coloured {inner}"
                )
    assert not wrong, "\n".join(wrong)


def test_broken_specs_are_coloured_too() -> None:
    files = sorted((ROOT / "tests" / "errors").glob("*.mix"))
    for path, pieces in zip(files, scopes(files), strict=True):
        assert sum(b - a for a, b, _ in pieces) > 0, path

"""The specs that we ship are written as they should be: canonical, and without a lint, or with the reason why not."""

from pathlib import Path

import pytest
from mixc.cli.main import main
from mixc.compiler.diagnostics import Diagnostics
from mixc.compiler.source import Source
from mixc.compiler.syntax.arrange import arrange
from mixc.tests.compiling import compile_in, drawn

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(p.relative_to(ROOT) for folder in ("specs", "cli/starter") for p in (ROOT / folder).rglob("*.mix"))


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_it_is_in_canonical_form(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert arrange(Source(str(path), text), Diagnostics()) == text


@pytest.mark.shared
@pytest.mark.student
@pytest.mark.parametrize("path", [p for p in SHIPPED if p.parts[0] == "specs"], ids=str)
def test_check_has_nothing_to_say(path: Path) -> None:
    outcome = compile_in(ROOT, str(path))
    assert outcome.plan is not None and not list(outcome.notes), drawn(outcome.notes, outcome.sources)


def test_check_has_nothing_to_say_of_the_starter(tmp_path: Path) -> None:
    assert main(["-q", "init", str(tmp_path / "demo")]) == 0
    outcome = compile_in(tmp_path / "demo", "recipe.mix")
    assert outcome.plan is not None and not list(outcome.notes), drawn(outcome.notes, outcome.sources)

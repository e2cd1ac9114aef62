"""What an editor is told is what `mixc check` tells, although no plan is made for it."""

from pathlib import Path

import pytest
from mixc.cli.inputs import look_up
from mixc.cli.sources import read_source, source_at
from mixc.compiler.driver import compile

ROOT = Path(__file__).parents[2]
SPECS = sorted(path.relative_to(ROOT).as_posix() for folder in ("tests/specs", "tests/errors", "tests/diff") for path in (ROOT / folder).rglob("*.mix"))


@pytest.mark.parametrize("spec", SPECS)
def test_without_plans_the_same_is_reported(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    source = source_at(spec, read_source)
    inputs = look_up(source, ())
    whole, reported = compile(source, inputs), compile(source, inputs, plans=False)
    assert tuple(reported.notes) == tuple(whole.notes) and reported.silenced == whole.silenced
    assert (reported.plan, reported.variants, reported.trials) == (None, (), ())

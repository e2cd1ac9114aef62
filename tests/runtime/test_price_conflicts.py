"""What is said of a conflict among more candidates than are searched whole."""

from pathlib import Path

import pytest
from mixc.cli.inputs import compile_file
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.preview import preview
from mixc.runtime.store import Store
from mixc.tests.compiling import RUN, drawn
from mixc.tests.project import SCORED, make_project

SELECT = """\
select {
  keep   at most 1 per prompt
  solver prices
  quota  teacher "terse" >= 7 examples
  quota  teacher "tutor" >= 6 examples
  quota  teacher "rambler" <= 40%
  quota  skill "addition" >= 20%
  budget up to 20 examples
  budget 400 tokens
}
"""


def test_a_conflict_by_prices_reads_as_its_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden) -> None:
    make_project(tmp_path)
    (tmp_path / "prices.mix").write_text(SCORED.partition("select {")[0] + SELECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mixc.runtime.solvers.MOST", 10)
    outcome = compile_file("prices.mix", [])
    assert outcome.plan is not None
    seen = preview(outcome.plan, Context(store=Store(tmp_path / ".mixc"), students=Students()))
    golden(RUN / "MIX0401_prices.txt", drawn(seen.faults, outcome.sources))

"""What `mixc check` tells of lints that comments allow."""

from pathlib import Path

import pytest
from mixc.cli.main import main

SPEC = """\
mix "m" { seed 1 }

corpus rows {
  scan     "rows.jsonl"
  prompt   q
  response a
  teacher  t
}

# mixc: allow MIX0604 because "the teachers are compared, each on its own"
select { budget 10 examples }
"""


@pytest.mark.parametrize("loud", [False, True])
def test_allowed_lints_are_counted_and_listed_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str], loud: bool) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "1+1?", "a": "2", "t": "x"}\n')
    (tmp_path / "a.mix").write_text(SPEC)
    assert main(["check", str(tmp_path / "a.mix"), *(["-v"] if loud else [])]) == 0
    said = capsys.readouterr().err
    assert "no errors, 1 allowed by a comment" in said
    assert ("warning[MIX0604]" in said) is loud

"""Colour adds nothing to the text of a plan and takes nothing away."""

from pathlib import Path

import pytest
from mixc.cli.plan_colour import coloured

PLANS = sorted((Path(__file__).parent / "plan").rglob("*.txt"))


@pytest.mark.parametrize("path", PLANS, ids=lambda p: p.stem)
def test_the_text_stays(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert coloured(text).plain == text.rstrip("\n")


def test_what_matters_stands_out() -> None:
    shown = coloured('mix "m", seed 1   rows\n\nin\n|- scan a   42   ~549\n\nfeasible    no: too few\n')
    styled = {shown.plain[span.start : span.end]: span.style for span in shown.spans}
    assert styled["in"] == "message" and styled["~549"] == "dim" and styled["no"] == "error" and styled["feasible"] == "message"

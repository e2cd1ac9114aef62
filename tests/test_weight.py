"""`weight SCORE` in `train`: what the selected rows weigh, and the weights that are refused. Without a model."""

import json
from pathlib import Path

import polars as pl
import pytest
from mixc.cli.main import main
from mixc.tests.compiling import RUN, told
from mixc.tests.project import SCORED, make_project, rows, write_rows

TRAIN = """
student tiny {
  model    "hub/tiny"
  revision "12fd25f77366fa6b3b4b768ec3050bf629380bac"
}

score worth = column(worth)

train tiny {
  steps  2
  weight worth
}
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Builds SCORED, as far as its rows are written, with these weights: exit code and what was said."""
    monkeypatch.chdir(make_project(tmp_path))
    monkeypatch.delenv("MIXC_HOME", raising=False)

    def run(weights, command: str = "build", spec: str = SCORED + TRAIN) -> tuple[int, str]:
        Path("weighed.mix").write_text(spec, encoding="utf-8")
        write_rows(Path("data/rows.jsonl"), [row | {"worth": weights(i)} for i, row in enumerate(rows())])
        code = main([command, "weighed.mix", "--until", "materialise"])
        shown = capfd.readouterr()
        return code, shown.out + shown.err

    return run


def test_the_rows_weigh_what_the_score_says(build) -> None:
    code, said = build(lambda i: i % 4 + 0.5)
    assert code == 0, said
    selected = pl.read_parquet("build/weighed/selected.parquet")
    assert selected["weight"].dtype == pl.Float64 and selected["weight"].to_list() == selected["worth"].to_list()
    assert set(selected["weight"]) <= {0.5, 1.5, 2.5, 3.5} and selected["weight"].n_unique() > 1


def test_a_score_of_the_selected_rows_only_weighs_them_too_and_stands_in_the_plan(build) -> None:
    code, said = build(lambda i: i + 1, command="plan")
    assert code == 0 and "materialise" in said and "MIX0410" not in said, said


@pytest.mark.parametrize(
    ("case", "weights", "says"),
    [
        ("none", lambda i: None if i < 9 else 1.0, "no finite number in `worth`"),
        ("negative", lambda i: -float(i), "a negative weight in `worth`"),
        ("all zero", lambda i: 0.0, "every selected row has the weight 0"),
    ],
)
@pytest.mark.parametrize("command", ["build", "plan"])
def test_weights_that_cannot_be_used_are_an_error_in_plan_as_in_build(build, golden, case, weights, says, command) -> None:
    code, said = build(weights, command)
    assert (code, "[MIX0527]" in said, says in said) == (4, True, True), said
    if case == "negative" and command == "build":
        golden(RUN / "MIX0527.txt", told(said))


def test_a_weight_that_is_not_finite_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """JSON has no such number: Parquet does."""
    monkeypatch.chdir(make_project(tmp_path))
    monkeypatch.delenv("MIXC_HOME", raising=False)
    made = pl.DataFrame([row | {"worth": float("inf") if i % 2 else 1.0} for i, row in enumerate(rows())])
    made.write_parquet("rows.parquet")
    Path("weighed.mix").write_text((SCORED + TRAIN).replace("data/*.jsonl", "rows.parquet"), encoding="utf-8")
    assert main(["build", "weighed.mix", "--until", "materialise"]) == 4
    assert "have no finite number in `worth`" in capfd.readouterr().err


def test_rows_of_weight_0_are_counted_and_told(build) -> None:
    code, said = build(lambda i: float(i % 2))
    assert code == 0 and "nothing is learnt from them" in said, said
    assert "selected rows have the weight 0 in `worth`" in json.dumps(json.loads(Path("build/weighed/manifest.json").read_text())["notices"])


def test_without_the_clause_every_row_weighs_1(build) -> None:
    assert build(lambda i: -1.0, spec=SCORED)[0] == 0
    assert pl.read_parquet("build/weighed/selected.parquet")["weight"].to_list() == [1.0] * 12

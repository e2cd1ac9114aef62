"""Which rows a report shows, held to what they are called on small ledgers; and where places of a plan lie in the texts that a build keeps."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Diagnostic, Label, Severity
from mixc.compiler.plan.stages import Plan, Select
from mixc.compiler.source import Source, Span
from mixc.runtime.choose_examples import choose_examples
from mixc.runtime.spec_texts import SpecTexts, read_sources, source_of
from mixc.tests.compiling import compile_in
from mixc.tests.project import make_project


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """`scored.mix`: two filters, `keep best 2 per prompt by -length`, a random objective."""
    found = compile_in(make_project(tmp_path), "scored.mix").plan
    assert found is not None
    return found


def maximising(plan: Plan) -> Plan:
    """The same plan with something to maximise."""
    keep = next(step for s in plan.stages if isinstance(s, Select) for step in s.steps if hasattr(step, "by"))
    return replace(plan, stages=tuple(replace(s, objective=keep.by) if isinstance(s, Select) else s for s in plan.stages))  # type: ignore[union-attr]


def ledger(*rows: tuple[str, str, int | None, float | None, float | None, float | None]) -> pl.LazyFrame:
    """Rows of id, status, step, objective, advantage, and the margin in the `keep best`, which is filter number 3."""
    names = ("row_id", "status", "step", "objective", "advantage", "3: margin")
    kinds = (pl.String, pl.String, pl.Int32, pl.Float64, pl.Float64, pl.Float64)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row").lazy()


def kinds(found: pl.DataFrame) -> dict[str, list[str]]:
    return {kind: found.filter(kind=kind)["row_id"].to_list() for kind in found["kind"].unique()}


def test_best_worst_and_borderline_are_by_what_decided(plan: Plan) -> None:
    rows = [(f"{i:02}", "selected", None, float(i), i - 3.5, None) for i in range(8)] + [("x", "dropped", 4, 9.0, -0.25, None), ("y", "dropped", 4, 2.0, -8.0, None), ("z", "dropped", 4, 2.5, -0.5, None)]
    rows += [("early", "dropped", 1, None, 0.0, None)]
    found = choose_examples(maximising(plan), ledger(*rows))
    assert {**kinds(found), "random": None} == {"best": ["07", "06", "05"], "worst": ["00", "01", "02"], "borderline": ["00", "01", "x", "z"], "random": None}
    assert found.filter(kind="borderline")["nearness"].to_list() == [-3.5, -2.5, -0.25, -0.5] and set(found.filter(kind="borderline")["by"]) == {"the prices"}
    assert found["kind"].to_list() == sorted(found["kind"].to_list(), key=["best", "worst", "borderline", "random"].index), "in the order of the page"


def test_a_random_objective_makes_no_row_better_than_another(plan: Plan) -> None:
    found = kinds(choose_examples(plan, ledger(("a", "selected", None, 0.3, 0.1, None), ("b", "dropped", 4, 0.1, -0.1, None))))
    assert found == {"borderline": ["a", "b"], "random": ["a"]}


def test_where_all_that_came_was_selected_the_last_keep_best_draws_the_line(plan: Plan) -> None:
    rows = [("a", "selected", None, 1.0, 1.0, 0.5), ("b", "selected", None, 2.0, 2.0, 0.1), ("c", "selected", None, 3.0, 3.0, None), ("d", "dropped", 3, None, None, -0.1), ("e", "dropped", 3, None, None, -0.2), ("f", "dropped", 3, None, None, -0.3)]
    found = choose_examples(maximising(plan), ledger(*rows)).filter(kind="borderline")
    assert found["row_id"].to_list() == ["b", "a", "d", "e"] and set(found["by"]) == {"keep best 2 per prompt by -length"}


def test_few_rows_stand_once_among_best_and_worst(plan: Plan) -> None:
    found = kinds(choose_examples(maximising(plan), ledger(*((f"{i}", "selected", None, float(i), None, None) for i in range(4)))))
    assert found["best"] == ["3", "2", "1"] and found["worst"] == ["0"] and "borderline" not in found


def test_ties_and_chance_depend_on_ids_and_the_seed_alone(plan: Plan) -> None:
    rows = [(f"{i * 37 % 16:x}0", "selected", None, 1.0, 1.0, None) for i in range(16)]
    some = [choose_examples(maximising(plan), ledger(*order)).rows() for order in (rows, rows[::-1])]
    assert some[0] == some[1]
    drawn = {tuple(kinds(choose_examples(replace(plan, seed=seed), ledger(*rows)))["random"]) for seed in range(30)}
    assert len(drawn) > 8 and all(len(each) == 3 for each in drawn)


def test_an_old_ledger_has_best_and_random_no_less(plan: Plan) -> None:
    old = pl.DataFrame({"row_id": ["a", "b"], "status": ["selected", "dropped"]}).lazy()
    assert kinds(choose_examples(plan, old)) == {"random": ["a"]}


def test_a_score_that_is_called_like_a_column_of_the_trace_is_another(plan: Plan) -> None:
    named = ledger(("a", "selected", None, 1.0, 1.0, None), ("b", "selected", None, 2.0, 2.0, None)).rename({"objective": "objective of the trace"})
    assert kinds(choose_examples(maximising(plan), named.with_columns(objective=pl.lit("a text"))))["best"] == ["b", "a"]


def test_texts_and_places_go_by_the_folder_of_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = (Source("specs/a.mix", "first"), Source("specs/../shared/base.mix", "second"))
    warned = Diagnostic("MIX0602", "a lint", Label(Span("specs/../shared/base.mix", 1, 3), "here"), severity=Severity.WARNING)
    texts = SpecTexts(sources, (warned, warned), lambda found: found.code == "MIX0614")
    kept = json.loads(texts.to_json())
    assert kept == [{"path": "a.mix", "text": "first"}, {"path": "../shared/base.mix", "text": "second"}]
    silenced = replace(warned, code="MIX0614")
    (found,) = texts.diagnostics((warned, silenced))
    assert found["code"] == "MIX0602" and found["place"] == {"path": "../shared/base.mix", "start": 1, "end": 3, "text": "here"}
    read = {source.path: source for source in read_sources(kept)}
    for path, text in (("specs/a.mix", "first"), ("a.mix", "first"), ("/elsewhere/specs/a.mix", "first"), ("specs/../shared/base.mix", "second"), ("shared/base.mix", "second")):
        assert (source := source_of(path, read)) is not None and source.text == text
    assert source_of("specs/c.mix", read) is None
    twice = {path: Source(path, "") for path in ("base.mix", "../base.mix")}
    assert source_of("specs/base.mix", twice) is None, "either could be meant"
    with pytest.raises(ValueError, match="no list"):
        read_sources({"path": "a"})

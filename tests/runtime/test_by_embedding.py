"""Rows get the leaves that are nearest to their prompts: exactly, whatever the order, once paid for, and where a run was stopped from there on."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixc.cli.inputs import compile_file
from mixc.cli.main import main
from mixc.compiler.clauses import Model, Nearest
from mixc.compiler.diagnostics import Fault
from mixc.compiler.plan.stages import Plan
from mixc.compiler.source import Span
from mixc.runtime import rows as parts
from mixc.runtime.context import Context
from mixc.runtime.embedders.embedder import Embedder
from mixc.runtime.engines.students import Students
from mixc.runtime.events import Event, Notice, Passed, Progress, ignore
from mixc.runtime.execute import build
from mixc.runtime.nearest import SCALE, describe, nearest, similarities
from mixc.runtime.preview import Preview, preview
from mixc.runtime.selection.targets import leaves
from mixc.runtime.store import Store
from mixc.tests.compiling import RUN as GOLDENS
from mixc.tests.compiling import told
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.tiny_embedder import NORMALIZE, POOLING, WIDTH, make_tiny_embedder

MODEL = Model(student="m", model="m", span=Span("a.mix", 0, 1))
TREE = {"name": "all", "children": [
    {"name": "sums", "children": [{"name": "addition", "description": "putting together"}, {"name": "subtraction"}]},
    {"name": "multiplication"}, {"name": "quotients", "children": [{"name": "division"}]},
]}  # fmt: skip
LEAVES = ("multiplication", "quotients->division", "sums->addition", "sums->subtraction")
TAGGED = SCORED.replace("skills topics { tag by column topic }", 'skills topics {\n  tree "tree.json"\n  tag by embedding(model: "model")\n}').replace('  quota    skill "addition" >= 20%\n', "")
FIRST = ("1_Pooling", POOLING[1], {"embedding_dimension": WIDTH, "pooling_mode": "cls"})
"""Of the random models that the tests make, one of the first token tells prompts best apart."""
GRID = st.integers(-8, 8).map(lambda n: n / 8)


def plain(clause: Nearest, names: tuple[str, ...], text: list[float], where: list[list[float]]) -> list[str]:
    """The definition, in fractions."""
    found = sorted((-sum(Fraction(a) * Fraction(b) for a, b in zip(text, leaf, strict=True)), name) for name, leaf in zip(names, where, strict=True))
    best = -found[0][0]
    near = [n for s, n in found if (clause.margin is None or -s >= best - Fraction(clause.margin)) and (clause.least is None or -s >= Fraction(clause.least))]
    return sorted(near[: clause.top])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(GRID, min_size=3, max_size=3), min_size=1, max_size=5), st.lists(st.lists(GRID, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([None, 1, 2, 9]), st.sampled_from([None, 0.0, 0.25, 1.0]), st.sampled_from([None, 0.5, -0.25]),
)  # fmt: skip
def test_the_nearest_leaves_are_those_of_the_definition_and_ties_go_by_name(texts: list, where: list, top: int | None, margin: float | None, least: float | None) -> None:
    names = tuple(f"n{i}" for i in range(len(where)))
    clause = Nearest(model=MODEL, top=top, margin=margin, least=least)
    found = nearest(clause, names, similarities(np.array(texts), np.array(where)))
    assert found == [plain(clause, names, text, where) for text in texts]


def test_products_are_exact_in_any_order() -> None:
    chance = np.random.Generator(np.random.PCG64(3))
    texts, where = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (chance.normal(size=(20, 1024)), chance.normal(size=(7, 1024))))
    order = chance.permutation(1024)
    found = similarities(texts, where)
    assert (found == similarities(texts[:, order], where[:, order])).all()
    ints = [[int(n) for n in np.rint(row * SCALE)] for row in (texts[0], where[0])]
    assert int(found[0, 0]) == sum(a * b for a, b in zip(*ints, strict=True))


def test_a_leaf_is_described_by_its_name_what_is_above_it_and_what_the_tree_says() -> None:
    assert leaves((("sums", "sums"), ("addition", "sums->addition"), ("a", "a")), ()) == ("a", "sums->addition")
    assert describe("a->b->c") == "c (b, a)" and describe("a") == "a" and describe("a->b", "what it is") == "b (a): what it is"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_project(tmp_path, 12))
    monkeypatch.setenv("MIXC_HOME", str(tmp_path / "home"))
    make_tiny_embedder(tmp_path / "model", [FIRST, NORMALIZE], seed=2)
    (tmp_path / "tree.json").write_text(json.dumps(TREE))
    (tmp_path / "tagged.mix").write_text(TAGGED)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts went through a model, a number for each asking."""
    asked: list[int] = []
    vectors = Embedder.vectors

    def counting(self: Embedder, tokens):
        asked.append(len(tokens))
        return vectors(self, tokens)

    monkeypatch.setattr(Embedder, "vectors", counting)
    return asked


def planned(spec: str = "tagged.mix") -> Plan:
    outcome = compile_file(spec, [])
    assert outcome.plan is not None and not outcome.plan.pending, [d.message for d in outcome.notes]
    return outcome.plan


def built(out: str, watch: Callable[[Event], None] = ignore, store: str = "home", spec: str = "tagged.mix") -> pl.DataFrame:
    build(planned(spec), Path(out), Context(Store(Path(store)), Students(), watch=watch))
    return pl.read_parquet(f"{out}/ledger.parquet")


def seen(fetch: bool = False) -> Preview:
    return preview(planned(), Context(Store(Path("home"), lenient=True), Students(fetch=fetch)))


def test_every_response_has_the_leaf_of_its_prompt_and_a_second_build_asks_no_model(project: Path, read: list[int]) -> None:
    said: list[Event] = []
    ledger = built("a", said.append)
    assert sum(read) == 12 + 4
    assert ledger.height == 36 and all(len(skills) == 1 and skills[0] in LEAVES for skills in ledger["skills"])
    assert ledger.group_by("prompt_id").agg(pl.col("skills").n_unique())["skills"].to_list() == [1] * 12
    assert ledger["skills"].explode().n_unique() > 1
    passed = [e for e in said if isinstance(e, Passed)]
    assert {(e.what, e.stage, e.engine, e.dtype) for e in passed} == {("embed", "tag", "transformers", "fp32")} and all(e.tokens for e in passed)
    assert [e for e in said if isinstance(e, Progress)][-1] == Progress("tag", 12, 12, "texts")
    before = len(read)
    assert built("b").equals(ledger) and len(read) == before
    assert (project / "a/ledger.parquet").read_bytes() == (project / "b/ledger.parquet").read_bytes()
    assert json.loads((project / "a/manifest.json").read_text())["models"]["tag"]["model"] == "model"


def test_the_order_of_rows_parts_and_the_store_change_no_skill(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = built("a").select("row_id", "skills")
    write_rows(project / "data/rows.jsonl", rows(12)[::-1])
    monkeypatch.setattr(parts, "MOST", 5)
    assert built("b", store="other").select("row_id", "skills").equals(ledger)


def test_a_run_that_is_stopped_keeps_what_it_has_read(project: Path, read: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = built("a", store="whole")
    monkeypatch.setattr("mixc.runtime.embeddings.TOGETHER", 3)
    read.clear()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.total == 12 and event.done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built("b", stop)
    assert sum(read) == 4 + 6
    assert built("b").equals(whole) and sum(read) == 4 + 12


def test_a_plan_tells_what_is_to_be_embedded_and_what_is_not_known_yet(project: Path, read: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace("  where    correct\n", '  where    correct\n  where    skill == "multiplication" or length > 0 tokens\n  quota    skill "sums" <= 90%\n'))
    before = seen()
    (cost,) = before.costs
    assert (cost.what, cost.rows.value, cost.cached.value, cost.tokens and cost.tokens.exact) == ("embed", 16, 0, True)
    assert before.composition is not None and before.composition.skills == () and before.composition.quotas[0].name != "sums"
    assert before.feasible is None and not before.missing and before.known["tag"].missing is not None and read == []
    ledger = built("a")
    after = seen()
    assert (after.costs[0].rows.value, after.costs[0].cached.value) == (0, 16) and after.feasible
    assert after.composition is not None and {s.name for s in after.composition.skills} <= set(LEAVES)
    assert after.chosen is not None and set(after.chosen) == set(ledger.filter(pl.col("status") == "selected")["row_id"])
    write_rows(project / "data/rows.jsonl", rows(15))
    again = seen().costs[0]
    assert again.rows.value == 3 and again.seconds is not None, "three prompts are new, and the rate is known"
    assert main(["plan", "tagged.mix"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "3 texts to embed, 16 cached" in shown and "tag: 3 to embed" in shown and "through model (fp32)" in shown


def test_a_tight_quota_on_skills_is_not_called_impossible_before_they_are_known(project: Path) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace("  budget ", '  quota    skill "addition" >= 1 examples\n  budget '))
    assert seen().feasible is None and not seen().faults


def test_a_model_that_is_not_here_is_not_fetched_for_a_plan(project: Path) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace('"model"', '"hub/model-that-is-nowhere"'))
    (cost,) = seen().costs
    assert (cost.rows.value, cost.by, cost.seconds) == (16, "characters", None)


def test_a_model_that_is_not_here_is_told_where_nothing_is_fetched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace('"model"', '"hub/model-that-is-nowhere"'))
    assert main(["skills", "tagged.mix"]) == 4
    said = " ".join(capsys.readouterr().err.split())
    assert "error[MIX0506]" in said and "this command fetches nothing" in said and "--until tag" in said and "Traceback" not in said


def test_what_is_cut_and_what_is_not_near_enough_is_counted(project: Path) -> None:
    made = rows(12)
    for row in made:
        row["question"] = str(row["question"]) + " and more" * (60 if row["prompt_id"] in ("p001", "p002") else 0)
    write_rows(project / "data/rows.jsonl", made)
    (project / "tagged.mix").write_text(TAGGED.replace('(model: "model")', '(model: "model", top: 3, margin: 0.5, least: 0.99)'))
    said: list[Event] = []
    ledger = built("a", said.append)
    notices = [e.message for e in said if isinstance(e, Notice) and e.stage == "tag"]
    without = int((ledger["skills"].list.len() == 0).sum())
    assert any("2 of 12 prompts are longer than the 64 tokens" in n for n in notices)
    assert without and f"{without} of 36 rows have no skill: their prompt has no leaf near enough" in notices


def test_several_skills_come_by_margin_and_bounds(project: Path) -> None:
    def counts(arguments: str) -> list[int]:
        (project / "tagged.mix").write_text(TAGGED.replace('(model: "model")', f'(model: "model", {arguments})'))
        return built("a")["skills"].list.len().to_list()

    assert set(counts("top: 3")) == {3}
    assert set(counts("margin: 2")) == {4}, "with a margin alone their number is not bounded"
    assert set(counts("top: 2, margin: 2")) == {2} and set(counts("top: 4, margin: 0")) == {1}


def test_a_dropped_row_has_no_skill_and_its_prompt_is_not_read(project: Path, read: list[int]) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace("score correct", 'teacher brief from rows where model == "terse" and prompt_id <= "p003"\n\nscore correct').replace('  quota    teacher "rambler" <= 30%\n', "").replace("budget   12", "budget   1"))
    ledger = built("a")
    assert sum(read) == 4 + 4
    assert ledger.filter(pl.col("skills").list.len() > 0)["prompt_id"].n_unique() == 4


def test_another_description_or_model_is_another_plan_and_a_standing_build_is_told_of_changed_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "tagged.mix"]) == 0
    assert main(["plan", "tagged.mix", "--exit-code"]) == 0
    make_tiny_embedder(project / "model", [FIRST, NORMALIZE], seed=1)
    capsys.readouterr()
    assert main(["plan", "tagged.mix", "--exit-code"]) == 2
    assert "the files of `model` have changed" in " ".join(capsys.readouterr().out.split())
    before = dict(planned().fingerprints)["tag"]
    (project / "tree.json").write_text(json.dumps(TREE).replace("putting together", "adding up"))
    assert dict(planned().fingerprints)["tag"] != before


def test_skills_are_shown_with_what_is_embedded_for_it(project: Path, read: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skills", "tagged.mix", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "embedding" and sum(n["rows"] for n in found["tree"] if n["leaf"]) == 36 and sum(read) == 16
    ledger = built("a")
    assert sum(read) == 16, "the build finds in the store what was embedded for the tree"
    assert {n["chain"]: n["rows"] for n in found["tree"] if n["leaf"] and n["rows"]} == dict(ledger["skills"].explode().value_counts().iter_rows())


def test_a_model_that_asks_for_more_is_refused_at_its_clause(project: Path, capfd: pytest.CaptureFixture[str], golden) -> None:
    make_tiny_embedder(project / "model", [("1_Pooling", "sentence_transformers.models.Pooling", {"embedding_dimension": 16, "pooling_mode": "attention"})])
    (project / "tagged.mix").write_text(TAGGED.replace('"model"', '"./model"').replace("  budget ", '  quota    skill "sums" <= 90%\n  budget '))
    assert main(["build", "tagged.mix"]) == 4
    shown = capfd.readouterr()
    golden(GOLDENS / "MIX0430.txt", told(shown.out + shown.err))


def test_a_folder_that_is_not_there_is_told_at_its_clause(project: Path) -> None:
    (project / "tagged.mix").write_text(TAGGED.replace('"model"', '"./nowhere"'))
    with pytest.raises(Fault) as raised:
        built("a")
    assert [d.code for d in raised.value.diagnostics] == ["MIX0506"] and raised.value.diagnostics[0].primary is not None

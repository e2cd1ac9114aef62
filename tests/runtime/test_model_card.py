"""The card of a trained model: front matter that the hub can read, and nothing in it of the machine that made it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from mixc.compiler.clauses import Lora
from mixc.compiler.plan.digest import digest
from mixc.runtime.context import Context
from mixc.runtime.engines.students import Students
from mixc.runtime.execute import build
from mixc.runtime.licences import licences
from mixc.runtime.model_card import Made, model_card
from mixc.runtime.store import Store
from mixc.tests.compiling import compile_in
from mixc.tests.project import SCORED, make_project, rows, write_rows
from mixc.tests.runtime.test_train import make_stage

MIX = 'mix "scored" {\n  seed 3\n  description "Sums: of three\\\\four # teachers"\n  license "LICENCE"\n}'
REPORT = {
    "examples": 11, "rows": 12, "max_length": 512, "truncated": ["a"], "dropped": ["b"], "without_skills": 0, "tokens": 1200, "lost_tokens": 30,
    "teachers": [
        {"name": "ter|se", "rows": 8, "selected": 800, "trained": 900, "cut": 1, "dropped": 1},
        {"name": "tutor", "rows": 4, "selected": 290, "trained": 300, "cut": 0, "dropped": 0},
    ],
    "skills": [{"name": f"A->b{i}", "rows": 2, "selected": 10, "trained": 100, "cut": 0, "dropped": 0} for i in range(25)],
}  # fmt: skip
METRICS = [{"step": i + 1, "loss": 2 - i / 100, "learning_rate": 1e-5} for i in range(40)]


def plan(folder: Path, spec: str, data=None):
    make_project(folder)
    write_rows(folder / "data" / "rows.jsonl", data or rows())
    (folder / "scored.mix").write_text(spec, encoding="utf-8")
    outcome = compile_in(folder, "scored.mix")
    assert outcome.plan is not None, [d.message for d in outcome.notes]
    return outcome.plan


def made(folder: Path, licence: str = "MIT", **changes) -> Made:
    spec = SCORED.replace('mix "scored" { seed 3 }', MIX.replace("LICENCE", licence))
    first = Made(
        plan=plan(folder, spec), stage=make_stage(folder / "models" / "tiny"), hub=None, digests={"weights": "ab" * 32}, report=REPORT, metrics=METRICS,
        licences={"ter|se": ("CC-BY-4.0", "MIT"), "tutor": ("not stated",)},
    )  # fmt: skip
    return replace(first, **changes)


def card(text: str):
    hub = pytest.importorskip("huggingface_hub")
    return hub.ModelCard(text)


@pytest.mark.parametrize(
    ("licence", "known", "name"),
    [("MIT", "mit", None), ("Apache-2.0", "apache-2.0", None), ("House rules: no. 4", "other", "house-rules-no.-4"), ("yes", "other", "yes"), ("null", "other", "null")],
)
def test_the_hub_reads_the_front_matter_whatever_the_licence(tmp_path: Path, licence: str, known: str, name: str | None) -> None:
    data = card(model_card(made(tmp_path, licence))).data
    assert (data.license, data.license_name, data.library_name, data.model_name) == (known, name, "transformers", "scored")
    assert data.tags == ["mixc", "sft", "trl"] and data.pipeline_tag == "text-generation" and data.base_model is None


def test_a_student_of_the_hub_is_the_base_model_and_a_local_one_leaves_no_path(tmp_path: Path) -> None:
    local = model_card(made(tmp_path))
    assert str(tmp_path) not in local and "tiny, a local folder" in local
    stage = make_stage(tmp_path)
    model = replace(stage.model, model="HuggingFaceTB/SmolLM2-135M-Instruct")
    found = model_card(made(tmp_path, stage=replace(stage, model=model), hub="12fd25f7", library="peft"))
    assert card(found).data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct" and card(found).data.library_name == "peft"
    assert "| revision | 12fd25f7 |" in found


def test_corpora_of_the_hub_are_its_datasets(tmp_path: Path) -> None:
    first = made(tmp_path)
    scan = replace(first.plan.stages[0], path="hf://datasets/org/traces-1k@main/data/*.parquet")
    found = replace(first, plan=replace(first.plan, stages=(scan, *first.plan.stages[1:])))
    assert card(model_card(found)).data.datasets == ["org/traces-1k"]


def test_it_names_recipe_plan_student_arguments_teachers_skills_and_losses(tmp_path: Path) -> None:
    first = made(tmp_path)
    first = replace(first, stage=replace(first.stage, method="lora", lora=Lora(), format="skill_aware", seed=0))
    text = model_card(first)
    assert text == model_card(first) and text.endswith("\n")
    for line in (
        f"| plan | {digest(first.plan)} |", "| recipe | scored |", "Sums: of three\\four # teachers", f"| digest of the weights | {'ab' * 32} |",
        "| method | lora |", "| lora | rank 16, alpha 32, dropout 0 |", "| seed | 0 |", "| learning rate | 0.001 |", "| examples | 11 |",
        "| responses cut | 1, 30 tokens lost |", "| rows left out, whose prompt is too long | 1 |",
        "| ter\\|se | CC-BY-4.0, MIT | 7 | 900 |", "| tutor | not stated | 4 | 300 |", "| A-\\>b0 | 2 | 100 |", "And 5 more.",
        "| first step | 2.0000 |", "| last step | 1.6100 |", "| mean of the last 4 of 40 | 1.6250 |", "![The loss at each step](loss.svg)",
    ):  # fmt: skip
        assert line in text, line
    assert "begin with `Skills:`" in text and "random-0" in model_card(replace(first, arm="random-0"))


def test_a_training_without_losses_or_skills_has_no_such_parts(tmp_path: Path) -> None:
    text = model_card(made(tmp_path, metrics=[], report={**REPORT, "skills": []}))
    assert not re.search("## (Loss|Skills)", text)


@pytest.mark.parametrize("role", [True, False], ids=["of each row", "of the corpus"])
def test_licences_are_those_of_the_selected_rows(tmp_path: Path, role: bool) -> None:
    line = "license   terms" if role else 'license   "CC0-1.0"'
    terms = {"terse": ["MIT"], "tutor": ["MIT", "ODbL"], "rambler": [None]}
    data = [row | {"terms": terms[str(row["model"])][i % len(terms[str(row["model"])])]} for i, row in enumerate(rows())]
    found = plan(tmp_path, SCORED.replace("  teacher   model\n", f"  teacher   model\n  {line}\n"), data)
    context = Context(store=Store(tmp_path / "store"), students=Students(tmp_path / "store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        done = build(found, tmp_path / "out", context, "materialise")
        said = {name: tuple(counts) for name, counts in licences(done.walk.rows).teachers.items()}
    assert set(said) == set(done.chosen["teacher"])  # type: ignore[index]
    if role:
        assert said["terse"] == ("MIT",) and said["rambler"] == (None,) and set(said["tutor"]) <= {"MIT", "ODbL"}
    else:
        assert set(said.values()) == {("CC0-1.0",)}

"""The card of a build's data: front matter that the hub reads whatever the names, tables that are tables, nothing of the machine."""

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mixc.compiler.diagnostics import Fault
from mixc.runtime.dataset_card import card_of, dataset_card
from mixc.runtime.finished import finished
from mixc.tests.awkward import DESCRIPTION, NAME, build_in, make_awkward
from mixc.tests.project import SCORED, make_project

SECTIONS = ["Files", "Teachers", "Skills", "Selection", "Scores", "Licences", "Recipe", "Made again", "Provenance"]


def scored(folder: Path, spec: str = SCORED, *words: str) -> Path:
    make_project(folder)
    (folder / "scored.mix").write_text(spec, encoding="utf-8")
    return build_in(folder, "scored.mix", *words)


def licensed(text: str) -> str:
    return SCORED.replace('mix "scored" { seed 3 }', f'mix "scored" {{\n  seed 3\n  license "{text}"\n}}')


def data(text: str):
    hub = pytest.importorskip("huggingface_hub")
    return hub.DatasetCard(text).data


def rows_of(text: str, section: str) -> list[list[str]]:
    """The lines of the tables of a section, split at the bars that are no text."""
    body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not set("".join(line)) <= set("- ")]


def test_the_card_is_what_the_build_wrote(tmp_path: Path) -> None:
    out = scored(tmp_path)
    text = (out / "README.md").read_text(encoding="utf-8")
    assert dataset_card(out) == text and text.endswith("\n")
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS


def test_its_tables_are_those_of_the_selected_rows(tmp_path: Path) -> None:
    out = scored(tmp_path)
    text, rows = dataset_card(out), pl.read_parquet(out / "selected.parquet")
    counted = {name: (n, tokens) for name, n, tokens in rows.group_by("teacher").agg(pl.len(), pl.col("tokens").sum()).iter_rows()}
    assert {r[0]: (int(r[1]), int(r[3])) for r in rows_of(text, "Teachers")[1:]} == counted
    skills = rows.explode("skills")["skills"].value_counts()
    assert {r[0]: int(r[1]) for r in rows_of(text, "Skills")[1:]} == dict(skills.iter_rows())
    funnel = json.loads((out / "manifest.json").read_text())["counts"]["funnel"]
    assert [int(r[1]) for r in rows_of(text, "Selection") if len(r) == 2 and r[1].isdigit()] == [step["rows"] for step in funnel]
    length = next(r for r in rows_of(text, "Scores") if r[0] == "length, tokens")
    assert [float(each) for each in length[2:]] == [rows["length"].min(), rows["length"].mean(), rows["length"].max()]
    shown = {r[0]: r[1] for r in rows_of(text, "Provenance")}
    assert shown["data"] == finished(out).content and shown["plan"] == json.loads((out / "manifest.json").read_text())["plan"]


def test_names_with_markup_in_them_are_names(tmp_path: Path) -> None:
    out = build_in(make_awkward(tmp_path))
    text = dataset_card(out)
    found = data(text)
    assert found.pretty_name == NAME and found.license == "other" and found.to_dict()["license_name"] == "house-rules-no.-4"
    assert DESCRIPTION in text and "<b>" not in text.partition("\n# ")[2].partition(DESCRIPTION)[0].replace("\\<b\\>", "")
    assert all(len(r) == 4 for r in rows_of(text, "Teachers") + rows_of(text, "Skills"))
    assert {'says "hi" \\| ok', "line break", "ひらがな 🧮", "\\`tick\\` \\<b\\> \\*x\\*"} >= {r[0] for r in rows_of(text, "Teachers")[1:]}
    assert str(tmp_path) not in text


def test_the_front_matter_says_where_the_rows_are_and_what_they_hold(tmp_path: Path) -> None:
    found = data(dataset_card(scored(tmp_path))).to_dict()
    assert found["size_categories"] == ["n<1K"] and found["task_categories"] == ["text-generation"] and "mixc" in found["tags"] and "license" not in found
    assert found["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "train.jsonl"}]}]
    ((name, features),) = [(each["config_name"], each["features"]) for each in found["dataset_info"]]
    messages = {"name": "messages", "list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]}
    assert name == "default" and features == [messages, {"name": "row_id", "dtype": "string"}]


@pytest.mark.parametrize(
    ("licence", "known", "name"), [("MIT", "mit", None), ("CC-BY-4.0", "cc-by-4.0", None), ("yes", "other", "yes"), ("null", "other", "null"), ("!", "other", "other")]
)
def test_the_hub_reads_the_licence_whatever_it_is(tmp_path: Path, licence: str, known: str, name: str | None) -> None:
    found = data(dataset_card(scored(tmp_path, licensed(licence)))).to_dict()
    assert (found["license"], found.get("license_name")) == (known, name)


def uncounted(out: Path) -> str:
    """The card of a build whose manifest has no count of licences."""
    build = finished(out)
    counts = {name: value for name, value in build.manifest["counts"].items() if name != "licences"}
    return card_of(replace(build, manifest={**build.manifest, "counts": counts}))


def test_without_one_of_its_own_a_recipe_has_the_licences_of_its_corpora(tmp_path: Path) -> None:
    corpus = SCORED.replace("  teacher   model\n", '  teacher   model\n  license   "CC-BY-4.0"\n')
    text = uncounted(scored(tmp_path / "one", corpus))
    assert data(text).license == "cc-by-4.0" and ["corpus rows", "CC-BY-4.0"] in rows_of(text, "Licences")
    both = corpus.replace("  id        prompt_id\n", "").replace("  teacher   model\n", '  teacher   model\n  where     model != "tutor"\n') + (
        'corpus more {\n  scan "data/*.jsonl"\n  prompt question\n  response answer\n  reference gold\n  teacher model\n  license "MIT"\n  where model == "tutor"\n}\n'
    )
    assert data(uncounted(scored(tmp_path / "two", both))).license == ["cc-by-4.0", "mit"]
    text = uncounted(scored(tmp_path / "rows", SCORED.replace("  teacher   model\n", "  teacher   model\n  license   topic\n")))
    assert data(text).license is None and ["corpus rows", "of each row, in its column topic"] in rows_of(text, "Licences")


@pytest.mark.parametrize("other", ["MIT", "not stated"])
def test_licences_that_the_manifest_counts_are_those_of_the_rows(tmp_path: Path, other: str) -> None:
    build = finished(scored(tmp_path))
    counts = {"all": {"ODbL": 7, other: 5}, "corpora": {"rows": {"ODbL": 7, other: 5}}, "teachers": {"terse": {"ODbL": 7}, "tutor": {other: 5}}}
    text = card_of(replace(build, manifest={**build.manifest, "counts": {**build.manifest["counts"], "licences": counts}}))
    assert data(text).license == (["mit", "odbl"] if other == "MIT" else None)
    assert rows_of(text, "Licences")[1:] == [["corpus rows", f"ODbL (7), {other} (5)"], ["teacher terse", "ODbL (7)"], ["teacher tutor", f"{other} (5)"]]


def test_corpora_of_the_hub_are_its_sources(tmp_path: Path) -> None:
    build = finished(scored(tmp_path))
    scan = replace(build.plan.stages[0], path="hf://datasets/org/traces-1k@main/data/*.parquet")
    found = card_of(replace(build, plan=replace(build.plan, stages=(scan, *build.plan.stages[1:]))))
    assert data(found).source_datasets == ["org/traces-1k"]


def test_a_run_until_select_has_one_file_less(tmp_path: Path) -> None:
    text = dataset_card(scored(tmp_path, SCORED, "--until", "select"))
    found = data(text).to_dict()
    assert "train.jsonl" not in text and found["configs"][0]["data_files"] == [{"split": "train", "path": "selected.parquet"}]
    columns = pl.read_parquet_schema(tmp_path / "build" / "scored" / "selected.parquet")
    features = found["dataset_info"][0]["features"]
    assert [each["name"] for each in features] == list(columns) and {"name": "skills", "list": "string"} in features


def test_rows_without_teachers_skills_tokens_or_scores_have_no_such_tables(tmp_path: Path) -> None:
    plain = SCORED.replace("  teacher   model\n", "").replace('skills topics { tag by column topic }\n', "")
    plain = re.sub(r"^ +(where|keep|quota) .*\n|^score .*\n", "", plain, flags=re.M)
    text = dataset_card(scored(tmp_path, plain))
    assert [each for each in SECTIONS if each not in ("Skills", "Scores")] == re.findall(r"^## (.*)$", text, re.M)
    assert rows_of(text, "Teachers")[1] == ["rows", "12", "100.0 %", ""] and data(text).pretty_name == "scored"


def test_no_rows_at_all_are_a_card_too(tmp_path: Path) -> None:
    out = scored(tmp_path)
    pl.read_parquet(out / "selected.parquet").clear().write_parquet(out / "selected.parquet")
    (out / "train.jsonl").write_text("")
    text = dataset_card(out)
    assert "\n0 examples that the recipe" in text and data(text).size_categories == ["n<1K"] and "## Teachers" not in text


def test_many_skills_are_counted_and_some_are_named(tmp_path: Path) -> None:
    make_project(tmp_path, prompts=40)
    lines = [json.loads(line) | {"topic": f"skill {number}"} for number, line in enumerate((tmp_path / "data" / "rows.jsonl").read_text().splitlines())]
    (tmp_path / "data" / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (tmp_path / "scored.mix").write_text(re.sub(r"^ +quota .*\n", "", SCORED, flags=re.M).replace("12 examples", "30 examples"))
    text = dataset_card(build_in(tmp_path, "scored.mix"))
    assert len(rows_of(text, "Skills")) == 21 and "\nAnd 10 more.\n" in text


def test_a_lock_beside_it_is_how_it_is_made_again(tmp_path: Path) -> None:
    out = scored(tmp_path)
    assert "mixc build RECIPE.mix --locked\nmixc verify BUILD\n" in dataset_card(out)
    (out / "mix.lock").unlink()
    assert "mixc build RECIPE.mix\n" in dataset_card(out) and "mixc verify" not in dataset_card(out)


def test_what_is_no_build_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Fault) as none:
        dataset_card(tmp_path / "nowhere")
    assert none.value.diagnostics[0].code == "MIX0524"
    out = scored(tmp_path)
    (out / "ledger.parquet").unlink()
    with pytest.raises(Fault) as broken:
        dataset_card(out)
    assert broken.value.diagnostics[0].code == "MIX0501"
    (out / "selected.parquet").unlink()
    with pytest.raises(Fault) as early:
        dataset_card(out)
    assert early.value.diagnostics[0].code == "MIX0524" and "stopped before its selection" in early.value.diagnostics[0].message

"""What a build tells others of itself, read by those others: the validators of Croissant, OpenLineage and the hub, and whoever loads its rows."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from mixc.runtime.openlineage import PRODUCER
from mixc.tests.awkward import DESCRIPTION, NAME, build_in, make_awkward
from mixc.tests.project import make_project
from mixc.tests.test_variants import SWEPT

needs = pytest.mark.standards


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of a project full of quotes, pipes, newlines, nulls and lists."""
    return build_in(make_awkward(tmp_path_factory.mktemp("awkward")))


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes are texts, arrays are lists, what is not a number is null."""
    import numpy as np

    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Mapping):
        return {str(key).rpartition("/")[2]: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(each) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or value != value or type(value).__name__ == "NAType" else value


def selected(out: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(out / "selected.parquet").to_dicts()


def trained(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "train.jsonl").read_text(encoding="utf-8").split("\n") if line]


def croissant(out: Path) -> Any:
    import mlcroissant

    return mlcroissant.Dataset(out / "croissant.json")


@needs
def test_croissant_is_valid_without_a_warning_and_loads_every_record(awkward: Path) -> None:
    found = croissant(awkward)
    assert not found.metadata.ctx.issues.errors and not found.metadata.ctx.issues.warnings
    assert found.metadata.name == NAME and found.metadata.description == DESCRIPTION and found.metadata.license == ["House rules: | no. 4"]
    assert [plain(each) for each in found.records("selected")] == selected(awkward)
    assert [plain(each) for each in found.records("train")] == trained(awkward)


@needs
def test_croissant_says_what_is_missing_and_nothing_in_its_place(tmp_path: Path) -> None:
    found = croissant(build_in(make_project(tmp_path), "scored.mix"))
    assert not found.metadata.ctx.issues.errors
    assert [w for w in found.metadata.ctx.issues.warnings if "license" not in w] == [] and len(found.metadata.ctx.issues.warnings) == 1


@needs
def test_croissant_refuses_rows_that_are_not_those_of_the_build(tmp_path: Path) -> None:
    import mlcroissant

    out = build_in(make_project(tmp_path), "scored.mix")
    lines = (out / "train.jsonl").read_text().replace("We take", "We took", 1)
    (out / "train.jsonl").write_text(lines)
    with pytest.raises(mlcroissant.GenerationError):
        list(croissant(out).records("train"))


@needs
def test_every_variant_and_a_run_until_select_are_valid(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "study.mix").write_text(SWEPT)
    outs = [build_in(tmp_path, "scored.mix", "--until", "select", "--out", "short").parent.parent / "short"]
    build_in(tmp_path, "study.mix")
    outs += sorted((tmp_path / "build" / "study").glob("size=*"))
    assert len(outs) == 3
    for out in outs:
        assert [plain(each) for each in croissant(out).records("selected")] == selected(out)
        events(out)
        assert hub_card(out).data.size_categories == ["n<1K"]


def hub_card(out: Path) -> Any:
    import huggingface_hub

    return huggingface_hub.DatasetCard.load(out / "README.md")


def events(out: Path) -> list[dict[str, Any]]:
    """The events, each part of them read by the published client's own types, which know every key and take no other."""
    import cattrs
    from openlineage.client import facet_v2
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent

    strict = cattrs.Converter(forbid_extra_keys=True)
    modules = [each for each in vars(facet_v2).values() if isinstance(each, ModuleType)]
    kinds = {name: kind for module in modules for name, kind in vars(module).items() if name.endswith("Facet")}
    found = [json.loads(line) for line in (out / "openlineage.jsonl").read_text(encoding="utf-8").split("\n") if line]
    for event in found:
        for at, facet in facets(event):
            kind = kinds[at]
            assert facet["_schemaURL"] == kind._get_schema() and facet["_producer"] == PRODUCER
            told = {key: value for key, value in facet.items() if not key.startswith("_")}
            read = strict.unstructure(strict.structure(told, kind))
            assert bare({key: value for key, value in read.items() if not key.startswith("_")}) == bare(told), "a value that its type had to change"
        run, job = Run(runId=event["run"]["runId"]), Job(namespace=event["job"]["namespace"], name=event["job"]["name"])
        made = RunEvent(
            eventTime=event["eventTime"], producer=event["producer"], run=run, job=job, eventType=event["eventType"],
            inputs=[InputDataset(namespace=each["namespace"], name=each["name"]) for each in event["inputs"]],
            outputs=[OutputDataset(namespace=each["namespace"], name=each["name"]) for each in event["outputs"]],
        )  # fmt: skip
        assert made.schemaURL == event["schemaURL"]
        assert all(set(each) == {"namespace", "name", "facets", "inputFacets"} for each in event["inputs"])
        assert all(set(each) == {"namespace", "name", "facets", "outputFacets"} for each in event["outputs"])
        assert set(event) == {"eventTime", "eventType", "inputs", "job", "outputs", "producer", "run", "schemaURL"}
    return found


def bare(value: Any) -> Any:
    """A value without what is empty in it, as a type's defaults are."""
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if (kept := bare(each)) not in (None, [], {})}
    return [bare(each) for each in value] if isinstance(value, list) else value


def facets(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of the type of each facet, from its own address, and the facet."""
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for holder in holders:
        for key in ("facets", "inputFacets", "outputFacets"):
            for facet in holder.get(key, {}).values():
                yield facet["_schemaURL"].rpartition("/")[2], facet


@needs
def test_openlineage_is_what_its_client_would_write(awkward: Path) -> None:
    began, ended = events(awkward)
    assert (began["eventType"], ended["eventType"]) == ("START", "COMPLETE") and began["eventTime"] <= ended["eventTime"]
    assert began["run"]["runId"] == ended["run"]["runId"] and began["outputs"] == [] and ended["job"]["name"] == NAME
    (corpus,) = ended["inputs"]
    assert corpus["inputFacets"]["dataQualityMetrics"]["rowCount"] == 40 and len(corpus["facets"]["version"]["datasetVersion"]) == 32
    rows = {each["name"].rpartition("/")[2]: each["outputFacets"]["outputStatistics"]["rowCount"] for each in ended["outputs"]}
    assert rows == {"train.jsonl": 12, "selected.parquet": 12, "ledger.parquet": 40}
    copied = next(each for each in ended["outputs"] if each["name"].endswith("/selected.parquet"))["facets"]["columnLineage"]["fields"]
    assert {name: each["inputFields"][0]["field"] for name, each in copied.items()} == {"prompt": "question", "response": "answer", "reference": "gold"}


@needs
@pytest.mark.parametrize(
    ("before", "after"), [('"rowCount": 12', '"rowCount": "12"'), ('"fileCount": 1', '"files": 1'), ('"datasetVersion"', '"version"'), ('"type": "DIRECT"', '"kind": "DIRECT"')]
)
def test_what_its_client_would_not_write_is_seen(awkward: Path, tmp_path: Path, before: str, after: str) -> None:
    from cattrs.errors import ClassValidationError

    text = (awkward / "openlineage.jsonl").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "openlineage.jsonl").write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises((AssertionError, ClassValidationError)):
        events(tmp_path)


@needs
@pytest.mark.skipif("MIXC_OPENLINEAGE" not in os.environ, reason="no published schemas (MIXC_OPENLINEAGE, the `spec` folder of OpenLineage)")
def test_openlineage_is_valid_by_its_published_schemas(awkward: Path) -> None:
    import jsonschema
    from referencing import Registry, Resource

    read = [json.loads(path.read_text(encoding="utf-8")) for path in Path(os.environ["MIXC_OPENLINEAGE"]).rglob("*.json")]
    known = {each["$id"].rpartition("/")[2].removesuffix(".json"): each for each in read if isinstance(each, dict) and "$defs" in each and "$id" in each}
    # A facet's schema points to the core of the release that it was last changed in; that core has only been added to since.
    registry = Registry(retrieve=lambda uri: Resource.from_contents(known[uri.rpartition("/")[2].removesuffix(".json")]))  # type: ignore[call-arg]

    def check(value: Any, file: str, name: str) -> None:
        schema = {"$schema": known[file]["$schema"], "$ref": f"{known[file]['$id']}#/$defs/{name}"}
        jsonschema.Draft202012Validator(schema, registry=registry, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(value)

    for event in events(awkward):
        check(event, "OpenLineage", "RunEvent")
        for name, facet in facets(event):
            check(facet, name, name)
    with pytest.raises(jsonschema.ValidationError):
        check(event | {"eventType": "DONE"}, "OpenLineage", "RunEvent")
    with pytest.raises(jsonschema.ValidationError):
        check({"_producer": PRODUCER, "_schemaURL": "https://openlineage.io"}, "DatasetVersionDatasetFacet", "DatasetVersionDatasetFacet")

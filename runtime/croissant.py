"""`croissant.json`: a finished build as a dataset in the JSON-LD of Croissant 1.0 (docs.mlcommons.org/croissant), which loads its records too.

It knows the files of the folder by their names alone, so that the folder may be moved or published as it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from ..compiler.plan.digest import digest
from .card import hub_datasets
from .finished import Finished, Table
from .stated import stated

_JSON = {"@type": "@json"}
CONTEXT: dict[str, object] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", **_JSON},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", **_JSON}, "extract": "cr:extract", "field": "cr:field", "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references",
    "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The vocabulary of the standard, which every file of it carries whole."""
_FORMATS = {".parquet": "application/x-parquet", ".jsonl": "application/jsonlines"}
_ABOUT = {
    "row_id": "A digest of the prompt, the response and who gave it: the same in every build of it.",
    "prompt_id": "Which prompt; several rows may answer one.",
    "reference": "The answer that the source holds for right.",
    "teacher": "Who gave the response.",
    "skills": "What the prompt asks for, each a chain from the root of a tree to its leaf.",
    "tokens": "Length of the response.",
    "license": "Under which licence the row is, as far as it is stated.",
    "weight": "How much the row counts in training.",
    "messages": "The conversation that a student is trained on.",
}


def croissant(build: Finished, day: str) -> bytes:
    """The whole file. `day`, as in `2026-01-31`, is when it was made; the rest is the same for the same build wherever and whenever it is made."""
    plan, name = build.plan, " ".join(build.plan.name.split())
    told: dict[str, object] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": plan.description or f"Examples that the recipe {name} selected from {_count(build.manifest)}.",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "version": f"1.0.0+{build.content}",
        "datePublished": day,
        "citeAs": f"{name}, version {build.content}, selected with mixc {build.version} by plan {digest(plan)}",
        "keywords": ["mixc", "distillation", "supervised fine-tuning"],
        "distribution": [_file(table) for table in (build.train, build.selected) if table is not None],
        "recordSet": [_records(table) for table in (build.train, build.selected) if table is not None],
        "rai:dataPreprocessingProtocol": [f"{step['clause']}: {step['rows']:,} rows left" for step in build.manifest["counts"]["funnel"]],
    }
    if licences := stated(build).dataset:
        told["license"] = licences[0] if len(licences) == 1 else list(licences)
    if sources := hub_datasets(plan):
        told["isBasedOn"] = [f"https://huggingface.co/datasets/{each}" for each in sources]
    return json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n"


def _count(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['counts']['rows']:,} rows"


def _file(table: Table) -> dict[str, object]:
    suffix = table.name[table.name.rindex(".") :]
    return {
        "@type": "cr:FileObject", "@id": table.name, "name": table.name, "contentUrl": table.name, "contentSize": f"{table.size} B",
        "encodingFormat": _FORMATS[suffix], "sha256": table.sha256,
    }  # fmt: skip


def _records(table: Table) -> dict[str, object]:
    name = table.name[: table.name.rindex(".")]
    return {
        "@type": "cr:RecordSet", "@id": name, "name": name, "description": f"The rows of {table.name}: {table.rows:,}.",
        "key": {"@id": f"{name}/row_id"}, "field": list(_fields(table, name)),
    }  # fmt: skip


def _fields(table: Table, records: str) -> Iterator[dict[str, object]]:
    for column, dtype in table.columns.items():
        source = {"fileObject": {"@id": table.name}, "extract": {"column": column}}
        told: dict[str, object] = {"@type": "cr:Field", "@id": f"{records}/{column}", "name": column}
        if column in _ABOUT:
            told["description"] = _ABOUT[column]
        if isinstance(dtype, pl.List):
            told["repeated"] = True
            dtype = dtype.inner
        if isinstance(dtype, pl.Struct):
            yield told | {"subField": [
                {"@type": "cr:Field", "@id": f"{records}/{column}/{part.name}", "name": part.name, "dataType": _type(part.dtype), "source": source | {"transform": {"jsonPath": part.name}}}
                for part in dtype.fields
            ]}  # fmt: skip
        else:
            yield told | {"dataType": _type(dtype), "source": source}


def _type(dtype: object) -> str:
    match dtype:
        case pl.Boolean():
            return "sc:Boolean"
        case pl.DataType() if dtype.is_integer():
            return "sc:Integer"
        case pl.DataType() if dtype.is_numeric():
            return "sc:Float"
        case _:
            return "sc:Text"

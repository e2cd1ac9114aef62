"""`openlineage.jsonl`: a finished build as events of OpenLineage (openlineage.io, core 2-0-2): it began, it is complete; what it read, what it wrote.

A run is named by its plan and by the data that it made: the same build, made again, is the same run.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import polars as pl

from .. import __version__
from ..compiler.paths import is_remote
from ..compiler.plan.digest import digest
from ..compiler.plan.stages import Plan, Scan
from .finished import Finished, Table

PRODUCER = f"urn:mixc:{__version__}"
NAMESPACE = "mixc"
_SPEC = "https://openlineage.io/spec"
_FACETS = {
    "ColumnLineageDatasetFacet": "1-2-0", "DataQualityMetricsInputDatasetFacet": "1-0-3", "DatasetVersionDatasetFacet": "1-0-1", "DocumentationJobFacet": "1-1-0",
    "JobTypeJobFacet": "2-0-4", "OutputStatisticsOutputDatasetFacet": "1-0-2", "ProcessingEngineRunFacet": "1-1-1", "SchemaDatasetFacet": "1-2-0", "TagsRunFacet": "1-0-0",
}  # fmt: skip
_TEXTS = ("prompt", "response", "reference")


def openlineage(build: Finished, began: datetime, ended: datetime) -> bytes:
    """The events, a line each. Only the two moments differ between two builds that are the same."""
    plan, ended = build.plan, max(began, ended)
    run = {
        "runId": str(uuid5(NAMESPACE_URL, f"urn:mixc:run:{digest(plan)}:{build.content}")),
        "facets": {
            "processing_engine": _facet("ProcessingEngineRunFacet", version=build.version, name="mixc"),
            "tags": _facet("TagsRunFacet", tags=[{"key": key, "value": value, "source": "mixc"} for key, value in _tags(build)]),
        },
    }
    about = {"documentation": _facet("DocumentationJobFacet", description=plan.description)} if plan.description else {}
    kind = _facet("JobTypeJobFacet", processingType="BATCH", integration="MIXC", jobType="BUILD")
    job = {"namespace": NAMESPACE, "name": plan.name, "facets": {"jobType": kind} | about}
    inputs = list(_inputs(build))
    events = [
        _event("START", began, run, job, inputs, []),
        _event("COMPLETE", ended, run, job, inputs, [_output(table, plan) for table in build.tables]),
    ]
    return "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in events).encode()


def _event(kind: str, at: datetime, run: object, job: object, inputs: object, outputs: object) -> dict[str, object]:
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "eventType": kind, "eventTime": moment, "run": run, "job": job, "inputs": inputs, "outputs": outputs,
        "producer": PRODUCER, "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }  # fmt: skip


def _facet(name: str, /, **told: object) -> dict[str, object]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{_FACETS[name]}/{name}.json#/$defs/{name}", **told}


def _tags(build: Finished) -> Iterator[tuple[str, str]]:
    yield "plan", digest(build.plan)
    yield "content", build.content
    yield "seed", str(build.plan.seed)
    if build.plan.license is not None:
        yield "license", build.plan.license


def _inputs(build: Finished) -> Iterator[Mapping[str, object]]:
    """The corpora, in the order in which they were read, with the digest of their rows as their version."""
    read = {entry["corpus"]: entry for entry in build.manifest["inputs"]}
    for scan in (s for s in build.plan.stages if isinstance(s, Scan) and s.corpus in read):
        entry = read[scan.corpus]
        version = entry.get("content") or entry["digest"]
        fields = [{"name": name, "description": what} for name, what in sorted(_columns(scan).items())]
        yield _named(build.plan, scan) | {
            "facets": {"version": _facet("DatasetVersionDatasetFacet", datasetVersion=version), "schema": _facet("SchemaDatasetFacet", fields=fields)},
            "inputFacets": {"dataQualityMetrics": _facet("DataQualityMetricsInputDatasetFacet", rowCount=entry["rows"], columnMetrics={})},
        }


def _named(plan: Plan, scan: Scan) -> dict[str, str]:
    """A corpus that lies elsewhere by its address, without what may be secret in it; one of this machine by its name in the recipe."""
    if not is_remote(scan.path):
        return {"namespace": NAMESPACE, "name": f"{plan.name}/{scan.corpus}"}
    path = scan.path.partition("?")[0] if scan.path.startswith("http") else scan.path  # elsewhere `?` is a pattern's
    scheme, _, rest = path.partition("://")
    host, _, name = rest.partition("/")
    return {"namespace": f"{scheme}://{host.rpartition('@')[2]}", "name": name or "/"}


def _columns(scan: Scan) -> dict[str, str]:
    """The columns that the recipe reads, and as what."""
    roles = {getattr(scan.roles, role): role for role in ("license", "id", "teacher", "reference", "response", "prompt")}
    return dict.fromkeys(scan.columns, "read by a clause") | {column: role for column, role in roles.items() if column is not None}


def _output(table: Table, plan: Plan) -> dict[str, object]:
    facets = {
        "version": _facet("DatasetVersionDatasetFacet", datasetVersion=f"sha256:{table.sha256}"),
        "schema": _facet("SchemaDatasetFacet", fields=[_field(name, dtype) for name, dtype in table.columns.items()]),
    }
    if sources := _sources(table, plan):
        facets["columnLineage"] = _facet("ColumnLineageDatasetFacet", fields=sources)
    return {
        "namespace": NAMESPACE,
        "name": f"{plan.name}/{table.name}",
        "facets": facets,
        "outputFacets": {"outputStatistics": _facet("OutputStatisticsOutputDatasetFacet", rowCount=table.rows, size=table.size, fileCount=1)},
    }


def _field(name: str, dtype: object) -> dict[str, object]:
    match dtype:
        case pl.List(inner=pl.Struct(fields=parts)):
            return {"name": name, "type": "array", "fields": [{"name": "_element", "type": "struct", "fields": [_field(p.name, p.dtype) for p in parts]}]}
        case pl.List(inner=inner):
            return {"name": name, "type": "array", "fields": [{"name": "_element", "type": str(inner).lower()}]}
        case _:
            return {"name": name, "type": str(dtype).lower()}


def _sources(table: Table, plan: Plan) -> Mapping[str, object]:
    """Of the columns that are copied as they are: from which columns of which corpora."""
    found: dict[str, object] = {}
    for role in (role for role in _TEXTS if role in table.columns):
        scans = [s for s in plan.stages if isinstance(s, Scan) and getattr(s.roles, role) is not None]
        copied = [{"type": "DIRECT", "subtype": "IDENTITY"}]
        if scans:
            found[role] = {"inputFields": [_named(plan, s) | {"field": getattr(s.roles, role), "transformations": copied} for s in scans]}
    return found

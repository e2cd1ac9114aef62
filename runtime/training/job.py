"""All that one training needs, as plain values that a file can carry to other processes. It knows no clause and loads nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...compiler.clauses import Lora
from ...compiler.source import Span
from ..engines.model_files import ModelFiles
from ..files import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`tokens[i][starts[i]:]` of example i carry loss, times `weights[i]` where there are weights (see `weighing.shares`).

    `arguments` are those of `SFTConfig` for one process that reads `batch` examples a step. `capacity` is the most tokens of a pack, None where
    examples are padded instead. `files` tell the tokenizer and `weights_at` where the weights are loaded from; `name` is what the spec calls the
    student. `save` is how many steps lie between two checkpoints in `checkpoints`. `reports` are the trackers that are told, in `logs`.
    """

    name: str
    run: str
    files: ModelFiles
    weights_at: ModelFiles
    dtype: str
    arguments: Mapping[str, Any]
    batch: int
    steps: int
    save: int
    tokens: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]
    weights: tuple[float, ...] | None = None
    capacity: int | None = None
    lora: Lora | None = None
    reports: tuple[str, ...] = ()
    checkpoints: Path
    logs: Path


def write_job(job: Job, path: Path) -> None:
    """The job as JSON, whole or not at all. Fault MIX0508 comes with `files.writing`."""
    data = asdict(job)
    for name in ("files", "weights_at"):
        span = getattr(job, name).span
        data[name] |= {"span": [span.path, span.start, span.end]}
    write_atomic(path, json.dumps(data, default=str).encode())


def read_job(path: Path) -> Job:
    """The job that `write_job` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    for name in ("files", "weights_at"):
        told = data[name]
        data[name] = ModelFiles(**{**told, "path": Path(told["path"]), "span": Span(*told["span"])})
    job = Job(**{**data, "checkpoints": Path(data["checkpoints"]), "logs": Path(data["logs"])})
    return replace(
        job,
        tokens=tuple(map(tuple, job.tokens)),
        starts=tuple(job.starts),
        weights=None if job.weights is None else tuple(job.weights),
        lora=Lora(**data["lora"]) if data["lora"] else None,
        reports=tuple(job.reports),
    )

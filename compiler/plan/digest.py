"""Digests of what a stage does: spans, ids of stages, the folders of paths and who is told do not take part."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..paths import is_remote
from ..source import Span
from .stages import Benchmark, Decontaminate, Endpoint, Evaluate, GeneratedTeacher, Model, Plan, Profile, Scan, Score, Stage, Train

_PATHS = {(Scan, "path"), (Decontaminate, "against"), (Benchmark, "path"), (Profile, "file")}
_LEFT_OUT = ("id", "folder")
_WITHOUT_EFFECT = {
    (Endpoint, "key"), (Train, "report"), (Train, "report_span"), (Train, "save"), (Score, "passes"), (Score, "tells"), (Score, "shares"),
}  # fmt: skip


def fingerprints(stages: Sequence[Stage]) -> tuple[tuple[str, str], ...]:
    """Stage id to a 128-bit hex digest of the stage, its arguments and its inputs' digests."""
    known: dict[str, str] = {}
    for stage in stages:
        known[stage.id] = _hash(_essence(stage, known))
    return tuple(known.items())


def own(stage: Stage) -> str:
    """128-bit hex digest of what the stage itself does, whatever flows into it."""
    return _hash(_essence(replace(stage, inputs=()), defaultdict(str)))


def digest(plan: Plan) -> str:
    """128-bit hex digest of what the plan does: name, seed, stages, what is pending; not its description."""
    stages = [fingerprint for _, fingerprint in fingerprints(plan.stages)]
    return _hash([plan.name, plan.seed, stages, [p.what for p in plan.pending]])


def _essence(value: Any, known: Mapping[str, str]) -> Any:
    """The value as plain data: references to stages as their digests, local paths as their last part."""
    if isinstance(value, tuple):
        return [_essence(item, known) for item in value]
    if not is_dataclass(value):
        return value
    kept: dict[str, Any] = {"": type(value).__name__}
    for f in fields(value):
        item = getattr(value, f.name)
        if isinstance(item, Span) or f.name in _LEFT_OUT or (type(value), f.name) in _WITHOUT_EFFECT:
            continue
        if isinstance(value, Model) and f.name == "student" and item == value.model:
            continue  # it has no name but that of its files
        if f.name == "inputs":
            item = [known[name] for name in item]
        elif isinstance(value, Evaluate) and f.name == "heldout":
            item = item and known[item]
        elif (type(value), f.name) in _PATHS:
            item = [_last_part(path) for path in item] if isinstance(item, tuple) else item and _last_part(item)
        elif isinstance(value, Model | GeneratedTeacher) and f.name == "model" and (item[0] in "./~" or item.endswith(".gguf")):
            item = _last_part(item)
        else:
            item = _essence(item, known)
        kept[f.name] = item
    return kept


def _last_part(path: str) -> str:
    """The last part of a local path; a remote address does not depend on where it is read from and stays whole."""
    return path if is_remote(path) else path.rstrip("/").rpartition("/")[2]


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()

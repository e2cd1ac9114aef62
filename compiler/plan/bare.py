"""A plan without what a lock pins by content, so that each thing that drifts is told once: where files lie, what is in them, versions of scorers."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from .digest import digest, own
from .stages import Benchmark, Decontaminate, GeneratedTeacher, Model, Plan, Profile, Scan, Score, Select, Tag

_PINNED = {
    (Scan, "path"), (Decontaminate, "against"), (Benchmark, "path"), (Profile, "file"), (Profile, "tallies"), (Model, "template"),
    (Tag, "tree"), (Tag, "descriptions"), (Tag, "keywords"), (Select, "tree"), (Select, "tallies"), (Score, "version"),
}  # fmt: skip

_SOMEWHERE = "."
"""Stands for the path of a model."""


def bare(plan: Plan) -> Plan:
    """The plan with nothing in the place of what is pinned; whether there was something is left."""
    return replace(plan, stages=_bare(plan.stages))


def bare_digest(plan: Plan) -> str:
    """128-bit hex digest of what the plan does, whatever lies in the files that it names and wherever they lie."""
    return digest(bare(plan))


def bare_stages(plan: Plan) -> dict[str, str]:
    """Of each stage, by its id, the digest of what it does itself."""
    return {stage.id: own(stage) for stage in bare(plan).stages}


def is_a_path(model: str) -> bool:
    """Whether a model is named by where its files lie, and by no name of its own."""
    return model[:1] in ("/", ".", "~") or model.endswith(".gguf")


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_bare(item) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for f in fields(value):
        item = getattr(value, f.name)
        if (type(value), f.name) in _PINNED:
            changed[f.name] = _nothing(item)
        elif isinstance(value, Model | GeneratedTeacher) and (f.name == "model" or item == value.model) and is_a_path(value.model):
            changed[f.name] = _SOMEWHERE  # a student without a name of its own is called by its path
        elif isinstance(item, tuple) or is_dataclass(item):
            changed[f.name] = _bare(item)
    return replace(value, **changed)


def _nothing(item: Any) -> Any:
    match item:
        case str():
            return ""
        case int():
            return 0
        case tuple():
            return tuple("" for each in item if isinstance(each, str))
        case _:
            return item

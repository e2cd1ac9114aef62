"""What a recipe is made of, pinned: content digests, versions, the plan. Data and its one form as text, `NAME.mix.lock`, sorted, a pin a line.

No path, no file's bytes, no order and no clock takes part, so that the same things give the same bytes on every machine.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .. import plan

VERSION = 1
SUFFIX = ".lock"
"""What a lock's name has behind that of its spec."""
FILE = "mix.lock"
"""The name of the lock in a build folder."""

Scalar = str | int
Pins = Mapping[str, Mapping[str, Scalar]]
"""By name what is pinned of it: field and value. Of a section of `PLAIN` each name has one field, without a name."""

PLAIN = ("params", "stages", "versions")
SECTIONS = ("params", "stages", "corpora", "heldout", "models", "scores", "skills", "profiles", "benchmarks", "decontamination", "versions")


@dataclass(frozen=True, slots=True)
class Lock:
    """`plan` is the digest of what the plan does, whatever is in the files that it names; `until`: the build stopped after stages of that kind, and what
    later ones read is not pinned. `variants`: the locks of a spec with `sweep` or `ablate`, by the name of their folder."""

    mix: str
    seed: int
    plan: str
    until: str | None = None
    sections: Mapping[str, Pins] = field(default_factory=dict)
    variants: Mapping[str, "Lock"] = field(default_factory=dict)

    def pins(self, section: str) -> Pins:
        """What is pinned in a section."""
        return self.sections.get(section, {})


class Broken(ValueError):
    """The text is no lock of this version; the message says why."""


def to_json(lock: Lock) -> str:
    """The lock as text: keys sorted, two spaces. Of a variant only what is pinned otherwise than in the recipe: null where it has no such thing."""
    return json.dumps(to_data(lock), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def to_data(lock: Lock) -> dict[str, Any]:
    """The same as dicts and scalars."""
    data = {"mixc_lock": VERSION, **_data(lock)}
    if lock.variants:
        data["variants"] = {name: _patch(_data(lock), _data(variant)) for name, variant in lock.variants.items()}
    return data


def from_json(text: str) -> Lock:
    """The lock that `to_json` wrote; Broken where it is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Broken(f"it is not JSON: {error}") from None
    if not isinstance(data, dict) or "mixc_lock" not in data:
        raise Broken("it does not say `mixc_lock`")
    if data["mixc_lock"] != VERSION:
        raise Broken(f"it is of version {data['mixc_lock']}, and this mixc reads version {VERSION}")
    if wrong := violations(data):
        raise Broken(wrong[0])
    variants = data.pop("variants", {})
    del data["mixc_lock"]
    return Lock(**_fields(data), variants={name: Lock(**_fields(_patched(data, patch))) for name, patch in sorted(variants.items())})


@cache
def schema() -> dict[str, Any]:
    """The schema of a lock as JSON Schema 2020-12."""
    return json.loads((files(plan) / "lock.json").read_text(encoding="utf-8"))


def violations(data: Any) -> list[str]:
    """What is wrong with a lock's data, each with its place; empty where it is valid."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema()).iter_errors(data)
    return [f"{error.json_path}: {error.message[:200]}" for error in sorted(errors, key=lambda e: e.json_path)]


def _data(lock: Lock) -> dict[str, Any]:
    head: dict[str, Any] = {"mix": lock.mix, "seed": lock.seed, "plan": lock.plan} | ({"until": lock.until} if lock.until else {})
    for section, pins in lock.sections.items():
        if pins:
            head[section] = {name: fields[""] if section in PLAIN else dict(fields) for name, fields in pins.items()}
    return head


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    head = {name: value for name, value in data.items() if name not in SECTIONS}
    found = {name: data[name] for name in SECTIONS if name in data}
    return head | {"sections": {name: {k: {"": v} for k, v in pins.items()} if name in PLAIN else pins for name, pins in found.items()}}


def _patch(base: Any, other: Any) -> Any:
    """What makes `other` of `base`: as a JSON Merge Patch (RFC 7396)."""
    if not isinstance(base, dict) or not isinstance(other, dict):
        return other
    gone = dict.fromkeys(base.keys() - other.keys())
    return gone | {name: _patch(base[name], value) if name in base else value for name, value in other.items() if name not in base or base[name] != value}


def _patched(base: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    kept = {name: value for name, value in (base if isinstance(base, dict) else {}).items() if name not in patch}
    return kept | {name: _patched(base.get(name) if isinstance(base, dict) else None, value) for name, value in patch.items() if value is not None}

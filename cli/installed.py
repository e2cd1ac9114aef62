"""Scorers that installed packages bring, as `check` sees them: the entry points `mixc.signatures`, plain data to signatures.

Looking through what is installed takes time, so it is done only for a spec that names a scorer which is not ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..compiler.semantics.catalogue import CHEAP, DEAR, FREE, MODERATE, Parameter, Signature
from ..compiler.semantics.inputs import UNASKED
from ..compiler.semantics.types import UNITS, Type

GROUP = "mixc.signatures"
_COSTS = {"free": FREE, "cheap": CHEAP, "moderate": MODERATE, "dear": DEAR}
_KINDS = ("student", "window", "split", "word", "number", "text", "value", "column", "unit")
_FIELDS = {"says", "parameters", "type", "unit", "cost", "version"}


def entries() -> tuple[Any, ...]:
    """What installed packages announce: looked through once for a spec, however many of its scorers are unknown."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def installed(name: str, listed: Sequence[Any]) -> Mapping[str, Signature | str | None]:
    """What is installed, by the names of the scorers: the signature of `name`, a str for what is wrong with it, None where there is none; the others are `UNASKED`."""
    found: dict[str, Signature | str | None] = {name: None}
    for entry in listed:
        if entry.name != name:
            found.setdefault(entry.name, UNASKED)
            continue
        package = f"{entry.dist.name}=={entry.dist.version}" if entry.dist else entry.value
        try:
            found[name] = signature(name, entry.load(), package)
        except Exception as fault:  # whatever a package does when it is imported
            found[name] = f"{package}: {type(fault).__name__}: {fault}" if not isinstance(fault, Odd) else f"{package}: {fault}"
    return found


class Odd(ValueError):
    """Plain data that is no signature; the message says why."""


def signature(name: str, data: Any, package: str) -> Signature:
    """A signature from plain data; Odd where it is none.

    `{"says": "…", "parameters": [{"name": "depth", "kind": "number", "default": 2}], "type": "number", "unit": "nats", "cost": "dear", "version": 1}`;
    `says`, `type` and `cost` are required. A parameter without `default` must be given; a `word` has `choices`.
    """
    if not isinstance(data, Mapping):
        raise Odd("a signature is a dict")
    if unknown := sorted(map(str, data.keys() - _FIELDS)):
        raise Odd(f"a signature has no `{unknown[0]}`")
    type_, unit, cost, version = data.get("type"), data.get("unit"), data.get("cost"), data.get("version", 1)
    if not isinstance(data.get("says"), str):
        raise Odd("`says` is a text")
    if type_ not in ("bool", "number", "text"):
        raise Odd("`type` is bool, number or text")
    if unit is not None and (type_ != "number" or unit not in UNITS):
        raise Odd(f"`unit` goes with numbers, and is one of {', '.join(UNITS)}")
    if cost not in _COSTS:
        raise Odd(f"`cost` is one of {', '.join(_COSTS)}")
    if type(version) is not int or version < 1:
        raise Odd("`version` is a whole number from 1")
    parameters = tuple(_parameter(item) for item in data.get("parameters", ()))
    return Signature(name, data["says"], parameters, Type(type_, unit), _COSTS[cost], version, package=package)


def _parameter(data: Any) -> Parameter:
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or data.get("kind") not in _KINDS:
        raise Odd(f"a parameter has a `name` and a `kind`: {', '.join(_KINDS)}")
    choices = tuple(data.get("choices", ()))
    if (data["kind"] == "word") != bool(choices):
        raise Odd(f"parameter `{data['name']}`: a word has `choices`, and nothing else has")
    default = data.get("default")
    if choices and default is not None and default not in choices:
        raise Odd(f"parameter `{data['name']}`: `default` is one of its `choices`")
    return Parameter(data["name"], data["kind"], default, choices)

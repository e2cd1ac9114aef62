"""A plan to plain data and back, driven by the types of the dataclasses, so that no field can be forgotten.

It knows no stage by name. A class that is one of several choices carries its `kind`, spans are
`{"file", "start", "end"}`, pairs of name and value are an object.
"""

import json
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..expressions import Expression
from ..source import Span
from .stages import Keep, Plan, Stage, Where

VERSION = 1

# `kind` in the data to class, and back.
KINDS: dict[str, type] = {
    cls.__name__.lower(): cls for union in (Stage, Expression, Where | Keep) for cls in get_args(union)
}
NAMES = {cls: kind for kind, cls in KINDS.items()}


class Unreadable(ValueError):
    """The data is not a plan of this version; the message says where and why."""


def to_json(plan: Plan) -> str:
    """The plan as JSON text: keys in the order of declaration, two spaces, numbers as they were written."""
    return json.dumps(to_data(plan), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_data(plan: Plan) -> dict[str, Any]:
    """The plan as dicts, lists and scalars, with the version of this form as `mixc_plan`."""
    return {"mixc_plan": VERSION, **encode(plan)}


def from_json(text: str) -> Plan:
    """The plan that `to_json` wrote; `Unreadable` where it is not one."""
    try:
        return from_data(json.loads(text))
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error}") from None


def from_data(data: Any) -> Plan:
    """The plan that `to_data` wrote; `Unreadable` where the version, a key or a type is not as expected."""
    if not isinstance(data, dict) or data.get("mixc_plan") != VERSION:
        raise Unreadable(f"not a plan of version {VERSION}")
    return _decode(Plan, {key: value for key, value in data.items() if key != "mixc_plan"}, "plan")


def encode(value: Any) -> Any:
    """Any part of a plan as plain data."""
    if isinstance(value, Span):
        return {"file": value.path, "start": value.start, "end": value.end}
    if is_dataclass(value):
        kind = {"kind": NAMES[type(value)]} if type(value) in NAMES else {}
        hints = _hints(type(value))
        return kind | {f.name: _encode_field(hints[f.name], getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def _encode_field(hint: Any, value: Any) -> Any:
    if value is not None and _pairs(hint):
        return {name: encode(item) for name, item in value}
    return encode(value)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _pairs(hint: Any) -> Any:
    """The type of the values where `hint` is `tuple[tuple[str, V], ...]`, optional or not; else None."""
    for choice in _choices(hint):
        if get_origin(choice) is tuple and get_args(choice)[-1] is Ellipsis:
            item = get_args(choice)[0]
            if get_origin(item) is tuple and len(get_args(item)) == 2 and get_args(item)[0] is str:
                return get_args(item)[1]
    return None


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _decode(hint: Any, data: Any, place: str) -> Any:
    choices = _choices(hint)
    if data is None and NoneType in choices:
        return None
    if (values := _pairs(hint)) is not None:
        if not isinstance(data, dict):
            raise Unreadable(f"{place}: an object is expected")
        return tuple((name, _decode(values, item, f"{place}.{name}")) for name, item in data.items())
    for choice in choices:
        if get_origin(choice) is tuple and isinstance(data, list):
            return tuple(_decode(get_args(choice)[0], item, f"{place}[{i}]") for i, item in enumerate(data))
    if isinstance(data, dict):
        classes = [c for c in choices if is_dataclass(c)]
        if len(classes) > 1 or (classes and classes[0] in NAMES):
            kind = data.get("kind")
            classes = [c for c in classes if isinstance(c, type) and NAMES[c] == kind]
            data = {key: value for key, value in data.items() if key != "kind"}
            if not classes:
                raise Unreadable(f"{place}: there is no kind {kind!r} here")
        if classes:
            return _decode_class(classes[0], data, place)
    elif _is_scalar(choices, data):
        return data
    raise Unreadable(f"{place}: {json.dumps(data)[:60]} is not expected here")


def _decode_class(cls: Any, data: dict[str, Any], place: str) -> Any:
    if cls is Span:
        names = {"file": "path", "start": "start", "end": "end"}
    else:
        names = {f.name: f.name for f in fields(cls)}
    if data.keys() != names.keys():
        odd = ", ".join(sorted(data.keys() ^ names.keys()))
        raise Unreadable(f"{place}: missing or unknown: {odd}")
    hints = _hints(cls)
    return cls(**{name: _decode(hints[name], data[key], f"{place}.{key}") for key, name in names.items()})


def _is_scalar(choices: tuple[Any, ...], data: Any) -> bool:
    """Whether a JSON scalar is one of the types; a whole number may stand for a float, a bool for nothing else."""
    for choice in choices:
        if data in get_args(choice):
            return True
        if choice is float and type(data) in (int, float):
            return True
        if choice in (str, int, bool) and type(data) is choice:
            return True
    return False

"""The JSON Schema that the package ships for a plan, and the check of data against it."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from .. import plan


@cache
def schema() -> dict[str, Any]:
    """The schema of a plan as JSON Schema 2020-12."""
    return json.loads((files(plan) / "schema.json").read_text(encoding="utf-8"))


def violations(data: Any) -> list[str]:
    """What is wrong with a plan's data, each with its place, in the order of the places; empty where it is valid."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema()).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in sorted(errors, key=lambda e: e.json_path)]

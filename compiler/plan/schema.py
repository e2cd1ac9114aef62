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


@cache
def report_schema() -> dict[str, Any]:
    """The schema of what `mixc plan --format json` adds to a plan."""
    return json.loads((files(plan) / "report.json").read_text(encoding="utf-8"))


def violations(data: Any, *, report: bool = False) -> list[str]:
    """What is wrong with a plan's data (of a `report`: with what `mixc plan` adds to it), each with its place, in the order of the places; empty where it is valid."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(report_schema() if report else schema()).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in sorted(errors, key=lambda e: e.json_path)]

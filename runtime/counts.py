"""Counts of tokens that took a tokenizer and a while, remembered in the store by all that they depend on."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ..compiler.diagnostics import Fault
from .figure import Figure
from .files import append_line, read_lines
from .store import fingerprint

FILE = "counts.jsonl"


def remembered(root: Path, identity: Mapping[str, object], count: Callable[[], Figure]) -> Figure:
    """The figure under `identity`, counted once; again each time where it cannot be kept."""
    key = fingerprint(identity)
    found = _read(root / FILE).get(key)
    if found is None:
        found = count()
        line = {"key": key, "value": found.value, "exact": found.exact, "error": found.error}
        with suppress(Fault):
            append_line(root / FILE, json.dumps(line, sort_keys=True))
    return found


def _read(path: Path) -> dict[str, Figure]:
    """What is remembered."""
    lines = [line for line in read_lines(path) if {"key", "value", "exact", "error"} <= line.keys()]
    return {line["key"]: Figure(value=line["value"], exact=line["exact"], error=line["error"]) for line in lines}

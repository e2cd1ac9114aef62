"""Counts of tokens that took a tokenizer and a while, remembered in the store by all that they depend on."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from .figure import Figure
from .files import append_line
from .store import fingerprint

FILE = "counts.jsonl"


def remembered(root: Path, identity: Mapping[str, object], count: Callable[[], Figure]) -> Figure:
    """The figure under `identity`, counted once. Fault MIX0508 if it cannot be kept."""
    key = fingerprint(identity)
    found = _read(root / FILE).get(key)
    if found is None:
        found = count()
        line = {"key": key, "value": found.value, "exact": found.exact, "error": found.error}
        append_line(root / FILE, json.dumps(line, sort_keys=True))
    return found


def _read(path: Path) -> dict[str, Figure]:
    """What is remembered; a line that a full disk cut short is not."""
    known: dict[str, Figure] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return known
    for line in lines:
        try:
            kept = json.loads(line)
            known[kept["key"]] = Figure(value=kept["value"], exact=kept["exact"], error=kept["error"])
        except (ValueError, TypeError, KeyError):
            continue
    return known

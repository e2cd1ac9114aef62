"""`variants.json` of a folder that holds the variants of one spec, read: what was built there. Knows nothing of building."""

import json
from pathlib import Path
from typing import Any

INDEX = "variants.json"


def read_index(root: Path) -> dict[str, dict[str, Any]]:
    """The entries of an earlier `variants.json` by name; none where there is no such file, or none that can be read."""
    try:
        listed = json.loads((root / INDEX).read_text(encoding="utf-8"))["variants"]
        return {entry["name"]: entry for entry in listed}
    except (OSError, ValueError, KeyError, TypeError):
        return {}

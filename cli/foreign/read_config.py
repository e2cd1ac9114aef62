"""The file of another trainer as a section with places: JSON by its name, else YAML."""

import json
from pathlib import Path
from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.semantics.placed_json import Placed, read_placed
from ...compiler.source import Source, Span
from ..sources import read_source
from .read_yaml import read_yaml
from .section import Section

LARGEST_JSON = 4 * 1024 * 1024


def read_config(path: str, sources: dict[str, Source]) -> Section:
    """The mapping that a file holds; its text is added to `sources`, to be shown with what is wrong in it. Fault MIX0541."""
    try:
        if Path(path).is_file() and Path(path).stat().st_size > LARGEST_JSON:
            raise _fault(path, 0, 0, f"`{path}` has more than {LARGEST_JSON:,} bytes; a configuration is smaller")
        source = read_source(path)
    except UnicodeDecodeError as error:
        raise _fault(path, 0, 0, f"`{path}` is not UTF-8 text (byte {error.start:,})") from None
    except OSError as error:
        raise _fault(path, 0, 0, f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    sources[path] = source
    placed = _json(source) if path.lower().endswith(".json") else read_yaml(source)
    return Section(source, _whole(placed), f"`{path}`")


def _json(source: Source) -> Placed:
    try:
        return read_placed(source.text)
    except json.JSONDecodeError as error:
        raise _fault(source.path, error.pos, min(error.pos + 1, len(source.text)), f"`{source.path}` is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except (RecursionError, ValueError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _fault(source.path, 0, 0, f"`{source.path}` cannot be read: {said}") from None


def _whole(placed: Placed) -> Placed:
    """The same with whole characters in its texts: both formats can write the two halves of one (`\\ud83d\\ude00`), or a half alone."""
    match placed.value:
        case str():
            value: Any = placed.value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case tuple():
            value = tuple((_whole(key), _whole(inside)) for key, inside in placed.pairs)
        case list():
            value = [_whole(each) for each in placed.value]
        case _:
            return placed
    return Placed(value, placed.start, placed.end)


def _fault(path: str, start: int, end: int, message: str) -> Fault:
    return Fault(Diagnostic("MIX0541", message, Label(Span(path, start, end), "here" if end else "")))

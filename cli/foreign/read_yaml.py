"""A YAML text as plain values with their places: what `safe_load` gives, and no more. Nothing in it is run, and what it names twice is not unfolded without end.

The only module that imports PyYAML, and of it only the safe loader.
"""

from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.semantics.placed_json import Placed
from ...compiler.source import Source, Span

LARGEST = 256 * 1024
MOST_VALUES = 20_000
DEEPEST = 40
_TAG = "tag:yaml.org,2002:"
_MADE = frozenset(_TAG + kind for kind in ("str", "int", "float", "bool", "null"))
_MERGE = _TAG + "merge"


def read_yaml(source: Source) -> Placed:
    """The value of a YAML text of one document. Fault MIX0541 for what is none, is too large, or asks for more than plain values."""
    import yaml

    if len(source.text) > LARGEST:
        raise _fault(source, 0, f"`{source.path}` has {len(source.text):,} characters; a configuration has at most {LARGEST:,}")
    loader = None
    try:
        loader = yaml.SafeLoader(source.text)
        node = loader.get_single_node()
        return Placed((), 0, 0) if node is None else _Reading(source, loader).value(node, 1)
    except yaml.reader.ReaderError as error:
        raise _fault(source, int(error.position), f"`{source.path}` is not YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" {error.context}" if error.context else ""
        raise _fault(source, mark.index if mark else 0, f"`{source.path}` is not YAML: {error.problem or 'it cannot be read'}{context}") from None
    except RecursionError:
        raise _fault(source, 0, f"`{source.path}` is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


class _Reading:
    """Counts what it gives back, so that ten aliases of ten aliases of ten aliases end."""

    def __init__(self, source: Source, loader: Any) -> None:
        self._source, self._loader = source, loader
        self._values = 0

    def value(self, node: Any, depth: int) -> Placed:
        self._values += 1
        start, end = node.start_mark.index, node.end_mark.index
        if depth > DEEPEST:
            raise _fault(self._source, start, f"`{self._source.path}` is nested more than {DEEPEST} deep")
        if self._values > MOST_VALUES:
            raise _fault(self._source, start, f"`{self._source.path}` comes to more than {MOST_VALUES:,} values", help="a configuration has dozens: see what its aliases (`*name`) unfold to")
        match node.id:
            case "mapping" if node.tag == _TAG + "map":
                return Placed(tuple(self._pairs(node, depth)), start, end)
            case "sequence" if node.tag == _TAG + "seq":
                return Placed([self.value(item, depth + 1) for item in node.value], start, end)
            case "scalar" if node.tag in _MADE:
                return Placed(self._scalar(node), start, end)
            case "scalar" if node.tag == _TAG + "timestamp":
                return Placed(node.value, start, end)
            case _:
                raise _fault(self._source, start, f"`{node.tag.replace(_TAG, '!!')}` asks for more than a plain value", help="only texts, numbers, true, false, null, lists and mappings are read")

    def _pairs(self, node: Any, depth: int) -> list[tuple[Placed, Placed]]:
        pairs: list[tuple[Placed, Placed]] = []
        merged: list[tuple[Placed, Placed]] = []
        for key, inside in node.value:
            if key.tag == _MERGE:
                value = self.value(inside, depth + 1)
                merged += [pair for each in (value.value if isinstance(value.value, list) else [value]) for pair in each.pairs]
            else:
                pairs.append((self.value(key, depth + 1), self.value(inside, depth + 1)))
        own = {key.value for key, _ in pairs if isinstance(key.value, str)}
        for pair in merged:
            if pair[0].value not in own:
                own.add(pair[0].value)
                pairs.append(pair)
        return pairs

    def _scalar(self, node: Any) -> Any:
        try:
            return self._loader.construct_object(node)
        except ValueError as error:  # a number of thousands of digits
            raise _fault(self._source, node.start_mark.index, f"`{node.value[:20]}…` cannot be read: {error}") from None


def _fault(source: Source, at: int, message: str, help: str | None = None) -> Fault:
    at = min(at, len(source.text))
    return Fault(Diagnostic("MIX0541", message, Label(Span(source.path, at, min(at + 1, len(source.text))), "here"), help=help))

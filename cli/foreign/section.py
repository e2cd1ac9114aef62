"""A mapping of a configuration, read key by key: what is not asked for is left over, so that nothing is lost unseen. Knows places, no trainer."""

import json
import re
from typing import Any

from ...compiler.diagnostics import Diagnostic, Fault, Label
from ...compiler.semantics.placed_json import Placed
from ...compiler.source import Source, Span

_SECRET = re.compile(r"(?<!eos_)(?<!bos_)(?<!pad_)(?<!unk_)token$|secret|passw|credential|(^|_)key$|api_?key", re.IGNORECASE)
"""Names of keys whose values may open something."""
_OPENS = re.compile(r"\b(hf_|sk-|gh[opsu]_)\w{6}")
"""How values begin that do."""
_HIDDEN = "(not shown)"
_SHOWN = 80


class Section:
    """The keys of a mapping. A key without a value (`null`) is a key that says nothing, and counts as not there."""

    def __init__(self, source: Source, placed: Placed, what: str) -> None:
        self.source, self.placed, self.what = source, placed, what
        if not isinstance(placed.value, tuple):
            raise self.fault("MIX0541", f"{what} is {_kind(placed.value)}, not a mapping of keys to values", placed)
        self._keys: dict[str, Placed] = {}
        self._used: set[str] = set()
        self._inside: dict[str, Section] = {}
        for key, value in placed.pairs:
            if not isinstance(key.value, str):
                raise self.fault("MIX0541", f"a key of {what} is {_kind(key.value)}, not a text", key)
            if key.value in self._keys:
                raise self.fault("MIX0541", f"`{key.value}` stands twice in {what}", key, "again here", "keep the one that is meant")
            self._keys[key.value] = value

    def __contains__(self, name: str) -> bool:
        return name in self._keys and self._keys[name].value is not None

    def take(self, name: str) -> Placed | None:
        """The value of a key, which counts as used from here on; None where it has none."""
        self._used.add(name)
        found = self._keys.get(name)
        return None if found is None or found.value is None else found

    def leave(self, name: str) -> None:
        """A key that was looked at has no counterpart after all."""
        self._used.discard(name)

    def text(self, name: str) -> str | None:
        """A text; a number or a truth value where the trainer would take it as one."""
        found = self.take(name)
        if found is None:
            return None
        if isinstance(found.value, bool | int | float):
            return str(found.value).lower() if isinstance(found.value, bool) else str(found.value)
        if not isinstance(found.value, str):
            raise self.fault("MIX0542", f"`{name}` is {_kind(found.value)}, not a text", found)
        return found.value

    def number(self, name: str) -> float | None:
        """A number, also one that YAML takes for a text (`1e-5`)."""
        found = self.take(name)
        if found is None:
            return None
        if isinstance(found.value, int | float) and not isinstance(found.value, bool):
            return found.value
        try:
            return float(found.value if isinstance(found.value, str) else "")
        except ValueError:
            raise self.fault("MIX0542", f"`{name}` is {_shown(found)}, not a number", found) from None

    def flag(self, name: str) -> bool:
        """True or false; false where it is not there. A word in place of either is left over, and true."""
        found = self.take(name)
        if found is None:
            return False
        if isinstance(found.value, bool):
            return found.value
        self.leave(name)
        return True

    def section(self, name: str) -> "Section | None":
        """A mapping inside, whose leftovers are told with these."""
        found = self.take(name)
        if found is not None and name not in self._inside:
            self._inside[name] = Section(self.source, found, f"`{name}`")
        return self._inside.get(name)

    def fault(self, code: str, message: str, place: Placed | None, label: str = "here", help: str | None = None) -> Fault:
        """A fault at a value of the file."""
        at = place or (self.placed.pairs[0][0] if self.placed.pairs else Placed(None, self.placed.start, self.placed.start))
        return Fault(Diagnostic(code, message, Label(Span(self.source.path, at.start, at.end), label), help=help))

    def left(self) -> list[str]:
        """`key: value` of what nobody asked for, in the file's order, `outer.inner` of a mapping inside; values of keys that may be secret are not shown."""
        found = []
        for name, value in self._keys.items():
            if name in self._inside and name in self._used:
                found += [f"{_visible(name)}.{each}" for each in self._inside[name].left()]
            elif name not in self._used and value.value is not None:
                found.append(f"{_visible(name)}: {_HIDDEN if _SECRET.search(name) else _shown(value)}")
        return found


def plain(placed: Placed) -> Any:
    """The value without places."""
    if isinstance(placed.value, tuple):
        return {str(key.value): plain(value) for key, value in placed.pairs}
    return [plain(item) for item in placed.value] if isinstance(placed.value, list) else placed.value


def _hidden(value: Any) -> Any:
    """The same without what may be secret in it."""
    if isinstance(value, dict):
        return {key: _HIDDEN if _SECRET.search(key) else _hidden(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return _HIDDEN if isinstance(value, str) and _OPENS.search(value) else value


def _shown(placed: Placed) -> str:
    return _visible(json.dumps(_hidden(plain(placed)), ensure_ascii=False, default=str))


def _visible(text: str) -> str:
    """On one line, and no longer than people read."""
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _kind(value: Any) -> str:
    kinds = {tuple: "a mapping", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}
    return kinds.get(type(value), "one value")

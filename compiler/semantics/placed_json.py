"""JSON with the place of every value in its text, for files whose faults are told at their line. It knows JSON, nothing of what stands in it."""

import json
import re
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Placed:
    """A value and the code points `start` to `end` of it. An object is a tuple of its keys and their values, in order and with those that stand
    twice; a list is a list of values."""

    value: Any
    start: int
    end: int

    @property
    def pairs(self) -> tuple[tuple["Placed", "Placed"], ...]:
        """The keys and values of an object; none of anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def get(self, key: str) -> "Placed | None":
        """The first value of that key."""
        return next((value for name, value in self.pairs if name.value == key), None)


def read_placed(text: str) -> Placed:
    """The value of a JSON text. json.JSONDecodeError for what is none, RecursionError for one that is nested too deeply."""
    json.loads(text)  # says what is wrong, and where; from here on the text is JSON
    return _value(text, _past(text, 0))


def _past(text: str, at: int) -> int:
    """Behind white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> Placed:
    match text[at]:
        case "{":
            return _object(text, at)
        case "[":
            return _list(text, at)
        case _:
            return _scalar(text, at)


def _scalar(text: str, at: int) -> Placed:
    """A text, a number, true, false or null."""
    value, end = _DECODER.raw_decode(text, at)
    return Placed(value, at, end)


def _object(text: str, start: int) -> Placed:
    pairs = []
    at = _past(text, start + 1)
    while text[at] != "}":
        key = _scalar(text, at)
        value = _value(text, _past(text, _past(text, key.end) + 1))
        pairs.append((key, value))
        at = _past(text, value.end)
        at = _past(text, at + 1) if text[at] == "," else at
    return Placed(tuple(pairs), start, at + 1)


def _list(text: str, start: int) -> Placed:
    values = []
    at = _past(text, start + 1)
    while text[at] != "]":
        values.append(_value(text, at))
        at = _past(text, values[-1].end)
        at = _past(text, at + 1) if text[at] == "," else at
    return Placed(values, start, at + 1)

"""Settings as YAML text that YAML 1.1 and 1.2 read alike, comments above them. Writes only; knows no trainer."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from .lesson import Setting

WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))


def yaml_text(head: Sequence[str], settings: Iterable[Setting]) -> str:
    """The file: `head` as comments, then each setting under its own comment."""
    lines = [line for said in head for line in _comment(said)]
    for setting in settings:
        if setting.group:
            lines += ["", *_comment(setting.group)]
        lines += _comment(setting.why) if setting.why else []
        lines += _entry(setting.key, setting.value, 0)
    return "".join(f"{line}\n" for line in lines)


def scalar(value: str | int | float | bool | None) -> str:
    """One value on one line. A text is quoted wherever some reader might take it for something else."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            mantissa, e, exponent = repr(value).partition("e")
            return f"{mantissa}.0{e}{exponent}" if e and "." not in mantissa else repr(value)  # `1e-05` is a text to YAML 1.1
        case _:
            return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)


def _quoted(text: str) -> str:
    """In double quotes, with the escapes that JSON and YAML share; what cannot be seen is escaped."""
    return "".join(char if char.isprintable() else _escaped(char) for char in json.dumps(text, ensure_ascii=False))


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def _comment(said: str) -> Iterator[str]:
    """A bullet goes on under its own text; an empty text is an empty comment."""
    said = "".join(char if char.isprintable() else " " for char in said)
    further = "  " if said.startswith("* ") else ""
    yield from (f"# {line}" for line in wrap(said, WIDTH - 2, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)) if said else ("#",)


def _entry(key: str, value: Any, depth: int) -> Iterator[str]:
    margin = "  " * depth
    match value:
        case dict() if value:
            yield f"{margin}{scalar(key)}:"
            for name, inside in value.items():
                yield from _entry(name, inside, depth + 1)
        case [dict(), *_]:
            yield f"{margin}{scalar(key)}:"
            for item in value:
                first, *rest = (line for name, inside in item.items() for line in _entry(name, inside, depth + 2))
                yield f"{margin}  - {first.lstrip()}"
                yield from rest
        case list():
            yield f"{margin}{scalar(key)}: [{', '.join(map(scalar, value))}]"
        case dict():
            yield f"{margin}{scalar(key)}: {{}}"
        case _:
            yield f"{margin}{scalar(key)}: {scalar(value)}"

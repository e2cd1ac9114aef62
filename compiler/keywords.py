"""A pattern of a file of keywords as a regular expression. Pure text; knows nothing of skills, prompts or files."""

import re
from collections.abc import Sequence

_SPACE = re.compile(r"[^\S\x1c-\x1f]+")  # white space as Rust has it
_SPECIAL = frozenset("\\.+?()|[]{}^$#&-~*/")


def between_slashes(pattern: str) -> str | None:
    """What stands in `/…/`, a regular expression as it is written; None for a word or a phrase."""
    return pattern[1:-1] if len(pattern) > 2 and pattern[0] == pattern[-1] == "/" else None


def expression(pattern: str) -> str:
    """The pattern in the syntax of Rust's regex crate.

    `/…/` is itself. Anything else is a word or a phrase: in any case, with any white space where it has some, from one edge of a word to
    another; a `*` stands for the rest of a word. An end that is no letter, digit or underscore (`%`) needs no edge there, and a command
    of TeX may be followed by a digit or an underscore (`\\int_0`).
    """
    written = between_slashes(pattern)
    if written is not None:
        return f"(?:{written})"
    words = [word for word in _SPACE.split(pattern) if word]
    text = r"\s+".join("".join(map(_literal, word)) for word in words)
    start = r"\b{start-half}" if _of_a_word(words[0][0]) else ""
    end = r"\b{end-half}" if _of_a_word(words[-1][-1]) else ""
    if end and words[-1].startswith("\\"):
        end = rf"(?:{end}|[_0-9])"
    return f"(?i:{start}{text}{end})"


def either(patterns: Sequence[str]) -> str:
    """One regular expression that finds what any of the patterns does."""
    return "|".join(map(expression, patterns))


def _literal(character: str) -> str:
    if character == "*":
        return r"\w*"
    return f"\\{character}" if character in _SPECIAL else character


def _of_a_word(character: str) -> bool:
    return character.isalpha() or character.isdecimal() or character in "_*"

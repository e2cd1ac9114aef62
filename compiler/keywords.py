"""A pattern of a file of keywords as a regular expression. Pure text; knows nothing of skills, prompts or files."""

from collections.abc import Sequence

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
    text = r"\s+".join("".join(map(_literal, word)) for word in pattern.split())
    first, last = pattern.strip()[:1], pattern.strip()[-1:]
    end = _edge(last)
    if end and pattern.split()[-1].startswith("\\"):
        end = rf"(?:{end}|[_0-9])"
    return f"(?i:{_edge(first)}{text}{end})"


def either(patterns: Sequence[str]) -> str:
    """One regular expression that finds what any of the patterns does."""
    return "|".join(map(expression, patterns))


def _literal(character: str) -> str:
    if character == "*":
        return r"\w*"
    return f"\\{character}" if character in _SPECIAL else character


def _edge(character: str) -> str:
    return r"\b" if character.isalnum() or character in "_*" else ""

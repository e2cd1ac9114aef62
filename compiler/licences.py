"""Names of licences. They are compared as they are written; this tells which two are one name in two spellings. It knows no law."""

import re
from collections.abc import Iterable

_WORDS = re.compile(r"\b(?:the|licen[cs]ed?|version)\b|\bv(?=\d)")
_SIGNS = re.compile(r"[^a-z0-9+]+")


def respelt(name: str, known: Iterable[str]) -> str | None:
    """The name of `known` that is `name` but for case, spaces, signs and words such as `license`; None where there is none, or `name` is among them.

    `apache 2.0` and `Apache License, Version 2.0` are `Apache-2.0`; `GPL-2.0` is not `GPL-3.0`, nor `CC-BY-4.0` the same as `CC-BY-NC-4.0`.
    """
    names = tuple(known)
    if name in names:
        return None
    plain = _plain(name)
    return next((other for other in names if plain and _plain(other) == plain), None)


def _plain(name: str) -> str:
    return _SIGNS.sub("", _WORDS.sub(" ", name.casefold()))

"""Whether two file patterns can mean the same file. Pure text: `*` and `?` within a name, `**` over folders, `[...]` as any one character."""

import re
from collections.abc import Callable
from functools import cache

_LONGEST = 400
"""Characters; no file system takes names much longer, and time grows with the square."""
_WILD = re.compile(r"[*?\[]")


def overlap(a: str, b: str) -> bool:
    """Whether some path matches both."""
    if _folders(a) == _folders(b):
        return True
    if max(len(a), len(b)) > _LONGEST or not (_WILD.search(a) or _WILD.search(b)):
        return False
    return _meet(tuple(_folders(a)), tuple(_folders(b)), _names_meet, "**")


def _folders(pattern: str) -> list[str]:
    return [name for i, name in enumerate(pattern.split("/")) if name or not i]


def _names_meet(a: str, b: str) -> bool:
    return _meet(tuple(_letters(a)), tuple(_letters(b)), lambda x, y: "?" in (x, y) or x == y, "*")


def _letters(name: str) -> list[str]:
    return ["?" if part.startswith("[") else part for part in re.findall(r"\[!?\]?[^\]]*\]|.", name)]


def _meet(a: tuple[str, ...], b: tuple[str, ...], same: Callable[[str, str], bool], many: str) -> bool:
    """Whether two sequences of parts can be the same one; `same`: whether two parts can; `many` stands for any number of them."""

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(a) and j == len(b):
            return True
        if i < len(a) and a[i] == many:
            return meet(i + 1, j) or (j < len(b) and meet(i, j + 1))
        if j < len(b) and b[j] == many:
            return meet(i, j + 1) or (i < len(a) and meet(i + 1, j))
        return i < len(a) and j < len(b) and same(a[i], b[j]) and meet(i + 1, j + 1)

    return meet(0, 0)

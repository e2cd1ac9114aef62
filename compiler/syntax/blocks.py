"""Which keywords may begin a line where: read off the parse table, so that the grammar stays the only place that says it."""

from functools import cache

from .automaton import load
from .tokens import Token

FILE = ""
"""The kind of what is outside every block."""

HEADS: dict[str, tuple[str, ...]] = {
    "mix": ("mix", "STRING"),
    "student": ("student", "NAME"),
    "corpus": ("corpus", "NAME"),
    "generate": ("teacher", "NAME", "generate"),
    "skills": ("skills", "NAME"),
    "profile": ("profile", "NAME"),
    "select": ("select",),
    "train": ("train", "NAME"),
    "evaluate": ("evaluate",),
    "test": ("test", "STRING"),
}
"""The terminals before `{`, for each kind of block."""


@cache
def keywords(kind: str) -> frozenset[str]:
    """What may begin a line in a block of this kind, or a declaration."""
    table = load()
    before = (*HEADS[kind], "{") if kind else ()
    return table.accepted(table.after(before)) & table.words


@cache
def homes(keyword: str) -> tuple[str, ...]:
    """The kinds of block in which a line may begin with this keyword."""
    return tuple(kind for kind in HEADS if keyword in keywords(kind))


def kind_of(line: list[Token]) -> str | None:
    """The kind of block that a line opens, judged by its words; None where it opens none."""
    if not line:
        return None
    if line[0].kind == "teacher":
        return "generate" if any(token.kind == "generate" for token in line[1:]) else None
    return line[0].kind if line[0].kind in HEADS else None


def title(kind: str) -> str:
    """A kind of block as the user writes it."""
    return "teacher … generate" if kind == "generate" else kind


def listing(words: frozenset[str] | tuple[str, ...]) -> str:
    """Words for a sentence: `a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in sorted(words)]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"

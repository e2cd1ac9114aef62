"""The call around a cursor: its arguments, and which of them is being written."""

from dataclasses import dataclass

from ..semantics.catalogue import SCORERS, Parameter
from ..semantics.words import in_words
from .cursor import cursor
from .project import Project
from .slots import call_around
from .words import CHOICES

KINDS = {
    "student": "a declared student",
    "window": "the steps before that are seen: `4 steps`, or `15%` of them",
    "value": "`reference`, or a column",
    "column": "a column of the corpus",
    "unit": "the unit of its numbers",
    "number": "a number",
    "text": "a text",
}
"""What a parameter of a kind takes."""


@dataclass(frozen=True, slots=True)
class Written:
    """An argument as the signature writes it, and what it takes."""

    label: str
    story: str


@dataclass(frozen=True, slots=True)
class Usage:
    """A scorer's signature; `active` is the index of the argument under the cursor."""

    label: str
    story: str
    arguments: tuple[Written, ...]
    active: int


def usage(project: Project, offset: int) -> Usage | None:
    """The scorer whose brackets the cursor stands in; None outside of any."""
    at = cursor(project.source, offset)
    call = call_around(at.words)
    if call is None or call[1] not in SCORERS:
        return None
    signature = SCORERS[call[1]]
    inner = at.words[call[0] + 1 :]
    arguments = tuple(Written(p.name + written(p), takes(p)) for p in signature.parameters)
    named = next((inner[i - 1] for i in range(len(inner) - 1, 0, -1) if inner[i] == ":" and "," not in inner[i:]), None)
    names = [p.name for p in signature.parameters]
    active = names.index(named) if named in names else inner.count(",")
    label = f"{signature.name}({', '.join(a.label for a in arguments)})"
    return Usage(label, f"{in_words(signature.type)}: {signature.says}", arguments, min(active, len(arguments)))


def written(parameter: Parameter) -> str:
    """A default as a signature writes it; nothing where there is none."""
    return f": {parameter.default}" if parameter.default not in (None, "") else ""


def takes(parameter: Parameter) -> str:
    """What may be given, in Markdown."""
    if parameter.choices:
        return ", ".join(f"`{c}`" for c in parameter.choices) + "".join(f"\n\n`{c}`: {CHOICES[c]}" for c in parameter.choices if c in CHOICES)
    return KINDS.get(parameter.kind, "a value")

"""What the compiler is told of the outside, as values: nothing below this line opens a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .catalogue import Signature

UNASKED = ""
"""A scorer that a package announces and that was not looked at."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """`texts`: extended specs, trees and profiles by path, None where unreadable. `columns`: by scan pattern, column to type
    (text number bool list opaque other); a str is what is wrong with the file; None: it cannot be looked at now. `present`: paths and
    patterns that were looked for, and whether anything is there. `overrides`: `--set` values, as written. `scorers`: those of installed packages by name,
    asked for where a spec names one that is not ours: the signature, a str for what is wrong with it (or UNASKED), None where there is none.
    """

    texts: Mapping[str, str | None] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str] | str | None] = field(default_factory=dict)
    present: Mapping[str, bool] = field(default_factory=dict)
    overrides: tuple[tuple[str, str], ...] = ()
    scorers: Mapping[str, Signature | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that the compiler must know: kind is `text`, `columns`, `present` or `scorer` (whose path is its name); `of`: `corpus`, `model` or
    `benchmark` where a test never opens it.
    """

    kind: str
    path: str
    of: str = ""

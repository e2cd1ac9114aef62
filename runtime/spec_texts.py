"""The texts that a build was made of, and what the compiler said of them: as values, as `sources.json`, and as the manifest's `diagnostics`.

Paths are relative to the folder of the spec, with `/`: the same on another machine.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..compiler.diagnostics import Diagnostic, Label
from ..compiler.source import Source

SOURCES = "sources.json"


def _no(diagnostic: Diagnostic) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SpecTexts:
    """`sources`: the spec, then what it extends. `warnings`: what compiling said. `allows`: whether a comment of the spec silences a lint that a run finds."""

    sources: tuple[Source, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    allows: Callable[[Diagnostic], bool] = _no

    def named(self, path: str) -> str:
        """A path as it stands in the files: relative to the folder of the spec."""
        home = os.path.dirname(os.path.abspath(self.sources[0].path)) if self.sources else os.getcwd()  # noqa: PTH100, PTH109, PTH120 - no link is followed
        return PurePath(os.path.relpath(os.path.abspath(path), home)).as_posix()  # noqa: PTH100

    def to_json(self) -> bytes:
        """`sources.json`: the path and text of each source, the spec first."""
        data = [{"path": self.named(source.path), "text": source.text} for source in self.sources]
        return json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n"

    def diagnostics(self, found: Iterable[Diagnostic] = ()) -> list[dict[str, Any]]:
        """The warnings and what else a run `found` that no comment allows, each once, as the manifest has them. Places are code points of the texts."""
        told = dict.fromkeys([*self.warnings, *(each for each in found if not self.allows(each))])
        return [self._one(each) for each in told]

    def _one(self, each: Diagnostic) -> dict[str, Any]:
        return {
            "code": each.code, "severity": each.severity.value, "message": each.message,
            "place": None if each.primary is None else self._place(each.primary),
            "labels": [self._place(label) for label in each.secondary], "notes": list(each.notes), "help": each.help,
        }  # fmt: skip

    def _place(self, label: Label) -> dict[str, Any]:
        return {"path": self.named(label.span.path), "start": label.span.start, "end": label.span.end, "text": label.text}


def read_sources(data: Any) -> tuple[Source, ...]:
    """The sources in a `sources.json`. ValueError where it is none."""
    try:
        return tuple(Source(str(each["path"]), str(each["text"])) for each in data)
    except (KeyError, TypeError):
        raise ValueError("`sources.json` is no list of paths and texts") from None


def source_of(path: str, sources: Mapping[str, Source]) -> Source | None:
    """The source that a place of the plan means. A plan names a file as the user did, from where they stood, a source from the folder of its spec:
    one path ends as the other does. None where none does, or several."""
    parts = PurePath(os.path.normpath(path)).parts
    ends = [source for name, source in sources.items() if parts[-len(own := _downward(name)) :] == own]
    longest = max((len(_downward(source.path)) for source in ends), default=0)
    best = [source for source in ends if len(_downward(source.path)) == longest]
    return best[0] if len(best) == 1 else None


def _downward(name: str) -> tuple[str, ...]:
    return tuple(part for part in PurePath(name).parts if part != "..")

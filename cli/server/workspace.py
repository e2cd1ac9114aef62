"""The open texts and what is known beside them: buffers before the disk, and nothing read twice that did not change.

Knows no protocol: paths and offsets only.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...compiler.diagnostics import Fault
from ...compiler.ide.project import Chain, Project, chain, parent
from ...compiler.semantics.inputs import Inputs, Wanted
from ...compiler.source import Source
from ..columns import read_columns
from ..inputs import look_up
from ..sources import read_source

MOST_FILES = 2000
"""Specs of a folder that are looked at for who extends whom."""
_SKIPPED = {"node_modules", "__pycache__", "build", "dist", "site-packages"}

Stamp = tuple[int, int]
"""When a file was last changed, and its size."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A text that is open: what stands in the editor holds, whatever the disk says."""

    source: Source
    uri: str
    version: int | None


@dataclass(slots=True)
class Workspace:
    """State of a session. `generation` grows with every change that an answer may depend on."""

    folders: tuple[str, ...] = ()
    overrides: Sequence[str] = ()
    generation: int = 0
    buffers: dict[str, Buffer] = field(default_factory=dict)
    projects: dict[str, tuple[int, Project]] = field(default_factory=dict)
    chained: tuple[int, tuple[Chain, ...]] = (-1, ())
    texts: dict[str, tuple[Stamp, Source]] = field(default_factory=dict)
    columns: dict[str, tuple[Stamp, dict[str, str] | str | None]] = field(default_factory=dict)
    wants: dict[str, tuple[Wanted, ...]] = field(default_factory=dict)
    """What each spec wanted to know when it was last looked at: mostly what it wants next."""

    def put(self, path: str, text: str, uri: str, version: int | None) -> None:
        """A text was opened, or changed."""
        self.buffers[path] = Buffer(Source(path, text), uri, version)
        self.changed()

    def drop(self, path: str) -> None:
        """A text was closed: the disk holds again."""
        self.buffers.pop(path, None)
        self.projects.pop(path, None)
        self.changed()

    def changed(self) -> None:
        """Something that answers depend on is not what it was."""
        self.generation += 1

    def read(self, path: str) -> Source:
        """The text at a path. OSError or UnicodeDecodeError where there is none."""
        if path in self.buffers:
            return self.buffers[path].source
        stamp = _stamp(path)
        if path not in self.texts or self.texts[path][0] != stamp:
            self.texts[path] = (stamp, read_source(path))
        return self.texts[path][1]

    def text(self, path: str) -> str | None:
        """The text at a path; None where there is none."""
        try:
            return self.read(path).text
        except (OSError, ValueError):
            return None

    def project(self, path: str) -> Project:
        """The spec at a path with all that is known of it, looked at anew only if something changed."""
        known = self.projects.get(path)
        if known is not None and known[0] == self.generation:
            return known[1]
        project = self._looked_up(self.read(path))
        self.projects[path] = (self.generation, project)
        return project

    def chains(self) -> tuple[Chain, ...]:
        """Every spec of the folders, and every open one, with the specs that it extends."""
        if self.chained[0] != self.generation:
            paths = dict.fromkeys((*self.buffers, *self._specs()))
            texts = ((path, self.text(path)) for path in paths)
            sources = (Source(path, text) for path, text in texts if text is not None and (path in self.buffers or "extends" in text))
            self.chained = (self.generation, tuple(chain(source, self.text) for source in sources))
        return self.chained[1]

    def above(self, path: str) -> frozenset[str]:
        """The specs that the one at `path` extends."""
        found: list[str] = []
        text = self.text(path)
        while text is not None and (above := parent(Source(path, text))) and above not in found:
            found.append(above)
            path, text = above, self.text(above)
        return frozenset(found)

    def _looked_up(self, source: Source) -> Project:
        try:
            return Project(source, self._inputs(source, self.overrides))
        except Fault as fault:
            return Project(source, self._inputs(source, ()), fault.diagnostics)

    def _inputs(self, source: Source, overrides: Sequence[str]) -> Inputs:
        inputs = look_up(source, overrides, self.read, self._columns, self.wants.get(source.path, ()))
        known = (("text", inputs.texts), ("columns", inputs.columns), ("present", inputs.present))
        self.wants[source.path] = tuple(Wanted(kind, path) for kind, paths in known for path in paths)
        return inputs

    def _columns(self, path: str) -> dict[str, str] | str | None:
        try:
            stamp = _stamp(path)
        except OSError:
            return read_columns(path)
        if path not in self.columns or self.columns[path][0] != stamp:
            self.columns[path] = (stamp, read_columns(path))
        return self.columns[path][1]

    def _specs(self) -> list[str]:
        """The `.mix` files of the folders; without one, those that lie beside the open texts."""
        found: list[str] = []
        for top in self.folders or sorted({os.path.dirname(path) for path in self.buffers}):  # noqa: PTH120 - paths of no file, too
            for folder, below, names in os.walk(top):
                below[:] = [] if not self.folders else [d for d in sorted(below) if d not in _SKIPPED and not d.startswith(".")]
                found += [f"{folder.replace(os.sep, '/')}/{name}" for name in sorted(names) if name.endswith(".mix")]
                if len(found) >= MOST_FILES:
                    return found[:MOST_FILES]
        return found


def _stamp(path: str) -> Stamp:
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size

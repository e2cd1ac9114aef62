"""Applies the edits that diagnostics carry to the specs that were named, and keeps only what leaves them better.

It works on texts in memory and writes each file once, at the end; what an edit means was settled where it was made.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Edit, Fault, Severity
from ..compiler.source import Source
from .inputs import Checked, check_files
from .sources import read_source

ROUNDS = 20
BOM = b"\xef\xbb\xbf"

Texts = dict[str, str]
"""By real path, the text of a file as it is to be."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """`left` is what checking gives after the fixes; each of `done` lies in the text of its round, which stands beside it."""

    left: Checked
    done: tuple[tuple[Diagnostic, Mapping[str, Source]], ...]
    unnamed: tuple[str, ...]
    """Files that fixes would change and that were not named."""


def fix(paths: Sequence[str], overrides: Sequence[str]) -> Fixed:
    """Apply what can be applied, round after round, and write the files. Fault MIX0508 where one cannot be written."""
    work = _Work(paths, overrides, frozenset(os.path.realpath(path) for path in paths))
    found = work.check(work.texts)
    for _ in range(ROUNDS):
        better = work.round(found)
        if better is None:
            break
        found = better
    for path, text in work.texts.items():
        _write(Path(path), text)
    unnamed = dict.fromkeys(e.span.path for d in found.diagnostics for e in d.edits if not work.is_named(e))
    return Fixed(found, tuple(work.done), tuple(unnamed))


@dataclass(slots=True)
class _Work:
    paths: Sequence[str]
    overrides: Sequence[str]
    named: frozenset[str]
    texts: Texts = field(default_factory=dict)
    done: list[tuple[Diagnostic, Mapping[str, Source]]] = field(default_factory=list)

    def check(self, texts: Texts) -> Checked:
        def read(path: str) -> Source:
            text = texts.get(os.path.realpath(path))
            return read_source(path) if text is None else Source(path, text)

        return check_files(self.paths, self.overrides, read)

    def is_named(self, edit: Edit) -> bool:
        return os.path.realpath(edit.span.path) in self.named

    def round(self, found: Checked) -> Checked | None:
        """What checking gives after one more round of fixes; None where nothing more applies."""
        fixable = [d for d in found.diagnostics if d.edits and all(map(self.is_named, d.edits))]
        if not fixable:
            return None
        if (together := self._try(_apart(fixable), found)) is not None:
            return together
        for diagnostic in fixable:  # one of them does harm: each alone, the first that does none
            if (alone := self._try([diagnostic], found)) is not None:
                return alone
        return None

    def _try(self, chosen: Sequence[Diagnostic], found: Checked) -> Checked | None:
        trial = dict(self.texts)
        for path in dict.fromkeys(os.path.realpath(e.span.path) for d in chosen for e in d.edits):
            edits = [e for d in chosen for e in d.edits if os.path.realpath(e.span.path) == path]
            trial[path] = apply(found.sources[edits[0].span.path].text, edits)
        after = self.check(trial)
        if is_worse(chosen, found.diagnostics, after.diagnostics):
            return None
        self.texts = trial
        self.done += [(d, found.sources) for d in chosen]
        return after


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap; line ends in them become those of the text."""
    first = text.find("\n")
    ending = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end), reverse=True):
        start, end = edit.span.start, edit.span.end
        if not edit.text:
            start, end = _whole_lines(text, start, end)
        text = text[:start] + edit.text.replace("\n", ending) + text[end:]
    return text


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """A place that fills its lines, spaces apart, with the line end behind it: what is removed leaves no empty line."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    fills = last >= 0 and not (text[first:start] + text[end:last]).strip()
    return (first, last + 1) if fills else (start, end)


def is_worse(chosen: Iterable[Diagnostic], before: Iterable[Diagnostic], after: Iterable[Diagnostic]) -> bool:
    """Whether a fixed fault is still there, or there is a new error of a lower band than one that was fixed."""
    found, left = tuple(before), tuple(after)
    fixed = Counter((d.code, d.message) for d in chosen)
    was, now = (Counter((d.code, d.message) for d in told) for told in (found, left))
    if any(now[what] > was[what] - n for what, n in fixed.items()):
        return True
    highest = max(code[:5] for code, _ in fixed)
    bands_was, bands_now = (Counter(d.code[:5] for d in told if d.severity is Severity.ERROR) for told in (found, left))
    return any(n > bands_was[band] and band < highest for band, n in bands_now.items())


def _apart(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those whose edits neither overlap nor touch those of one before them: each with all of its edits, or not at all."""
    chosen: list[Diagnostic] = []
    taken: list[tuple[str, int, int]] = []
    for diagnostic in diagnostics:
        places = [(os.path.realpath(e.span.path), e.span.start, e.span.end) for e in diagnostic.edits]
        if any(a == p and low <= end and start <= high for p, low, high in places for a, start, end in taken):
            continue
        taken += places
        chosen.append(diagnostic)
    return chosen


def _write(path: Path, text: str) -> None:
    """Put a text in place of a file's, whole or not at all; byte-order mark and permissions stay."""
    from ..runtime.files import replace_atomic

    old = path.read_bytes()
    data = (BOM if old.startswith(BOM) else b"") + text.encode("utf-8")
    if data == old:
        return
    if not os.access(path, os.W_OK):
        raise Fault(Diagnostic("MIX0508", f"`{path}` may not be written", help="give yourself permission to write it"))
    mode = path.stat().st_mode

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)
        temporary.chmod(mode & 0o7777)

    replace_atomic(path, write)

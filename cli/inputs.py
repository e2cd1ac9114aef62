"""Looks up what the compiler wants to know of the outside: texts, columns, whether files are there. The only place where `check` touches the disk."""

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.driver import Outcome, compile, wanted
from ..compiler.semantics.catalogue import Signature
from ..compiler.semantics.inputs import Inputs, Wanted
from ..compiler.source import Source
from .columns import read_columns
from .installed import entries, installed
from .sources import Read, read_source, source_at, sources_of

ReadColumns = Callable[[str], dict[str, str] | str | None]
"""How the columns of a data file are had; `columns.read_columns` says what the answers mean."""


def compile_file(path: str, overrides: Sequence[str] = (), read: Read = read_source, *, for_tests: bool = False) -> Outcome:
    """Compile the spec at `path` with `--set` values (`NAME=VALUE`). Fault MIX0208 if it cannot be read."""
    return compile_source(source_at(path, read), overrides, read, for_tests=for_tests)


def compile_source(source: Source, overrides: Sequence[str] = (), read: Read = read_source, *, for_tests: bool = False) -> Outcome:
    """Compile a text; what it refers to is looked up beside its path: texts through `read`, data files on the disk."""
    return compile(source, look_up(source, overrides, read, for_tests=for_tests))


def look_up(
    source: Source,
    overrides: Sequence[str] = (),
    read: Read = read_source,
    columns_of: ReadColumns = read_columns,
    expected: Iterable[Wanted] = (),
    *,
    for_tests: bool = False,
) -> Inputs:
    """What compiling a text needs to know of the outside. Fault MIX0206 for a `--set` that is not NAME=VALUE.

    `expected` is looked up at once, which saves asking the compiler for it. `for_tests`: only the spec's tests will run, so the corpora,
    models and benchmarks that they never open may be missing.
    """
    texts: dict[str, str | None] = {}
    columns: dict[str, dict[str, str] | str | None] = {}
    present: dict[str, bool] = {}
    scorers: dict[str, Signature | str | None] = {}
    inputs = Inputs(texts, columns, present, tuple(_setting(text) for text in overrides), scorers)
    announced = None
    missing = tuple(expected) or wanted(source, inputs)
    while missing:
        for want in missing:
            match want.kind:
                case "scorer":
                    announced = entries() if announced is None else announced
                    found = installed(want.path, announced)
                    scorers |= {name: each for name, each in found.items() if name == want.path or name not in scorers}
                case "text":
                    texts[want.path] = _text(want.path, read)
                case "present":
                    present[want.path] = bool(for_tests and want.of) or bool(_files(want.path))
                case _:
                    files = _files(want.path)
                    columns[want.path] = columns_of(files[0]) if files else None
        missing = wanted(source, inputs)
    return inputs


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking some specs gave: every diagnostic once, the texts that they point into, by path, and the lints that comments allow."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]
    silenced: tuple[Diagnostic, ...] = ()


def check_files(paths: Sequence[str], overrides: Sequence[str] = (), read: Read = read_source) -> Checked:
    """Compile each spec for what there is to say of it; one that cannot be read is one more diagnostic."""
    found: dict[Diagnostic, None] = {}
    silenced: dict[Diagnostic, None] = {}
    sources: dict[str, Source] = {}
    for path in paths:
        try:
            outcome = compile_file(path, overrides, read)
        except Fault as fault:
            found |= dict.fromkeys(fault.diagnostics)
            continue
        found |= dict.fromkeys(outcome.notes)
        silenced |= dict.fromkeys(outcome.silenced)
        sources.update({s.path: s for s in outcome.sources})
    return Checked(tuple(found), sources_of((*found, *silenced), sources), tuple(silenced))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise Fault(Diagnostic("MIX0206", f"`--set {text}` is not NAME=VALUE", help="write `--set window=8`"))
    return name, value


def _text(path: str, read: Read) -> str | None:
    try:
        return read(path).text
    except (OSError, UnicodeDecodeError):
        return None


def _files(pattern: str) -> list[str]:
    try:
        if Path(pattern).exists():
            return [pattern]
    except (OSError, ValueError):  # a name that no file system takes
        return []
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern

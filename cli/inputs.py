"""Looks up what the compiler wants to know of the outside: texts, columns, whether files are there. The only place where `check` touches the disk."""

import glob
from collections.abc import Mapping, Sequence
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


def compile_file(path: str, overrides: Sequence[str] = (), read: Read = read_source, *, for_tests: bool = False) -> Outcome:
    """Compile the spec at `path` with `--set` values (`NAME=VALUE`). Fault MIX0208 if it cannot be read."""
    return compile_source(source_at(path, read), overrides, read, for_tests=for_tests)


def compile_source(source: Source, overrides: Sequence[str] = (), read: Read = read_source, *, for_tests: bool = False) -> Outcome:
    """Compile a text; what it refers to is looked up beside its path: texts through `read`, data files on the disk.

    `for_tests`: only its tests will run, so the corpora, models and benchmarks that they never open may be missing.
    """
    texts: dict[str, str | None] = {}
    columns: dict[str, dict[str, str] | str | None] = {}
    present: dict[str, bool] = {}
    settings = tuple(_setting(text) for text in overrides)
    scorers: dict[str, Signature | str | None] = {}
    inputs = Inputs(texts, columns, present, settings, scorers)
    announced = None
    while missing := wanted(source, inputs):
        for want in missing:
            if want.kind == "scorer":
                announced = entries() if announced is None else announced
                scorers.update(installed(want.path, announced))
                continue
            _answer(want, texts, columns, present, read)
            if for_tests and want.of and want.kind == "present":
                present[want.path] = True
    return compile(source, inputs)


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


def _answer(want: Wanted, texts: dict, columns: dict, present: dict, read: Read) -> None:
    match want.kind:
        case "text":
            try:
                texts[want.path] = read(want.path).text
            except (OSError, UnicodeDecodeError):
                texts[want.path] = None
        case "present":
            present[want.path] = bool(_files(want.path))
        case _:
            found = _files(want.path)
            columns[want.path] = read_columns(found[0]) if found else None


def _files(pattern: str) -> list[str]:
    try:
        if Path(pattern).exists():
            return [pattern]
    except (OSError, ValueError):  # a name that no file system takes
        return []
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern

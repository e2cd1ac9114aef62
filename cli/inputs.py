"""Looks up what the compiler wants to know of the outside: texts, columns, whether files are there. The only place where `check` touches the disk."""

import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.driver import Outcome, compile, wanted
from ..compiler.semantics.inputs import Inputs, Wanted
from ..compiler.source import Source
from .columns import read_columns
from .sources import read_source, sources_of

Read = Callable[[str], Source]
"""How the text at a path is had: from the disk, from a revision in git, from an editor's buffer. Raises OSError or UnicodeDecodeError."""


def compile_file(path: str, overrides: Sequence[str] = (), read: Read = read_source) -> Outcome:
    """Compile the spec at `path` with `--set` values (`NAME=VALUE`). Fault MIX0208 if it cannot be read."""
    return compile_source(_source(path, read), overrides, read)


def compile_source(source: Source, overrides: Sequence[str] = (), read: Read = read_source) -> Outcome:
    """Compile a text; what it refers to is looked up beside its path: texts through `read`, data files on the disk."""
    texts: dict[str, str | None] = {}
    columns: dict[str, dict[str, str] | str | None] = {}
    present: dict[str, bool] = {}
    settings = tuple(_setting(text) for text in overrides)
    inputs = Inputs(texts, columns, present, settings)
    while missing := wanted(source, inputs):
        for want in missing:
            _answer(want, texts, columns, present, read)
    return compile(source, inputs)


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking some specs gave: every diagnostic once, and the texts that they point into, by path."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


def check_files(paths: Sequence[str], overrides: Sequence[str] = (), read: Read = read_source) -> Checked:
    """Compile each spec for what there is to say of it; one that cannot be read is one more diagnostic."""
    found: dict[Diagnostic, None] = {}
    sources: dict[str, Source] = {}
    for path in paths:
        try:
            outcome = compile_file(path, overrides, read)
        except Fault as fault:
            found |= dict.fromkeys(fault.diagnostics)
            continue
        found |= dict.fromkeys(outcome.notes)
        sources.update({s.path: s for s in outcome.sources})
    return Checked(tuple(found), sources_of(found, sources))


def _source(path: str, read: Read) -> Source:
    try:
        return read(path)
    except FileNotFoundError:
        near = sorted(str(p) for p in Path(path).parent.glob("*.mix"))[:5] if Path(path).parent.is_dir() else []
        help = f"specs there: {', '.join(f'`{n}`' for n in near)}" if near else "`mixc init` writes a first one"
        raise Fault(Diagnostic("MIX0208", f"no spec at `{path}`", help=help)) from None
    except IsADirectoryError:
        raise Fault(Diagnostic("MIX0208", f"`{path}` is a folder, not a spec")) from None
    except UnicodeDecodeError as error:
        raise Fault(Diagnostic("MIX0208", f"`{path}` is not UTF-8 text (byte {error.start:,})")) from None
    except OSError as error:
        raise Fault(Diagnostic("MIX0208", f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}")) from None


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

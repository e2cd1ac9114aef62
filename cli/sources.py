"""The texts of specs, read the one way that places in them rely on: UTF-8, no byte-order mark, line ends kept."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault, Label
from ..compiler.source import Source, Span

Read = Callable[[str], Source]
"""How the text at a path is had: from the disk, from a revision in git, from an editor's buffer. Raises OSError or UnicodeDecodeError."""


def read_source(path: str) -> Source:
    """The text of a file, named as the user named it; OSError and UnicodeDecodeError are the caller's to word."""
    return Source(path, Path(path).read_bytes().decode("utf-8-sig"))


def source_at(path: str, read: Read) -> Source:
    """The text of a spec that a user named. Fault MIX0208 where it cannot be read."""
    try:
        return read(path)
    except FileNotFoundError:
        near = sorted(str(p) for p in Path(path).parent.glob("*.mix"))[:5] if Path(path).parent.is_dir() else []
        help = f"specs there: {', '.join(f'`{n}`' for n in near)}" if near else "`mixc init` writes a first one"
        raise _unreadable(path, f"no spec at `{path}`", help) from None
    except IsADirectoryError:
        raise _unreadable(path, f"`{path}` is a folder, not a spec") from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"`{path}` is not UTF-8 text (byte {error.start:,})") from None
    except OSError as error:
        raise _unreadable(path, f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None


def _unreadable(path: str, message: str, help: str | None = None) -> Fault:
    """The place is the file: there is no text to point into."""
    return Fault(Diagnostic("MIX0208", message, Label(Span(path, 0, 0)), help=help))


def sources_of(diagnostics: Iterable[Diagnostic], known: dict[str, Source]) -> dict[str, Source]:
    """The texts that diagnostics point into: those known, and those that can still be read."""
    sources = dict(known)
    for diagnostic in diagnostics:
        for label in (diagnostic.primary, *diagnostic.secondary):
            if label is None or label.span.path in sources:
                continue
            try:
                sources[label.span.path] = read_source(label.span.path)
            except (OSError, ValueError):
                continue
    return sources

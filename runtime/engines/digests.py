"""Digests of model files by content. Those of large files are remembered by size and time, so that a second run reads none."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ...compiler.diagnostics import Fault
from ..files import write_atomic

_LARGE = 1_000_000  # bytes


class Digests:
    """Knows the digests of files; `path` is the JSON file that keeps them between runs, None for this run only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = self._read()

    def of_files(self, files: Sequence[Path]) -> str:
        """The digest of files by name and content, in sorted order of their names."""
        lines = [f"{file.name} {self.recall(file, 'file', of_file)[0]}\n" for file in sorted(files, key=lambda f: f.name)]
        return of_text("".join(lines))

    def recall(self, file: Path, kind: str, read: Callable[[Path], Sequence[str]]) -> Sequence[str]:
        """What `read` gives for `file`: remembered where its size and time of change are what they were."""
        real = file.resolve()
        status = real.stat()
        if status.st_size < _LARGE:
            return read(real)
        key = f"{kind} {real}"
        stamp = [status.st_size, status.st_mtime_ns]
        entry = self._known.get(key)
        if entry is None or entry[:2] != stamp:
            entry = [*stamp, *read(real)]
            self._known = {**self._read(), **self._known, key: entry}
            if self._path is not None:
                with suppress(Fault):  # what cannot be kept is read again
                    write_atomic(self._path, json.dumps(self._known, indent=1, sort_keys=True).encode() + b"\n")
        return entry[2:]

    def _read(self) -> dict[str, list]:
        """The remembered digests; a file that is not there, or is damaged, remembers nothing."""
        found: dict[str, list] = {}
        if self._path is not None:
            with suppress(OSError, ValueError):
                loaded = json.loads(self._path.read_text(encoding="utf-8"))
                if isinstance(loaded, dict):
                    found = {key: entry for key, entry in loaded.items() if isinstance(entry, list) and len(entry) > 2}
        return found


def of_text(text: str) -> str:
    """The SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_file(file: Path) -> tuple[str]:
    """The SHA-256 of a file's content, in hex."""
    with file.open("rb") as stream:
        return (hashlib.file_digest(stream, "sha256").hexdigest(),)


def of_gguf(file: Path) -> tuple[str, str, str]:
    """The digests of a `.gguf` file, of the tokenizer in it, and of its chat template (that of no text where there is none)."""
    from gguf import GGUFReader

    reader = GGUFReader(file)
    tokenizer = hashlib.sha256()
    template = ""
    for name in sorted(reader.fields):
        if name == "tokenizer.chat_template":
            template = str(reader.fields[name].contents())
        elif name.startswith("tokenizer."):
            tokenizer.update(f"{name}\n".encode())
            for part in reader.fields[name].parts:
                tokenizer.update(part.tobytes())
    return (*of_file(file), tokenizer.hexdigest(), of_text(template))

"""The files beside the corpora that a plan depends on, by content: what decontaminates, what measures."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..compiler.plan.stages import Decontaminate, Evaluate, Stage
from .records import Unreadable, find, is_remote


def files_of(stage: Stage) -> tuple[str, ...]:
    """The paths and patterns of files that the stage itself reads."""
    match stage:
        case Decontaminate():
            return stage.against
        case Evaluate():
            return tuple(b.path for b in stage.benchmarks)
        case _:
            return ()


def digests(stages: Sequence[Stage]) -> dict[str, str | None]:
    """By path or pattern what `content_of` says of it."""
    return {path: content_of(path) for stage in stages for path in files_of(stage)}


def content_of(pattern: str) -> str | None:
    """The SHA-256 over the content of the files, whatever their names and order; None where it is remote or is not there."""
    if is_remote(pattern):
        return None
    with suppress(Unreadable, OSError):
        whole = hashlib.sha256()
        for part in sorted(_parts(pattern)):
            whole.update(part)
        return whole.hexdigest()
    return None


def _parts(pattern: str) -> Iterator[bytes]:
    for path in find(pattern):
        with Path(path).open("rb") as file:
            yield hashlib.file_digest(file, "sha256").digest()

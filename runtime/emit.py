"""Tells others of a build in their own formats: Croissant, a dataset card, OpenLineage, a page for a browser. Writes into its folder.

Nothing here fails a build: a file that cannot be made or written is left out whole, and a notice says which and why.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..compiler.diagnostics import Fault
from .croissant import croissant
from .dataset_card import card_of
from .events import Notice, Watch
from .files import write_atomic
from .finished import Finished, finished
from .openlineage import openlineage

Emitter = Callable[[Finished, datetime], bytes]
"""A file's bytes, of a build that is complete at this moment."""


def emit(folder: Path, watch: Watch, again: Callable[[], object], emitters: tuple[tuple[str, Emitter], ...] | None = None) -> None:
    """Write the files of `emitters` into the folder of a build that has all its others; where one is left out, tell and call `again`, which
    writes the manifest with that notice. Raises nothing but what stops the program itself. `SOURCE_DATE_EPOCH` sets the moment of the build.
    """
    if not (folder / "selected.parquet").exists():
        return
    left_out = _emit(folder, EMITTERS if emitters is None else emitters)
    for said in left_out:
        watch(Notice("emit", said))
    if left_out:
        with suppress(Exception):  # the manifest stands as it was, whole, without the notice
            again()


def _emit(folder: Path, emitters: tuple[tuple[str, Emitter], ...]) -> list[str]:
    """What was left out, and why."""
    try:
        build, now = finished(folder), moment()
    except Exception as error:
        return [_why(", ".join(f"`{name}`" for name, _ in emitters), error, folder)]
    left_out = []
    for name, emitter in emitters:
        try:
            write_atomic(folder / name, emitter(build, now))
        except Exception as error:
            left_out.append(_why(f"`{name}`", error, folder))
    return left_out


def moment() -> datetime:
    """Now, or the moment that `SOURCE_DATE_EPOCH` names in seconds since 1970 (reproducible-builds.org). ValueError where that is no such number."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now(UTC) if not fixed else datetime.fromtimestamp(int(fixed), UTC)


def _why(what: str, error: Exception, folder: Path) -> str:
    said = error.diagnostics[0].message if isinstance(error, Fault) else f"{type(error).__name__}: {error}".rstrip(": ")
    return f"{what} left out: {' '.join(said.split())}".replace(f"{folder}{os.sep}", "")


def _events(build: Finished, now: datetime) -> bytes:
    seconds = 0.0 if os.environ.get("SOURCE_DATE_EPOCH") else sum(stage["seconds"] for stage in build.manifest["stages"])
    return openlineage(build, now - timedelta(seconds=seconds), now)


def _report(build: Finished, now: datetime) -> bytes:
    from .report.gather import gather
    from .report_html.page import page_bytes

    return page_bytes(gather(build.folder))


REPORT = ("report.html", _report)
"""What tells of training and evaluation too, and is made again after them."""
EMITTERS: tuple[tuple[str, Emitter], ...] = (
    ("croissant.json", lambda build, now: croissant(build, now.date().isoformat())),
    ("README.md", lambda build, now: card_of(build).encode()),
    ("openlineage.jsonl", _events),
    REPORT,
)

"""What may go from a store: leftovers, what no build can ask for again, and (by age) what none has asked for. Never what a build uses.

It takes the locks that builds take: what is locked stays, and is told. It knows folders and ages, not what values mean.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..compiler.diagnostics import Fault
from . import kept_rows
from .engines.weights import KIND
from .files import abandoned, discard, remove, size
from .inventory import Kept, folders, kept
from .merge import Damaged, merge
from .scratch import SCRATCH
from .shelf import CORRUPT
from .store import Store

DAY = 24 * 3600.0
CHECKPOINT_DAYS = 30.0
OF_FILES = {kept_rows.IDS: "row ids", kept_rows.TABLES: "copy by column"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that goes (`kind`: shelf, model, unpacked weights, row ids, copy by column, checkpoints, set aside, temporary, shards), and why; `stays` says
    why it does not after all."""

    kind: str
    path: Path
    why: str
    bytes: int = 0
    stays: str | None = None


def tidy(store: Store, *, older_than: float | None = None, act: bool = False) -> Iterator[Step]:
    """What may go, and with `act` goes: each step is told when it is done. `older_than` is in days, at least 1: what was not used for so long goes too.

    Raises ValueError for fewer days: a build may be using what it asked for today.
    """
    if older_than is not None and not older_than >= 1:
        raise ValueError("nothing that was used within a day may go")
    for folder in folders(store.root / "scores"):
        yield from _shelf(store, folder, older_than, act)
    for folder in _with_temporaries(store.root):
        for left in abandoned(folder):
            yield Step("temporary", left, "left by a run that was killed", remove(left) if act else size(left))
    for folder in folders(store.root / "checkpoints"):
        yield from _checkpoints(store, folder, older_than, act)
    for group in folders(store.root / "artifacts"):
        for folder in folders(group):
            yield from _artifact(store, folder, older_than, act)


def _shelf(store: Store, folder: Path, older_than: float | None, act: bool) -> Iterator[Step]:
    try:
        with store.lock(f"shelf-{folder.name}", wait=False):
            seen = kept(folder)
            why = _useless(seen, older_than)
            if why is not None:
                yield Step("shelf", folder, why, discard(folder) if act else size(folder))
                return
            for path in sorted(folder.glob(f"*{CORRUPT}")):
                yield Step("set aside", path, "damaged, and set aside by an earlier run", remove(path) if act else size(path))
            try:
                for one in merge(folder, act=act):
                    doubled = f", {one.doubled:,} of their {one.rows:,} rows stored more than once" if one.doubled else ""
                    yield Step("shards", folder, f"{one.before:,} small shards become {one.after:,}{doubled}", one.bytes)
            except Damaged:
                yield Step("shards", folder, "small shards", stays="a shard is damaged: run `mixc cache verify`")
    except Fault as fault:
        yield _in_use(fault, Step("shelf", folder, "not looked at", stays="a build is using it"))


def _useless(seen: Kept, older_than: float | None) -> str | None:
    if not seen.shards:
        return None
    identity = seen.identity or {}
    version = identity.get("mixc", __version__)
    why = f"of mixc {version}: this one, {__version__}, never asks for it" if version != __version__ else _old(seen.used, older_than)
    return f"{identity['scorer']}, {why}" if why and "scorer" in identity else why


def _old(used: float, older_than: float | None) -> str | None:
    days = (time.time() - used) / DAY
    return f"not used for {days:,.0f} days" if older_than is not None and days > older_than else None


def _checkpoints(store: Store, folder: Path, older_than: float | None, act: bool) -> Iterator[Step]:
    try:
        with store.lock(f"train-{folder.name}", wait=False):
            done = any((store.root / "artifacts").glob(f"*/{folder.name}"))
            why = "of work that is finished" if done else _old(_newest(folder), older_than or CHECKPOINT_DAYS)
            if why is not None:
                yield Step("checkpoints", folder, why, discard(folder) if act else size(folder))
    except Fault as fault:
        yield _in_use(fault, Step("checkpoints", folder, "not looked at", stays="a build is using them"))


def _unasked(folder: Path, older_than: float | None) -> str | None:
    """Why what lies in the folder of an artifact may go; None where it may not."""
    of_file = folder.parent.name in OF_FILES
    return (kept_rows.outdated(folder) if of_file else None) or _old(_newest(folder), older_than)


def _artifact(store: Store, folder: Path, older_than: float | None, act: bool) -> Iterator[Step]:
    kind = {**OF_FILES, KIND: "unpacked weights"}.get(folder.parent.name, folder.parent.name.removesuffix("s"))
    why = _unasked(folder, older_than)
    if why is None:
        return
    if store.at_work():
        yield Step(kind, folder, why, stays="a build is at work in this store")
        return
    try:
        with store.lock(f"train-{folder.name}", wait=False):
            if _unasked(folder, older_than):  # else it was asked for since, and so touched
                yield Step(kind, folder, why, discard(folder) if act else size(folder))
    except Fault as fault:
        yield _in_use(fault, Step(kind, folder, why, stays="a build is using it"))


def _in_use(fault: Fault, step: Step) -> Step:
    """The step, where what was raised says that another has the lock."""
    if fault.diagnostics[0].code != "MIX0512":
        raise fault
    return step


def _with_temporaries(root: Path) -> list[Path]:
    """Every folder of the store in which something is written under a temporary name."""
    groups = [root / name for name in ("scores", "artifacts", "checkpoints", SCRATCH)]
    return [root, *groups, *folders(root / "scores"), *folders(root / "artifacts")]


def _newest(folder: Path) -> float:
    return max((each.stat().st_mtime for each in (folder, *folder.rglob("*")) if each.exists()), default=time.time())

"""A folder of builds to its history: what each was made of and came to, and what changed against the one before of the same recipe. Reads the folders alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..compiler.diagnostics import Fault
from ..compiler.plan.changes import Work
from ..compiler.plan.diff import diff
from .built import no_build, read_json
from .contender import RECIPE, Contender, contender
from .recipes import HELDOUT

MARKS = ("manifest.json", "plan.json", "ledger.parquet", "selected.parquet")
"""One of these makes a folder a build, or what is left of one."""


@dataclass(frozen=True, slots=True)
class Since:
    """What changed against the build named `of`: the class of the recipe's changes (None: it says the same) with their number, rows that came and went (None where either has none)."""

    of: str
    work: Work | None
    changes: int
    added: int | None = None
    removed: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One build. `when`: its manifest was last written; `stopped`: the stage after which a build without a selection stopped; `broken`: why it cannot be read, and
    then no more is known than its manifest says. `accuracy`: of the recipe by benchmark, the mean over its seeds. What is not known is None."""

    name: str
    folder: Path
    when: datetime
    recipe: str | None = None
    plan: str | None = None
    rows: int | None = None
    tokens: int | None = None
    objective: float | None = None
    stopped: str | None = None
    since: Since | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict)
    broken: str | None = None


def history(root: Path) -> tuple[Entry, ...]:
    """The builds in `root` and in its folders, or `root` itself if it is one; the oldest first. What stopped before its selection is not what a later one is held against. Fault MIX0524 where there is none."""
    folders = _folders(root)
    if not folders:
        raise no_build(root)
    found = sorted((_read(folder, root) for folder in folders), key=lambda each: (each[0].when, each[0].name))
    last: dict[str, tuple[Entry, Contender]] = {}
    told = []
    for entry, build in found:
        name = entry.recipe
        if build is not None and name is not None:
            before = last.get(name)
            entry = entry if before is None else replace(entry, since=_since(before, build))
            if before is None or entry.rows is not None:
                last[name] = (entry, build)
        told.append(entry)
    return tuple(told)


def _folders(root: Path) -> list[Path]:
    """What holds a build or the rest of one: `root`, else the folders in it, and where such a one holds none the folders in that."""
    if not root.is_dir():
        return []
    if _marked(root):
        return [root]
    found = []
    for each in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        found += [each] if _marked(each) else [inner for inner in sorted(each.iterdir()) if inner.is_dir() and _marked(inner)]
    return found


def _marked(folder: Path) -> bool:
    return any((folder / name).is_file() for name in MARKS)


def _read(folder: Path, root: Path) -> tuple[Entry, Contender | None]:
    name = folder.name if folder == root else str(folder.relative_to(root))
    path = folder / "manifest.json"
    when = datetime.fromtimestamp((path if path.is_file() else folder).stat().st_mtime, UTC)
    empty = Entry(name, folder, when)
    if not path.is_file():
        return replace(empty, broken="half a build, no `manifest.json`"), None
    try:
        manifest = read_json(folder, "manifest.json")
        selection = manifest.get("selection") or {}
        known = replace(empty, recipe=str(manifest["name"]), plan=str(manifest["plan"]), rows=manifest["counts"]["selected"], objective=selection.get("objective"))
    except Fault as fault:
        return replace(empty, broken=_said(fault, folder)), None
    except (KeyError, TypeError, AttributeError):
        return replace(empty, broken="cannot be read: `manifest.json` lacks what every build says"), None
    try:
        build = contender(name, folder)
    except Fault as fault:
        return replace(known, broken=_said(fault, folder)), None
    chosen = build.selections.get(RECIPE)
    if chosen is None:
        return replace(known, stopped=str(build.stages[-1]["stage"]) if build.stages else "nothing"), build
    tokens = None if chosen["tokens"].null_count() else int(chosen["tokens"].sum())
    return replace(known, rows=chosen.height, tokens=tokens, accuracy=_accuracy(build)), build


def _said(fault: Fault, folder: Path) -> str:
    return fault.diagnostics[0].message.replace(f"the build in `{folder}` cannot be read", "cannot be read", 1)


def _accuracy(build: Contender) -> dict[str, float]:
    own = {arm.name for arm in build.arms if arm.recipe == RECIPE}
    values: dict[str, list[float]] = {}
    for each in build.measured or ():
        if each.arm in own and each.benchmark != HELDOUT:
            values.setdefault(each.benchmark, []).append(each.value)
    return {benchmark: sum(each) / len(each) for benchmark, each in values.items()}


def _since(last: tuple[Entry, Contender], build: Contender) -> Since:
    entry, former = last
    found = diff(former.plan, build.plan)
    matters = [change for change in found.changes if change.work.cost]
    work = found.work if found.matters else None
    before, after = former.selections.get(RECIPE), build.selections.get(RECIPE)
    if before is None or after is None:
        return Since(entry.name, work, len(matters))
    old, new = set(before["row_id"]), set(after["row_id"])
    return Since(entry.name, work, len(matters), len(new - old), len(old - new))

"""The history of a folder of builds as a table of words and as JSON. It counts nothing."""

import json
from collections.abc import Sequence

from ..runtime.history import Entry, Since
from ..runtime.looks import shown
from .sheet import NONE, Sheet

VERSION = 1
DIGITS = 8
HEADER = ("when", "build", "recipe", "plan", "rows", "tokens", "objective", "accuracy", "since the last")


def history_sheet(found: Sequence[Entry]) -> Sheet:
    """A line a build, the oldest first; what is not known is a dash."""
    measured = any(entry.accuracy for entry in found)
    rows = [_row(entry, measured) for entry in found]
    header = tuple(name for name in HEADER if name != "accuracy" or measured)
    styles = {place: "warning" for place, entry in enumerate(found) if entry.broken}
    notes = ("since the last of the same recipe: the class of what it says otherwise, rows that came and went; times are UTC",)
    return Sheet(f"{len(found):,} build{'' if len(found) == 1 else 's'}", header, tuple(rows), notes, words=4, last=True, styles=styles)


def _row(entry: Entry, measured: bool) -> tuple[str, ...]:
    when = entry.when.strftime("%Y-%m-%d %H:%M")
    accuracy = ", ".join(f"{name} {value:.1%}" for name, value in entry.accuracy.items()) or NONE
    if entry.broken:
        said = entry.broken
    elif entry.stopped:
        said = f"stopped after {entry.stopped}"
    else:
        said = "first" if entry.since is None else _since(entry.since)
    known = (entry.rows, entry.tokens)
    objective = NONE if entry.objective is None else shown(float(f"{entry.objective:.5g}"))
    return (
        when, entry.name, entry.recipe or NONE, (entry.plan or NONE)[:DIGITS], *(NONE if n is None else f"{n:,}" for n in known), objective,
        *([accuracy] if measured else []), said,
    )  # fmt: skip


def _since(since: Since) -> str:
    said = "same recipe" if since.work is None else since.work.value
    if since.added is None or since.removed is None:
        return said
    return f"{said}, {f'+{since.added:,} -{since.removed:,}' if since.added or since.removed else 'same rows'}"


def history_json(root: object, found: Sequence[Entry]) -> str:
    """All of it; what is not known is null."""
    return json.dumps({"mixc_log": VERSION, "folder": str(root), "builds": [_data(each) for each in found]}, indent=2, ensure_ascii=False)


def _data(entry: Entry) -> dict[str, object]:
    since = entry.since
    return {
        "name": entry.name, "folder": str(entry.folder), "when": entry.when.isoformat(timespec="seconds"), "recipe": entry.recipe, "plan": entry.plan,
        "selected": entry.rows, "tokens": entry.tokens, "objective": entry.objective, "accuracy": dict(entry.accuracy), "stopped": entry.stopped, "broken": entry.broken,
        "since": None if since is None else {
            "build": since.of, "class": since.work.value if since.work else None, "changes": since.changes, "added": since.added, "removed": since.removed,
        },
    }  # fmt: skip

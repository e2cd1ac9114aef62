"""What `mixc cache` found, as lines for people and as plain data for scripts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..runtime.damage import Verified
from ..runtime.engines.weights import KIND
from ..runtime.inventory import UNKNOWN, Folder, Inventory, Kept
from ..runtime.tidy import OF_FILES, Step
from .render_json import diagnostic_data

HEAD = ("written", "size", "rows", "shards", "what")
DIGITS = 8  # of a digest, so many tell it from the others
DIGEST = 32  # a text of hexadecimal digits that is at least so long is one
LEFT_OUT = ("scorer", "version", "mixc", "responses", "embedding", "template")
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def listing(root: Path, seen: Inventory) -> str:
    """A line a shelf, a model, a folder of checkpoints and a shard that was set aside, the newest first, then the total."""
    if seen.empty:
        return f"the store `{root}` {'is empty' if root.exists() else 'is not there yet'}: no build has kept anything in it"
    rows = [(_day(s.written), in_units(s.bytes), f"{s.rows:,}", f"{s.shards:,}", _what(s)) for s in seen.shelves]
    rows += [(_day(f.written), in_units(f.bytes), "", "", _named(f)) for f in seen.artifacts]
    for folder in seen.checkpoints:
        state = "finished" if folder.finished else "unfinished"
        rows.append((_day(folder.written), in_units(folder.bytes), "", "", f"checkpoints of {state} work {folder.fingerprint[:DIGITS]}"))
    for path in seen.set_aside:
        rows.append((_day(_changed(path)), in_units(_size(path)), "", "", f"set aside, damaged: {path}"))
    counts = [f"{len(seen.shelves):,} shel{'f' if len(seen.shelves) == 1 else 'ves'}", f"{sum(s.rows for s in seen.shelves):,} rows"]
    return "\n".join([*_table([HEAD, *rows]), f"the store `{root}`: {', '.join(counts)}, {in_units(seen.bytes)} in all"])


def listing_data(root: Path, seen: Inventory) -> dict[str, object]:
    """The same as data: bytes and rows as numbers, times in UTC."""
    return {
        "store": str(root),
        "bytes": seen.bytes,
        "shelves": [
            {
                "fingerprint": s.fingerprint, "identity": s.identity, "rows": s.rows, "shards": s.shards, "unreadable_shards": s.unreadable,
                "bytes": s.bytes, "made_by": s.makers, "written": _time(s.written), "used": _time(s.used),
            }
            for s in seen.shelves
        ],
        "artifacts": [_folder(f) | {"identity": f.identity} for f in seen.artifacts],
        "checkpoints": [_folder(f) | {"finished": f.finished} for f in seen.checkpoints],
        "set_aside": [{"path": str(path), "bytes": _size(path)} for path in seen.set_aside],
    }  # fmt: skip


def verified(root: Path, seen: Verified) -> str:
    """What was read and what is damaged, in a line, and where what was set aside is now."""
    if not (seen.shards or seen.unpacked or seen.of_files or seen.found):
        return f"the store `{root}` holds no scores"
    students = f" and {_counted(seen.unpacked, 'unpacked student')}" if seen.unpacked else ""
    read = f"{_counted(seen.shards, 'shard')}{students} read ({seen.rows:,} rows, {in_units(seen.bytes)})"
    if seen.of_files:
        read += f", and what is kept of input files ({seen.of_files:,})"
    errors = [d for d in seen.found if d.severity.value == "error"]
    lines = [f"{read}: {'all whole' if not errors else f'{len(errors):,} damaged'}"]
    if seen.set_aside:
        lines += [f"{_counted(len(seen.set_aside), 'file')} set aside; the next build scores again what was in them", *(f"  {path}" for path in seen.set_aside)]
    if seen.removed:
        lines += [f"{_counted(len(seen.removed), 'unpacked student')} removed; who loads it next unpacks it again", *(f"  {path}" for path in seen.removed)]
    return "\n".join(lines)


def verified_data(root: Path, seen: Verified) -> dict[str, object]:
    """The same as data."""
    return {
        "store": str(root), "shards": seen.shards, "rows": seen.rows, "unpacked": seen.unpacked, "of_files": seen.of_files, "bytes": seen.bytes,
        "set_aside": [str(path) for path in seen.set_aside], "removed": [str(path) for path in seen.removed], "diagnostics": [diagnostic_data(d, {}) for d in seen.found],
    }  # fmt: skip


def tidied(root: Path, steps: Sequence[Step], done: bool) -> str:
    """A line for each thing that goes, or would, then the sum."""
    gone = [step for step in steps if step.stays is None]
    rows = [(in_units(s.bytes), s.kind, _short(root, s.path), s.why) for s in gone]
    stays = [f"left as it is: {s.kind} {_short(root, s.path)}: {s.stays}" for s in steps if s.stays is not None]
    freed = in_units(sum(s.bytes for s in gone))
    if not gone:
        return "\n".join([*stays, f"nothing to remove from the store `{root}`"])
    last = f"removed: {freed} freed" if done else f"would free {freed}; nothing was removed: `mixc cache gc --yes` does it"
    return "\n".join([*_table(rows, right=(0,)), *stays, last])


def tidied_data(root: Path, steps: Iterable[Step], done: bool) -> dict[str, object]:
    """The same as data."""
    listed = [{"kind": s.kind, "path": str(s.path), "why": s.why, "bytes": s.bytes, "stays": s.stays} for s in steps]
    return {"store": str(root), "removed": done, "bytes": sum(s["bytes"] for s in listed if s["stays"] is None), "steps": listed}


def in_units(count: int) -> str:
    """`999 bytes`, `1.2 kB`, `34 MB`: two digits or more that count."""
    value, unit = float(count), UNITS[0]
    for unit in UNITS:
        if value < 999.5 or unit == UNITS[-1]:
            break
        value /= 1000
    return f"{value:.1f} {unit}" if unit != UNITS[0] and value < 9.95 else f"{value:.0f} {unit}"


def _what(shelf: Kept) -> str:
    identity = shelf.identity
    if identity is None:
        named = f"shelf {shelf.fingerprint[:DIGITS]}, of which nothing says what it holds"
    else:
        version = identity.get("mixc", __version__)
        outdated = f", of mixc {version}" if version != __version__ else ""
        name = identity.get("scorer", "responses" if "responses" in identity else "embeddings of texts" if "embedding" in identity else f"shelf {shelf.fingerprint[:DIGITS]}")
        named = f"{name}{': ' if (told := _arguments(identity)) else ''}{told}{outdated}"
    makers = shelf.makers.items()
    by = "" if set(shelf.makers) <= {UNKNOWN} else ", ".join(name if len(makers) == 1 else f"{name} ({rows:,})" for name, rows in makers)
    unreadable = f"; {_counted(shelf.unreadable, 'shard')} unreadable" if shelf.unreadable else ""
    return f"{named}; by {by}{unreadable}" if by else f"{named}{unreadable}"


def _named(artifact: Folder) -> str:
    if artifact.kind in OF_FILES:
        return f"{OF_FILES[artifact.kind]} of {artifact.of or 'an unknown file'}"
    if artifact.kind != KIND:
        return f"{artifact.kind.removesuffix('s')} {artifact.fingerprint[:DIGITS]}"
    told = artifact.identity or {}
    if "student" not in told:
        return f"weights {artifact.fingerprint[:DIGITS]}, unpacked from a student that nothing names"
    return f"weights of {told['student']}, unpacked: dtype {told.get('dtype')}, {told.get('format')}; by transformers {told.get('by')}"


def _arguments(identity: Mapping[str, object]) -> str:
    """What tells a shelf from others of its scorer; the tokenizer only where there are no weights, whose it would be."""
    left_out = (*LEFT_OUT, "tokenizer") if "weights" in identity else LEFT_OUT
    return ", ".join(f"{name} {_value(value)}" for name, value in sorted(identity.items()) if name not in left_out and value is not None)


def _value(value: object) -> str:
    text = str(value)
    return text[:DIGITS] if len(text) >= DIGEST and set(text) <= set("0123456789abcdef") else text


def _table(rows: Sequence[Sequence[str]], right: Sequence[int] = (1, 2, 3)) -> list[str]:
    """Columns two spaces apart; an empty one is left out."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [text.rjust(width) if i in right else text.ljust(width) for i, (text, width) in enumerate(zip(row, widths, strict=True)) if width]
        lines.append("  ".join(cells).rstrip())
    return lines


def _folder(folder: Folder) -> dict[str, object]:
    of = {"of": folder.of} if folder.kind in OF_FILES else {}
    return {"kind": folder.kind, "fingerprint": folder.fingerprint, **of, "bytes": folder.bytes, "written": _time(folder.written), "used": _time(folder.used)}


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _short(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""Writing that is whole or not there: files, folders and locks that survive a kill at any instant and a full disk.

It knows the file system's faults, and nothing of what is written.
"""

import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault

TEMPORARY = ".mixc-tmp-"
# A temporary that its writer holds locked for as long as it lives; the others are judged by their age.
_HELD = f"{TEMPORARY}held-"
_ABANDONED_SECONDS = 24 * 3600.0
_CANNOT_LOCK = (errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.ENOSYS)

_NO_SPACE = "make room on that disk (`df -h` shows it), then run the same command again: what was finished is kept"
_NO_PERMISSION = "give yourself permission to write there, or choose another place"
_ADVICE = {
    errno.ENOSPC: ("the disk is full", _NO_SPACE),
    errno.EDQUOT: ("your quota on that disk is used up", _NO_SPACE),
    errno.EFBIG: ("the file would be larger than the system allows", "raise the limit on file sizes (`ulimit -f`)"),
    errno.ENOENT: ("it, or a folder above it, is not there", "see whether something removed it or its disk is no longer mounted, or choose another place"),
    errno.EACCES: ("permission denied", _NO_PERMISSION),
    errno.EPERM: ("the system does not permit it", _NO_PERMISSION),
    errno.EROFS: ("the file system is read-only", "choose a place that can be written"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "move that file away, or choose another place"),
    errno.EEXIST: ("a file stands where a folder should", "move that file away, or choose another place"),
    errno.EISDIR: ("a folder stands where the file should", "move that folder away, or choose another place"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter path"),
    errno.EIO: ("the disk reports an error", "check the disk, or choose another place"),
    errno.ESTALE: ("the network file system lost the file", "mount it again, or choose another place"),
    errno.ENOLCK: ("that file system cannot lock files", "set MIXC_HOME to a folder on a local disk"),
    errno.EMFILE: ("too many files are open", "raise the limit (`ulimit -n`)"),
}


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path`, making its folder: a reader sees the old file or the new one. Fault MIX0508."""
    replace_atomic(path, lambda temporary: temporary.write_bytes(data))


def append_line(path: Path, line: str) -> None:
    """Add a line to the end of a file, in one write: any number of processes may do so at once. Fault MIX0508."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(out, f"{line}\n".encode())
        finally:
            os.close(out)


def read_lines(path: Path) -> Iterator[dict]:
    """The JSON objects that `append_line` put there, in their order. What is no object, or was cut short by a full disk, is left out; of a file that cannot be read, all."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def replace_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file under a temporary name beside `path`, then put it in place. Fault MIX0508."""
    with writing(path):
        make_folder(path.parent)
        with _held(path.parent, lambda temporary: temporary.touch(exist_ok=False)) as temporary:
            write(temporary)
            _sync(temporary)
            temporary.replace(path)
        _sync(path.parent)


def build_folder(target: Path, write: Callable[[Path], object]) -> bool:
    """Let `write` fill a folder under a temporary name beside `target`, then put it in place when whole.

    False where another process was first: its folder stays and ours goes. Fault MIX0508.
    """
    with writing(target):
        make_folder(target.parent)
        with _held(target.parent, Path.mkdir) as temporary:
            write(temporary)
            _sync_tree(temporary)
            try:
                temporary.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and target.is_dir():
                    return False
                raise
        _sync(target.parent)
        return True


def claim_folder(parent: Path) -> tuple[Path, int]:
    """A new folder in `parent` that nobody sweeps while the returned handle is open; whoever closes it deletes the folder. OSError if it cannot be made."""
    return _claim(parent, Path.mkdir)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they are still there after the power has gone."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _sync(each.parent)


def swap_folder(new: Path, target: Path) -> None:
    """Put the finished folder `new` in the place of `target`, both in the same parent; the old one is deleted.

    Call `recover_swap(target)` before reading `target`: a kill between the two renames leaves the old folder aside.
    """
    with writing(target):
        recover_swap(target)
        _sync_tree(new)
        aside = _aside(target)
        if target.exists():
            target.rename(aside)
        try:
            new.rename(target)
        except OSError:
            if aside.exists():
                aside.rename(target)
            raise
        _sync(target.parent)
        shutil.rmtree(aside, ignore_errors=True)


def recover_swap(target: Path) -> None:
    """Finish what a killed `swap_folder` left: the old folder comes back if the new one is not there, else it goes."""
    aside = _aside(target)
    if not aside.exists():
        return
    with writing(target):
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(target)


def sweep(folder: Path) -> int:
    """Delete the temporary files and folders in `folder` that no process is writing any more. The bytes freed."""
    return sum(map(remove, abandoned(folder)))


def abandoned(folder: Path) -> Iterator[Path]:
    """The temporaries in `folder` whose writer is dead, or that are older than a day where that cannot be told.

    Each may be deleted until the next one is asked for: so long nobody begins to write it.
    """
    found: list[Path] = []
    with suppress(OSError):
        found = sorted(folder.glob(f"{TEMPORARY}*"))
    for left in found:
        with suppress(OSError):
            handle = os.open(left, os.O_RDONLY)
            try:
                free = _try_lock(handle) if left.name.startswith(_HELD) else None
                if free or (free is None and time.time() - left.stat().st_mtime > _ABANDONED_SECONDS):
                    yield left
            finally:
                os.close(handle)


def remove(path: Path) -> int:
    """Delete a file or a folder with all that is in it; what is gone already, or may not be deleted, stays as it is. The bytes freed."""
    freed = size(path)
    with suppress(OSError):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink()
    return freed - size(path)


def discard(folder: Path) -> int:
    """Delete a folder as a whole: whoever looks sees all of it or nothing, also if we are killed at it. The bytes freed."""
    aside = folder.with_name(f"{_HELD}{os.getpid()}-{secrets.token_hex(6)}")
    with suppress(OSError):
        folder.rename(aside)
        return remove(aside)
    return 0


def size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for each in files:
        with suppress(OSError):
            total += each.stat().st_size if each.is_file() else 0
    return total


@contextmanager
def writing(path: Path, code: str = "MIX0508", verb: str = "write", *, leave: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn what the file system refuses while `path` is written, by us or by a library, into a Fault that names it; but `leave` some as they are."""
    try:
        yield
    except (Fault, *leave):
        raise
    except Exception as error:
        advice = _ADVICE.get(_errno(error) or 0)
        if advice is None:
            raise
        why, help = advice
        raise Fault(Diagnostic(code, f"cannot {verb} `{path}`: {why}", help=help)) from error


@contextmanager
def locked(path: Path, busy: Callable[[], object], *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file `path` (advisory; the system frees it when the process ends, however it ends).

    Any number may hold it `shared`. Where it is held otherwise, `busy` is called once: it may raise, else we wait.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with writing(path, "MIX0512", "lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with writing(path, "MIX0512", "lock"):
            held = _flock(handle, kind | fcntl.LOCK_NB)
        if not held:
            busy()
            _flock(handle, kind)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, operation: int) -> bool:
    try:
        fcntl.flock(handle, operation)
    except BlockingIOError:
        return False
    return True


def _try_lock(handle: int) -> bool | None:
    """Whether the lock is ours now; None where the file system has no locks for it."""
    try:
        return _flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _CANNOT_LOCK:
            raise
        return None


@contextmanager
def _held(folder: Path, make: Callable[[Path], object]) -> Iterator[Path]:
    """A temporary in `folder` that `make` makes, locked until it has been moved away or, at the end, deleted."""
    temporary, handle = _claim(folder, make)
    try:
        yield temporary
    finally:
        remove(temporary)
        os.close(handle)


def _claim(folder: Path, make: Callable[[Path], object]) -> tuple[Path, int]:
    while True:
        temporary = folder / f"{_HELD}{os.getpid()}-{secrets.token_hex(6)}"
        make(temporary)
        with suppress(FileNotFoundError):
            handle = os.open(temporary, os.O_RDONLY)
            # Between its making and our lock a sweep may have taken it for abandoned: then it is gone, or about to be.
            if _try_lock(handle) is not False and temporary.exists():
                return temporary, handle
            os.close(handle)
        remove(temporary)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _errno(error: BaseException) -> int | None:
    # Polars and safetensors report the system's error number only in their text, as Rust prints it; shutil.copytree in a list of texts.
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = re.search(r"\(os error (\d+)\)|\[Errno (\d+)\]", str(error))
    return int(found[1] or found[2]) if found else None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)

"""Writing that is whole or not there: files, folders and locks that survive a kill at any instant and a full disk.

It knows the file system's faults, and nothing of what is written.
"""

import errno
import fcntl
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
_ABANDONED_SECONDS = 24 * 3600.0

_NO_SPACE = "make room on that disk (`df -h` shows it), then run the same command again: what was finished is kept"
_NO_PERMISSION = "give yourself permission to write there, or choose another place"
_ADVICE = {
    errno.ENOSPC: ("the disk is full", _NO_SPACE),
    errno.EDQUOT: ("your quota on that disk is used up", _NO_SPACE),
    errno.EFBIG: ("the file would be larger than the system allows", "raise the limit on file sizes (`ulimit -f`)"),
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


def replace_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file under a temporary name beside `path`, then put it in place. Fault MIX0508."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path.parent)
        try:
            write(temporary)
            _sync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(path.parent)


def build_folder(target: Path, write: Callable[[Path], object]) -> bool:
    """Let `write` fill a folder under a temporary name beside `target`, then put it in place when whole.

    False where another process was first: its folder stays and ours goes. Fault MIX0508.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(target.parent)
        try:
            temporary.mkdir()
            write(temporary)
            _sync_tree(temporary)
            try:
                temporary.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and target.is_dir():
                    return False
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        _sync(target.parent)
        return True


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


def sweep(folder: Path) -> None:
    """Delete temporary files and folders that a killed process left in `folder` more than a day ago."""
    with suppress(OSError):
        for left in sorted(folder.glob(f"{TEMPORARY}*")):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextmanager
def writing(path: Path, code: str = "MIX0508", verb: str = "write") -> Iterator[None]:
    """Turn what the file system refuses while `path` is written, by us or by a library, into a Fault that names it."""
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        advice = _ADVICE.get(_errno(error) or 0)
        if advice is None:
            raise
        why, help = advice
        raise Fault(Diagnostic(code, f"cannot {verb} `{path}`: {why}", help=help)) from error


@contextmanager
def locked(path: Path, busy: Callable[[], object]) -> Iterator[None]:
    """Hold the lock file `path` (advisory; the system frees it when the process ends, however it ends).

    Where another process holds it, `busy` is called once: it may raise, else we wait.
    """
    with writing(path, "MIX0512", "lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with writing(path, "MIX0512", "lock"):
            held = _flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not held:
            busy()
            _flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, operation: int) -> bool:
    try:
        fcntl.flock(handle, operation)
    except BlockingIOError:
        return False
    return True


def _temporary(folder: Path) -> Path:
    return folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"


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

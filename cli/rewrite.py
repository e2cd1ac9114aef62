"""Puts new bytes in place of a file's: whole or not at all, where its links lead, with the permissions it had."""

import os
import stat
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault


def rewrite(path: str, data: bytes) -> None:
    """Replace what the file at `path` holds. Fault MIX0508 where the system does not let us."""
    from ..runtime.files import replace_atomic

    target = Path(path).resolve()
    if not os.access(target, os.W_OK):
        raise Fault(Diagnostic("MIX0508", f"cannot write `{path}`: permission denied", help="give yourself permission to write there"))
    mode = stat.S_IMODE(target.stat().st_mode)

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)
        temporary.chmod(mode)

    replace_atomic(target, write)

"""Paths as a spec writes them: relative to the file that holds the clause. Pure text; nothing is opened."""

import posixpath
import re

_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://")


def is_remote(path: str) -> bool:
    """Whether a path names a place that is not this machine's file system (`s3://`, `hf://`, …)."""
    return bool(_REMOTE.match(path))


def folder(path: str) -> str:
    """The folder that holds a file."""
    return posixpath.dirname(path)


def beside(path: str, holder: str) -> str:
    """`path`, written in the file `holder`, as seen from where `holder` is."""
    if is_remote(path) or posixpath.isabs(path):
        return path
    return posixpath.normpath(posixpath.join(folder(holder), path))

"""Texts as git has them at a revision, and of those that git does not keep, as the disk has them. Nothing is checked out."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, Fault
from ..compiler.source import Source
from ..compiler.suggest import distance, suggest
from .sources import read_source

NEAR = 5
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of the repository around the working directory; the name is empty for git's index. Paths are relative to the working directory."""

    name: str

    def read(self, path: str) -> Source:
        """The text at `path`, for `compile_file`; FileNotFoundError, UnicodeDecodeError."""
        done = _git("cat-file", "blob", f"{self.name}:{_inside(path)}")
        if done.returncode == 0:
            return Source(path, done.stdout.decode("utf-8-sig"))
        if _git("ls-files", "--error-unmatch", "--", path).returncode != 0 and Path(path).is_file():
            return read_source(path)  # git does not know it, like the data
        raise FileNotFoundError(path)

    def holds(self, path: str) -> bool:
        """Whether the revision has a file of that name."""
        return _git("cat-file", "blob", f"{self.name}:{_inside(path)}").returncode == 0

    def specs(self, path: str) -> list[str]:
        """The specs of the revision whose names are nearest to `path`, relative to the working directory."""
        listed = ["ls-files", "-z", "--full-name"] if not self.name else ["ls-tree", "-r", "-z", "--name-only", "--full-name", self.name]
        done = _git(*listed, cwd=_top())
        names = [name for name in done.stdout.decode(errors="replace").split("\0") if name.endswith(Path(path).suffix or ".mix")]
        here = [os.path.relpath(Path(_top(), name), Path.cwd().resolve()) for name in names]
        return sorted(here, key=lambda name: (Path(name).name != Path(path).name, distance(name[-60:], path[-60:]), name))[:NEAR]


def revision(text: str) -> tuple[Revision, str]:
    """`REV:path` as revision and path, relative to the working directory, else to the top of the repository. Fault MIX0208 where there is no git, no repository, no such revision or no such file in it."""
    top = _git("rev-parse", "--show-toplevel")
    if top.returncode != 0 and b"not a git repository" not in top.stderr:
        said = top.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        raise Fault(Diagnostic("MIX0208", f"`{text}` cannot be read: git says: {said or 'nothing'}", help="name two files instead"))
    if top.returncode != 0:
        help = "run it inside the repository, or name two files"
        raise Fault(Diagnostic("MIX0208", f"`{text}` asks for a revision, and this folder is in no git repository", help=help))
    ends = [i for i, c in enumerate(text) if c == ":"]
    found = next((i for i in ends if _is_revision(text[:i])), None)
    if found is None:
        raise Fault(_no_revision(text, text[: ends[0]]))
    at, path = Revision(text[:found]), text[found + 1 :]
    if not at.holds(path) and not path.startswith((".", "/")) and at.holds(from_top := os.path.relpath(_top() / path, Path.cwd().resolve())):
        path = from_top  # as git itself reads `REV:path`
    if not at.holds(path):
        near = at.specs(path)
        help = f"specs there: {', '.join(f'`{at.name}:{name}`' for name in near)}" if near else f"`{at.name}` holds no spec"
        notes = ("paths are relative to the working directory, or to the top of the repository",)
        raise Fault(Diagnostic("MIX0208", f"there is no `{path}` in the revision `{at.name or 'index'}`", notes=notes, help=help))
    return at, path


def tracked(path: str) -> bool:
    """Whether git has the file at HEAD; Fault MIX0208 without git."""
    return _git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode == 0 and Revision("HEAD").holds(path)


def _no_revision(text: str, name: str) -> Diagnostic:
    done = _git("for-each-ref", "--format=%(refname:short)")
    names = done.stdout.decode(errors="replace").split()
    if _git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode != 0:
        return Diagnostic("MIX0208", f"git knows no revision `{name}`: nothing is committed yet", help="commit the spec first")
    near = suggest(name, [*names, "HEAD"])
    help = f"did you mean `{near}{text[len(name) :]}`?" if near else "`git log --oneline` and `git branch -a` list what there is"
    return Diagnostic("MIX0208", f"git knows no revision `{name}`", help=help)


def _is_revision(name: str) -> bool:
    if not name or name.startswith("-"):
        return not name
    return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").returncode == 0


def _inside(path: str) -> str:
    """The path in git's form for one relative to the working directory."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else os.path.normpath(path)
    return relative if relative.startswith("../") else f"./{relative}"


def _top() -> Path:
    return Path(_git("rev-parse", "--show-toplevel").stdout.decode().rstrip("\n"))


def _git(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    calm = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(["git", *words], cwd=cwd, env=os.environ | calm, capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        help = "install git, or name two files"
        raise Fault(Diagnostic("MIX0208", "a revision is read with git, which is not installed here", help=help)) from None
    except subprocess.TimeoutExpired:
        raise Fault(Diagnostic("MIX0208", f"git did not answer within {SECONDS} s", help="name two files instead")) from None

"""Gives a declared name another, everywhere it stands, or says why that cannot be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..diagnostics import Diagnostics, Edit
from ..semantics.catalogue import FIXED, RESERVED
from ..syntax.automaton import load
from ..syntax.parsed import parsed
from ..syntax.tokens import tokenize
from .index import NAMED, Occurrence
from .project import Chain, Project
from .references import references

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_QUANTILE = re.compile(r"p[0-9]+\Z")
_TITLES = {"skills": "taxonomy", "label": "value of the teacher column", "word": "word of the language", "file": "file"}
RENAMED = (*NAMED, "benchmark")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name cannot be changed, or not to this."""

    message: str


def renamable(project: Project, offset: int) -> Occurrence | Refusal:
    """The name at `offset` if it is one that the specs declare."""
    name = project.file.at(offset)
    if name is None:
        return Refusal("there is no name here")
    kind = name.symbol.kind
    if kind not in RENAMED:
        return Refusal(f"`{name.symbol.name}` is a {_TITLES.get(kind, kind)}: only what a spec declares can be renamed")
    if not any(o.symbol == name.symbol and o.whole for file in project.chain for o in file.names):
        return Refusal(f"no spec declares the {_TITLES.get(kind, kind)} `{name.symbol.name}`")
    return name


def rename(project: Project, offset: int, new: str, others: Iterable[Chain] = ()) -> tuple[Edit, ...] | Refusal:
    """The edits, over every file of the chain and of `others` where the name is the same one."""
    name = renamable(project, offset)
    if isinstance(name, Refusal):
        return name
    new = new.strip()
    if name.symbol.kind == "param":
        new = new.removeprefix("$")
    if new == name.symbol.name:
        return ()
    chains = tuple(others)
    places = references(project, name.symbol, chains)
    if refused := _unread(project, name, chains, {o.span.path for o in places}):
        return Refusal(refused)
    if refused := _refused(name, new, {o.span.path for o in places}, (project.chain, *chains)):
        return Refusal(refused)
    return tuple(Edit(span, new) for span in dict.fromkeys(o.span for o in places))


def _refused(name: Occurrence, new: str, paths: set[str], chains: tuple[Chain, ...]) -> str | None:
    kind = name.symbol.kind
    if not _NAME.match(new):
        return f"`{new}` is not a name: letters A to Z, digits and `_`, no digit first"
    if new in RESERVED or _QUANTILE.match(new) or not _may_be_name(new):
        return f"`{new}` is a reserved word"
    if kind != "param" and new in FIXED:
        return f"`{new}` is a column of every output"
    for chain in chains:
        if not paths & {file.path for file in chain}:
            continue
        for o in (o for file in chain for o in file.names if o.symbol.name == new):
            where = o.span.path.rpartition("/")[2]
            if o.symbol.kind == kind and o.whole:
                return f"a {_TITLES.get(kind, kind)} `{new}` is declared already, in `{where}`"
            if kind == "score" and o.symbol.kind in ("role", "column"):
                return f"`{new}` is a {o.symbol.kind} that `{where}` reads; as a score it would take its place"
    return None


def _unread(project: Project, name: Occurrence, chains: tuple[Chain, ...], paths: set[str]) -> str | None:
    """A place where the name stands in a clause that could not be read, so that nobody can tell what it means there."""
    for file in {f.path: f for chain in (project.chain, *chains) for f in chain if f.path in paths}.values():
        broken = Diagnostics()
        parsed(file.source, broken)
        if not any(d.code.startswith("MIX01") for d in broken):
            continue
        tokens, _ = tokenize(file.source, Diagnostics())
        known = {o.span.start for o in file.names}
        for token in tokens:
            start = token.start + token.text.startswith("$")
            if token.text.strip("$%") == name.symbol.name and start not in known and token.kind not in ("STRING", *load().words):
                line = file.source.position(token.start)[0]
                return f"`{name.symbol.name}` also stands on line {line} of `{file.path.rpartition('/')[2]}`, in a clause with a syntax error"
    return None


def _may_be_name(word: str) -> bool:
    """Whether the grammar takes a word where a name is declared."""
    table = load()
    return word not in table.words or word in table.accepted(table.after(("param",)))



"""Everywhere that a symbol stands: in the file, in the specs that it extends, and in those that extend them."""

from collections.abc import Iterable

from .index import NAMED, Occurrence, Symbol
from .project import Chain, File, Project


def references(project: Project, symbol: Symbol, others: Iterable[Chain] = ()) -> tuple[Occurrence, ...]:
    """`others` are chains of further specs; those count that extend the file where the symbol is first declared."""
    top = home(project, symbol)
    files: dict[str, File] = {}
    for chain in (project.chain, *others):
        paths = [file.path for file in chain]
        if top.path in paths:
            files |= {file.path: file for file in chain[: paths.index(top.path) + 1] if file.path not in files}
    return tuple(o for file in files.values() for o in file.names if o.symbol == symbol)


def home(project: Project, symbol: Symbol) -> File:
    """The topmost file of the chain that declares a symbol; what no file declares belongs to the whole chain."""
    declaring = [file for file in project.chain if any(o.symbol == symbol and o.whole for o in file.names)]
    if declaring:
        return declaring[-1]
    return project.file if symbol.kind in NAMED else project.chain[-1]

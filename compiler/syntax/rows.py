"""Rows of a file or a block to lines: comments beside neighbours stand in one column, and blank lines where they were asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

from .fill import WIDTH, columns


@dataclass(frozen=True, slots=True)
class Row:
    """The lines of one entry, the comment beside the last of them, and whether a blank line is before it."""

    lines: tuple[str, ...]
    beside: str | None = None
    blank: bool = False
    alone: bool = False
    """Whether it is nothing but a comment."""


def lines_of(rows: list[Row]) -> list[str]:
    """The rows one below the other."""
    lines: list[str] = []
    for run in _runs(rows):
        column = _column(run)
        for row in run:
            if row.blank and lines:
                lines.append("")
            lines += row.lines
            if row.beside:
                lines[-1] += " " * max(column - columns(row.lines[-1]), 0) + f"  {row.beside}"
    return lines


def _column(run: list[Row]) -> int:
    """Where the comments of a run begin: clear of the lines between them, else of their own, else wherever each line ends."""
    commented = [i for i, row in enumerate(run) if row.beside]
    if not commented:
        return 0
    own = [run[i] for i in commented]
    longest = max(columns(row.beside or "") for row in own)
    for clear_of in (run[commented[0] : commented[-1] + 1], own):
        column = max(columns(row.lines[-1]) for row in clear_of)
        if column + 2 + longest <= WIDTH:
            return column
    return 0


def _runs(rows: list[Row]) -> Iterator[list[Row]]:
    """Neighbours: rows of one line each with nothing between them."""
    run: list[Row] = []
    for row in rows:
        if run and (row.blank or row.alone or len(row.lines) > 1 or run[-1].alone or len(run[-1].lines) > 1):
            yield run
            run = []
        run.append(row)
    if run:
        yield run

"""A titled table of words, and its two looks: on a terminal and in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .markdown import escaped

NONE = "-"
FOLDED = 16
"""So narrow a column of words may become."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are as wide as `header`. The first `words` columns, and with `last` the last one, stand left; the others are numbers.

    `styles`: of single rows, by their place.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    words: int = 1
    last: bool = False
    styles: Mapping[int, str] = field(default_factory=dict)

    def left(self, column: int) -> bool:
        """Whether a column stands left."""
        return column < self.words or (self.last and column == len(self.header) - 1)


def show_sheets(title: str, sheets: Sequence[Sheet], console: Console) -> None:
    """All sheets on a terminal, no wider than it is."""
    console.print(Text(title, style="message"), soft_wrap=True)
    print_sheets(sheets, console)


def print_sheets(sheets: Iterable[Sheet], console: Console) -> None:
    """The sheets without a title above them, an empty line before each."""
    for sheet in sheets:
        console.print()
        console.print(Text(sheet.title, style="verb"), soft_wrap=True)
        if sheet.rows:
            _print_whole(_table(sheet), _needed(sheet), console)
        for note in sheet.notes:
            console.print(Padding(Text(note, style="warning" if note.startswith("! ") else "dim"), (0, 0, 0, 2), expand=False))


def _needed(sheet: Sheet) -> int:
    """The columns of a terminal below which a number or the name of a row would be cut; other words fold."""
    longest = [max(map(len, cells)) + 2 for cells in zip(sheet.header, *sheet.rows, strict=True)]
    return 2 + sum(longest[place] if not place or not sheet.left(place) else min(longest[place], FOLDED) for place in range(len(longest)))


def _print_whole(table: Table, needed: int, console: Console) -> None:
    """On a narrower terminal or pipe the lines are longer than it: a number that is cut is no number."""
    width = console.width
    if width < needed:
        console.width = needed
    console.print(table, soft_wrap=True)
    if width < needed:
        console.width = width


def _table(sheet: Sheet) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, name in enumerate(sheet.header):
        left = sheet.left(place)
        table.add_column(f"  {name}" if not place else name, justify="left" if left else "right", no_wrap=not left or not place, overflow="fold")
    for place, row in enumerate(sheet.rows):
        table.add_row(Text(f"  {row[0]}"), *(Text(cell) for cell in row[1:]), style=sheet.styles.get(place, ""))
    return table


def to_markdown(title: str, sheets: Sequence[Sheet]) -> str:
    """The same for a pull request."""
    return "\n".join([f"### {escaped(title)}", "", *markdown_lines(sheets)]).rstrip("\n") + "\n"


def markdown_lines(sheets: Iterable[Sheet]) -> list[str]:
    """The sheets without a heading above them, an empty line at the end of each."""
    lines: list[str] = []
    for sheet in sheets:
        lines += [f"**{escaped(sheet.title)}**", ""]
        if sheet.rows:
            lines.append(f"| {' | '.join(map(escaped, sheet.header))} |")
            lines.append(f"|{'|'.join('---' if sheet.left(place) else '---:' for place in range(len(sheet.header)))}|")
            lines += [f"| {' | '.join(_bold(cell, place in sheet.styles) for cell in row)} |" for place, row in enumerate(sheet.rows)]
            lines.append("")
        if sheet.notes:
            lines += [*(f"- {escaped(note.removeprefix('! '))}" for note in sheet.notes), ""]
    return lines


def _bold(cell: str, marked: bool) -> str:
    return f"**{escaped(cell)}**" if marked and cell else escaped(cell)

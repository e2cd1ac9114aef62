"""A titled table of words, and its two looks: on a terminal and in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

NONE = "-"


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
    for sheet in sheets:
        console.print()
        console.print(Text(sheet.title, style="verb"), soft_wrap=True)
        if sheet.rows:
            console.print(_table(sheet))
        for note in sheet.notes:
            console.print(Text(f"  {note}", style="warning" if note.startswith("! ") else "dim"))


def _table(sheet: Sheet) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, name in enumerate(sheet.header):
        left = sheet.left(place)
        table.add_column(f"  {name}" if not place else name, justify="left" if left else "right", no_wrap=not left, overflow="fold")
    for place, row in enumerate(sheet.rows):
        table.add_row(Text(f"  {row[0]}"), *(Text(cell) for cell in row[1:]), style=sheet.styles.get(place, ""))
    return table


def to_markdown(title: str, sheets: Sequence[Sheet]) -> str:
    """The same for a pull request."""
    lines = [f"### {_escaped(title)}", ""]
    for sheet in sheets:
        lines += [f"**{_escaped(sheet.title)}**", ""]
        if sheet.rows:
            lines.append(f"| {' | '.join(map(_escaped, sheet.header))} |")
            lines.append(f"|{'|'.join('---' if sheet.left(place) else '---:' for place in range(len(sheet.header)))}|")
            lines += [f"| {' | '.join(_bold(cell, place in sheet.styles) for cell in row)} |" for place, row in enumerate(sheet.rows)]
            lines.append("")
        if sheet.notes:
            lines += [*(f"- {_escaped(note.removeprefix('! '))}" for note in sheet.notes), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _bold(cell: str, marked: bool) -> str:
    return f"**{_escaped(cell)}**" if marked and cell else _escaped(cell)


def _escaped(text: str) -> str:
    """Words in which only a backtick means something."""
    flat = " ".join(text.split())
    for char in "\\|<>*_[]#@":
        flat = flat.replace(char, f"&#{ord(char)};" if char in "<>@" else f"\\{char}")
    return flat

"""Lines of a spec with marks under them, `^^^^` for the fault, `----` for what belongs to it. It knows text."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.text import Text

from ..compiler.secrets import veil_line
from ..compiler.source import Source, Span

TAB = 4
LONGEST_BLOCK = 5
LONGEST_LINE = 300_000
"""Code points of a line that are looked at: more than a spec may have, so only one that is refused for it is cut."""
NARROWEST = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines `first` to `last` (from 1), code points `start` of the first to `end` of the last (from 0, exclusive)."""

    first: int
    start: int
    last: int
    end: int
    text: str
    primary: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A drawn row: the number of its line, or None below one; `skipped` stands for lines left out."""

    number: int | None
    text: Text
    skipped: bool = False


def mark(source: Source, span: Span, text: str, primary: bool) -> Mark:
    """Where a span is drawn: clipped to the text, and line ends at its end left out."""
    start = min(span.start, len(source.text))
    end = max(start, min(span.end, len(source.text)))
    while end > start and source.text[end - 1] in "\r\n":
        end -= 1
    first, column = source.position(start)
    last, end_column = source.position(end)
    # A place inside a line end (`\r|\n`) is drawn where the line ends.
    column = min(column - 1, len(source.line(first)), LONGEST_LINE)
    end_column = min(end_column - 1, len(source.line(last)), LONGEST_LINE)
    return Mark(first, column, last, end_column, " ".join(visible(text).split()), primary)


def visible(text: str) -> str:
    """The text with what a terminal would obey, or nobody could see, made visible; line ends and tabs stay."""
    return "".join(_shown(c) for c in text)


def _shown(c: str) -> str:
    if c in "\n\t" or (c >= " " and c.isascii() and c != "\x7f"):
        return c
    if c < " ":
        return chr(0x2400 + ord(c))
    hidden = unicodedata.category(c) in ("Cc", "Cf") and c not in "\u200c\u200d"
    return "\ufffd" if hidden else c


def snippet(source: Source, marks: Sequence[Mark], width: int, style: str) -> list[Row]:
    """The marked lines and the rows of marks below them; `width` is what is left for text, in cells."""
    blocks = sorted((m for m in marks if m.first != m.last), key=lambda m: (m.first, -m.last))
    rows: list[Row] = []
    before = 0
    for number in _lines(source, marks):
        if before and number > before + 1:
            rows.append(Row(None, _margin(blocks, number, style, after=set()), skipped=True))
        before = number
        here = [m for m in marks if m.first == m.last == number]
        rows += _draw(veil_line(source.line(number))[:LONGEST_LINE], number, here, blocks, width, style)
    return rows


def _lines(source: Source, marks: Iterable[Mark]) -> list[int]:
    """Where marks begin and end, short blocks whole, a line alone between two, and one before an empty one."""
    lines: set[int] = set()
    for m in marks:
        if m.last - m.first < LONGEST_BLOCK:
            lines.update(range(m.first, m.last + 1))
        else:
            lines.update((m.first, m.first + 1, m.last))
    lines.update(n - 1 for n in tuple(lines) if n > 1 and not source.line(n).strip())
    lines.update(n + 1 for n in tuple(lines) if n + 2 in lines)
    return sorted(lines)


def _draw(line: str, number: int, marks: list[Mark], blocks: list[Mark], width: int, style: str) -> list[Row]:
    bars = 2 * len(blocks)
    cells = _cells(line)
    begins = [m for m in blocks if m.first == number]
    ends = [m for m in blocks if m.last == number]
    focus = [(cells.at[m.start], max(cells.at[m.end], cells.at[m.start] + 1)) for m in marks]
    focus += [(cells.at[m.start], cells.at[m.start] + 1) for m in begins]
    focus += [(cells.at[max(m.end - 1, 0)], cells.at[m.end]) for m in ends]
    left, shown = cells.crop(focus, max(width - bars, NARROWEST))
    open_from = [m for m in begins if not line[: m.start].strip()]
    head = Text()
    for m in blocks:
        sign = "/" if m in open_from else "|" if m.first < number <= m.last else " "
        head.append(f"{sign} ", _style(m, style))
    rows = [Row(number, head + Text(shown))]
    margin = _margin(blocks, number, style, after=set(open_from))
    rows += [Row(None, margin + text) for text in _underline(marks, cells, left, left + len(shown), style)]
    for m in begins:
        if m not in open_from:
            rows.append(Row(None, _arm(blocks, m, number, cells.at[m.start] - left, "", style)))
    for m in ends:
        rows.append(Row(None, _arm(blocks, m, number, cells.at[max(m.end - 1, 0)] - left, m.text, style)))
    return rows


def _margin(blocks: list[Mark], number: int, style: str, after: set[Mark]) -> Text:
    """The bars of the blocks that run on below line `number`."""
    margin = Text()
    for m in blocks:
        running = m.first < number <= m.last or m in after
        margin.append("| " if running else "  ", _style(m, style))
    return margin


def _arm(blocks: list[Mark], block: Mark, number: int, cell: int, text: str, style: str) -> Text:
    """The row that ties a block's bar to the place where it begins or ends."""
    row = Text()
    index = blocks.index(block)
    for m in blocks[:index]:
        running = m.first <= number <= m.last
        row.append("| " if running else "  ", _style(m, style))
    corner = "|" if block.first < number else " "
    length = 2 * (len(blocks) - index) - 1 + max(cell, 0)
    row.append(f"{corner}{'_' * length}{'^' if block.primary else '-'}", _style(block, style))
    if text:
        row.append(f" {text}", _style(block, style))
    return row


def _underline(marks: list[Mark], cells: "_Cells", left: int, right: int, style: str) -> list[Text]:
    """The row of `^^^` and `---`, the last mark's label beside it, and a row for each other label, right to left."""
    if not marks:
        return []
    places = {m: (cells.at[m.start] - left, max(cells.at[m.end], cells.at[m.start] + 1) - left) for m in marks}
    signs: dict[int, Mark] = {}
    for m in sorted(marks, key=lambda m: m.primary):
        low, high = places[m]
        signs.update(dict.fromkeys(range(max(low, 0), min(high, right - left + 1)), m))
    row = Text()
    for cell in range(max(signs, default=-1) + 1):
        m = signs.get(cell)
        row.append(" " if m is None else "^" if m.primary else "-", "" if m is None else _style(m, style))
    labelled = sorted((m for m in dict.fromkeys(marks) if m.text), key=lambda m: (places[m][0], m.primary))
    furthest = max(high for _, high in places.values())
    beside = next((m for m in reversed(labelled) if places[m][1] == furthest), None)
    if beside:
        row.append(f" {beside.text}", _style(beside, style))
    rows = [row]
    waiting = [m for m in labelled if m is not beside]
    while waiting:
        m = waiting.pop()
        row = Text()
        for other in waiting:
            if len(row) <= places[other][0] < places[m][0]:
                row.append(" " * (places[other][0] - len(row)))
                row.append("|", _style(other, style))
        row.append(" " * (places[m][0] - len(row)))
        row.append(m.text, _style(m, style))
        rows.append(row)
    return rows


def _style(m: Mark, style: str) -> str:
    return style if m.primary else "secondary"


@lru_cache(maxsize=64)
def _cells(line: str) -> "_Cells":
    """Of a line that many diagnostics point into, measured once."""
    return _Cells(line)


class _Cells:
    """A line as it is drawn, and the cell at which each of its code points begins (one more: where the line ends)."""

    def __init__(self, line: str) -> None:
        self.at = [0]
        self.drawn: list[str] = []
        before, wide = "", False
        for c in line:
            shown = " " * (TAB - self.at[-1] % TAB) if c == "\t" else _shown(c)
            # Terminals draw joined emoji, one with its skin tone, and a sign made an emoji, in two cells.
            joins = wide and (before == "\u200d" or c in "\u200d\ufe0f" or "\U0001f3fb" <= c <= "\U0001f3ff")
            made = c == "\ufe0f" and not wide and not before.isascii()
            width = 0 if joins else 1 if made else cell_len(shown)
            self.drawn.append(shown)
            self.at.append(self.at[-1] + width)
            before, wide = c, joins or made or width == 2

    def crop(self, focus: list[tuple[int, int]], width: int) -> tuple[int, str]:
        """Where the shown part begins, and that part: the line if it fits, else `width` cells around the focus."""
        total = self.at[-1]
        if total <= width:
            return 0, "".join(self.drawn)
        low = min((a for a, _ in focus), default=0)
        high = max((b for _, b in focus), default=0)
        if high <= width - 1:
            left = 0
        elif high - low > width // 2:
            left = max(low - width // 4, 0)
        else:
            left = max(min((low + high - width) // 2, total - width), 0)
        right = left + width
        ahead, behind = left > 0, right < total
        inner = (left + ahead, right - behind)
        first, last = max(bisect_left(self.at, inner[0]) - 1, 0), bisect_left(self.at, inner[1])
        text = "".join(
            shown if inner[0] <= a and b <= inner[1] else " " * (min(b, inner[1]) - max(a, inner[0]))
            for shown, a, b in zip(self.drawn[first:last], self.at[first:last], self.at[first + 1 : last + 1], strict=False)
            if a < inner[1] and (b > inner[0] or (a == b and a >= inner[0]))
        )
        return left, ("…" if ahead else "") + text + ("…" if behind else "")

"""Places in a text as the protocol counts them, lines and code units from 0, and as we do, in code points from the start."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

_ENDS = re.compile(r"\r\n|\n|\r")
_UNITS = {
    "utf-8": lambda c: 1 if c < 0x80 else 2 if c < 0x800 else 3 if c < 0x10000 else 4,
    "utf-16": lambda c: 1 if c < 0x10000 else 2,
    "utf-32": lambda c: 1,
}


@dataclass(frozen=True, slots=True)
class Positions:
    """The lines of a text under an encoding: utf-8, utf-16 (what editors use unless they offer another) or utf-32."""

    text: str
    encoding: str = "utf-16"
    starts: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", (0, *(m.end() for m in _ENDS.finditer(self.text))))

    def offset(self, line: int, character: int) -> int:
        """The offset of a place; one beyond the end of its line, or of the text, is taken for that end."""
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        at, end = self.starts[line], self._end(line)
        if self.text[at:end].isascii():
            return min(at + max(character, 0), end)
        units = _UNITS[self.encoding]
        while character > 0 and at < end:
            character -= units(ord(self.text[at]))
            at += 1
        return at if character >= 0 else at - 1

    def place(self, offset: int) -> tuple[int, int]:
        """The line and character of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        before = self.text[self.starts[line] : offset]
        if before.isascii() or self.encoding == "utf-32":
            return line, len(before)
        units = _UNITS[self.encoding]
        return line, sum(units(ord(c)) for c in before)

    def length(self, start: int, end: int) -> int:
        """The code units of a part of the text."""
        units = _UNITS[self.encoding]
        return sum(units(ord(c)) for c in self.text[start:end])

    def _end(self, line: int) -> int:
        """Where a line ends, its line end left out."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        while end > self.starts[line] and self.text[end - 1] in "\r\n":
            end -= 1
        return end

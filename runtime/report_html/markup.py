"""HTML that is safe by its type: a `str` is text and is escaped, an `Html` is markup already."""

from collections.abc import Sequence
from html import escape
from unicodedata import category


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def html(*parts: object) -> Html:
    """The parts one after the other; what is no `Html` is text, None is nothing."""
    return Html("".join(part if isinstance(part, Html) else escape(visible(str(part))) for part in parts if part is not None))


def tag(name: str, *parts: object, **attributes: str | None) -> Html:
    """An element; `class_` is its class, an attribute of None is left out."""
    said = "".join(f' {key.strip("_").replace("_", "-")}="{escape(visible(value))}"' for key, value in attributes.items() if value is not None)
    return Html(f"<{name}{said}>{html(*parts)}</{name}>")


def visible(text: str) -> str:
    """The text with what a browser would obey, or nobody could see, made visible: control characters, and those that turn the direction of writing."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(c: str) -> str:
    if c in "\n\t" or c.isprintable():
        return c
    if c < " ":
        return "" if c == "\r" else chr(0x2400 + ord(c))
    return "\ufffd" if category(c) in ("Cc", "Cf", "Cs") and c not in "\u200c\u200d" else c


def table(heads: tuple[str, ...], rows: Sequence[tuple[object, ...]], figures: frozenset[int] = frozenset(), style: str | None = None) -> Html:
    """A table; the columns in `figures` are aligned at the right. On a narrow page one of four columns or more is a list of rows, one of fewer scrolls."""
    folds = len(heads) >= 4

    def cells(name: str, row: tuple[object, ...]) -> Html:
        told = [str(heads[place]) if folds and name == "td" and place else None for place in range(len(row))]
        return html(*(tag(name, each, class_="n" if place in figures else None, data_head=told[place]) for place, each in enumerate(row)))

    head = tag("thead", tag("tr", cells("th", heads)))
    body = tag("tbody", *(tag("tr", cells("td", row)) for row in rows))
    return tag("div", tag("table", head, body, class_=" ".join(filter(None, (style, "folds" if folds else None))) or None), class_="wide")


def note(*parts: object) -> Html:
    """A line beside what is shown."""
    return tag("p", *parts, class_="note")


def code(text: str) -> Html:
    """Words of the recipe."""
    return tag("code", text)

"""Diagnostics as text for people, in the lines of their specs. It knows how they look, not why they were raised."""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from ..compiler.diagnostics import Diagnostic, Label, Severity
from ..compiler.source import Source, Span
from .render_json import render_json as render_json
from .snippet import NARROWEST, mark, snippet, visible

JOINED = "\x1f"
"""Stands for a space that a line may not be broken at."""


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], console: Console, ending: str = "") -> None:
    """Draw every diagnostic in its lines of the spec, then count them (or say `ending`); nothing at all where there are none."""
    listed = list(diagnostics)
    for diagnostic in listed:
        for line in _diagnostic(diagnostic, sources, console.width):
            console.print(line, soft_wrap=True)
        console.print()
    if listed:
        console.print(ending or summary(listed))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    counted = [d.severity for d in diagnostics]
    counts = ((severity.value, counted.count(severity)) for severity in Severity)
    return ", ".join(f"{n:,} {word}{'' if n == 1 else 's'}" for word, n in counts if n)


def prose(text: str, style: str = "") -> Text:
    """A sentence whose `literals` stand out."""
    result = Text(style=style)
    for i, part in enumerate(visible(text).split("`")):
        result.append(f"`{part}`" if i % 2 else part, "literal" if i % 2 else "")
    return result if text.count("`") % 2 == 0 else Text(visible(text), style)


def _diagnostic(diagnostic: Diagnostic, sources: Mapping[str, Source], width: int) -> list[Text]:
    style = diagnostic.severity.value
    head = Text.assemble((f"{diagnostic.severity.value}[{diagnostic.code}]", style), (": ", "message"))
    lines = [head + prose(diagnostic.message, "message")]
    labels = [label for label in (diagnostic.primary, *diagnostic.secondary) if label]
    pad = " " * max((_digits(label.span, sources) for label in labels), default=1)
    for path in dict.fromkeys(label.span.path for label in labels):
        here = [label for label in labels if label.span.path == path]
        lines += _block(here, diagnostic.primary, sources.get(path), width, pad, style)
    for note in diagnostic.notes:
        lines += _remark("note", note, pad, width)
    if diagnostic.help:
        lines += _remark("help", diagnostic.help, pad, width)
    return lines


def _digits(span: Span, sources: Mapping[str, Source]) -> int:
    source = sources.get(span.path)
    return len(str(source.position(min(span.end, len(source.text)))[0])) if source else 1


def _block(
    labels: Sequence[Label], primary: Label | None, source: Source | None, width: int, pad: str, style: str
) -> list[Text]:
    """The labels of one file under ` --> path:line:column`, the place of the first of them."""
    span = labels[0].span
    if source is None:
        lines = [Text.assemble((f"{pad}--> ", "gutter"), visible(span.path))]
        for label in labels:
            lines += _remark("note", label.text, pad, width) if label.text else []
        return lines
    line, column = source.position(min(span.start, len(source.text)))
    lines = [Text.assemble((f"{pad}--> ", "gutter"), f"{visible(span.path)}:{line}:{column}")]
    lines.append(Text(f"{pad} |", "gutter"))
    marks = [mark(source, label.span, label.text, label is primary) for label in labels]
    for row in snippet(source, marks, width - len(pad) - 3, style):
        if row.skipped:
            gutter = "...".ljust(len(pad) + 3)
        else:
            gutter = f"{row.number or '':>{len(pad)}} | "
        drawn = Text.assemble((gutter, "gutter"), row.text)
        drawn.rstrip()
        lines.append(drawn)
    return lines


def _remark(word: str, text: str, pad: str, width: int) -> list[Text]:
    """A note or a help, its lines broken between words to fit; what stands in backquotes is never broken."""
    indent = " " * (len(pad) + len(f" = {word}: "))
    whole = re.sub(r"`[^`\n]*`", lambda m: m[0].replace(" ", JOINED), text)
    room = max(width - len(indent), NARROWEST)
    broken = (wrap(line, room, break_long_words=False, break_on_hyphens=False) or [""] for line in whole.splitlines() or [""])
    first, *rest = (line.replace(JOINED, " ") for lines in broken for line in lines)
    lines = [Text.assemble((f"{pad} = ", "gutter"), (f"{word}: ", "message"), prose(first))]
    return lines + [Text(indent) + prose(line) for line in rest]

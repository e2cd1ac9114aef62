"""Text to tokens, by the terminals of the grammar. What is nearly right is reported and mended, so that reading goes on.

Knows nothing of clauses and blocks, but that a teacher's name stands behind `quota teacher`.
"""

import re
from dataclasses import dataclass
from functools import cache

from ...grammar import table
from ..diagnostics import Diagnostics, Edit
from ..source import Source, Span
from .ast import Comment
from .numerals import PARAMETER_LIKE, read_number, read_parameter

NEWLINE = "NEWLINE"
END = "$END"
STRAY = "?"

SPACES = "[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\u0085\x0b\x0c]+"
MISTAKEN = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "<>": "!=",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "−": "-",
    "–": "-",
}
UNQUOTED = re.compile(r"[A-Za-z_]\w*(?:[-./:]\w+)+", re.ASCII)
"""What models are called, such as `gpt-4o` or `Org/Name-1.5`, without the quotes."""
QUOTED = re.compile(r"'[^'\r\n]*'|[“”„][^“”„\"\r\n]*[“”]")
LOOSE_STRING = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"')
TAKES_TEXT = frozenset(("scan", "model", "tree", "given", "extends", "template"))
"""Keywords whose one value is a path or a model."""
UNQUOTED_PATH = re.compile(r"(?![+-])(?![0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+|[kMB]|%)?(?![^\s\"'#{}()\[\],;]))(?=[^\s\"'#{}()\[\],;]*[./*])(?=[^\s\"'#{}()\[\],;]*[A-Za-z])[^\s\"'#{}()\[\],;=]+")
FRACTION = re.compile(r"\.[0-9]*")
REST = re.compile(r"[^\r\n]*")


@dataclass(slots=True)
class Token:
    """A terminal and its text, mended where it had to be. `lost`: reported already, so its clause need not parse."""

    kind: str
    text: str
    start: int
    end: int
    lost: bool = False


@cache
def _master() -> re.Pattern[str]:
    data = table()
    terminals = data["terminals"]
    marks = "|".join(re.escape(mark) for mark in sorted(data["marks"], key=len, reverse=True))
    mistaken = "|".join(re.escape(mark) for mark in sorted(MISTAKEN, key=len, reverse=True))
    parts = {
        "space": r"[ \t]+",
        "newline": r"\r?\n",
        "comment": r"#[^\r\n]*",
        "slashes": r"//[^\r\n]*",
        "string": terminals["STRING"],
        "foreign": r"[A-Za-z0-9_]*[^\W\x00-\x7f]\w*",
        "number": r"(?=\.?[0-9])",
        "parameter": rf"(?={PARAMETER_LIKE})",
        "quantile": terminals["QUANTILE"],
        "word": terminals["NAME"],
        "quote": "(?=[\"'“”„])",
        "blank": SPACES,
        "mistaken": rf"(?:{mistaken})(?!=)",
        "mark": marks,
        "semicolon": ";",
        "percent": "%",
        "stray": r"[^\x00-\x7f]+|[\x00-\x7f]",
    }
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in parts.items()))


def tokenize(source: Source, notes: Diagnostics) -> tuple[list[Token], tuple[Comment, ...]]:
    """The tokens of a text, newlines included and the end last, and its comments."""
    text, path = source.text, source.path
    words = frozenset(table()["words"])
    master = _master()
    tokens: list[Token] = []
    comments: list[Comment] = []
    depth = 0
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        if _of_path(tokens) and (path_like := UNQUOTED_PATH.match(text, at)):
            tokens.append(_unquoted_path(path_like.group(), tokens[-1].text, Span(path, at, path_like.end()), notes))
            at = path_like.end()
            continue
        found = master.match(text, at)
        assert found is not None and found.lastgroup is not None
        kind, value, end = found.lastgroup, found.group(), found.end()
        match kind:
            case "space":
                pass
            case "word" if _of_teacher(tokens) and (whole := UNQUOTED.match(text, at)):
                tokens.append(_unquoted(whole.group(), Span(path, at, whole.end()), notes))
                end = whole.end()
            case "word":
                tokens.append(Token(value if value in words else "NAME", value, at, end))
            case "mark":
                depth = max(depth + (value in "([") - (value in ")]"), 0)
                tokens.append(Token(value, value, at, end))
            case "string" | "quantile":
                tokens.append(Token(kind.upper(), value, at, end))
            case "newline":
                tokens.append(Token(NEWLINE, value, at, end))
            case "comment":
                alone = not tokens or tokens[-1].kind == NEWLINE
                comments.append(Comment(value, alone, span=Span(path, at, end)))
            case "number" if text[at] == "." and tokens and (tokens[-1].kind, tokens[-1].end) == ("QUANTILE", at):
                end = _broken_quantile(text, tokens[-1], path, notes)
            case "number":
                token = Token(*read_number(text, at, path, notes, inside=depth > 0))
                tokens.append(token)
                end = token.end
            case "parameter":
                token = Token(*read_parameter(text, at, path, notes))
                tokens.append(token)
                end = token.end
            case "quote":
                token = _broken_string(text, at, path, notes)
                tokens.append(token)
                end = token.end
            case _:
                _mend(kind, value, Span(path, at, end), notes, tokens)
        at = end
    tokens.append(Token(END, "", len(text), len(text)))
    return tokens, tuple(comments)


def _mend(kind: str, value: str, span: Span, notes: Diagnostics, tokens: list[Token]) -> None:
    match kind:
        case "slashes":
            notes.error(
                "MIX0107",
                "a comment starts with `#`",
                span,
                "not a comment",
                help="write `#` instead of `//`",
                edits=(Edit(Span(span.path, span.start, span.start + 2), "#"),),
            )
        case "blank":
            code = ", ".join(f"U+{ord(c):04X}" for c in dict.fromkeys(value))
            notes.error(
                "MIX0107",
                f"a space that is not a plain one ({code})",
                span,
                "looks like a space",
                help="replace it by a plain space",
                edits=(Edit(span, " "),),
            )
        case "mistaken":
            word = MISTAKEN[value]
            edit = Edit(span, word + " " if value == "!" else word)
            notes.error("MIX0107", f"`{value}` is written `{word}`", span, "", help=f"write `{word}`", edits=(edit,))
            tokens.append(Token(word, word, span.start, span.end))
        case "semicolon":
            notes.error(
                "MIX0107",
                "a clause ends at the end of its line, without `;`",
                span,
                "",
                help="remove it, and begin the next clause on a new line",
                edits=(Edit(span, "\n"),),
            )
            tokens.append(Token(NEWLINE, value, span.start, span.end))
        case "percent" if tokens and tokens[-1].kind == "QUANTILE" and tokens[-1].end == span.start:
            whole = Span(span.path, tokens[-1].start, span.end)
            written = tokens[-1].text
            message = f"a quantile is written `{written}`"
            notes.error("MIX0107", message, whole, "without `%`", help=f"write `{written}`", edits=(Edit(span, ""),))
        case "percent":
            notes.error(
                "MIX0107",
                "`%` stands where no number is",
                span,
                "there is no modulo operator; a percentage is written `40%`",
            )
            tokens.append(Token(STRAY, value, span.start, span.end, lost=True))
        case _:
            shown = value if value.isprintable() else ", ".join(f"U+{ord(c):04X}" for c in value[:4])
            said = "a name is letters A to Z, digits and `_`" if kind == "foreign" else "outside a string"
            notes.error("MIX0107", f"`{shown}` means nothing here", span, said)
            tokens.append(Token(STRAY, value, span.start, span.end, lost=True))


def _broken_quantile(text: str, before: Token, path: str, notes: Diagnostics) -> int:
    """Where a quantile with a fraction ends; it is read without the fraction."""
    fraction = FRACTION.match(text, before.end)
    assert fraction is not None
    span = Span(path, before.start, fraction.end())
    notes.error("MIX0104", "a quantile is a whole number of percent", span, "has a fraction", help=f"write `{before.text}`")
    return fraction.end()


def _of_teacher(tokens: list[Token]) -> bool:
    return len(tokens) > 1 and tokens[-1].kind == "teacher" and tokens[-2].kind in ("quota", "expect")


def _of_path(tokens: list[Token]) -> bool:
    """Whether a path or a model comes next."""
    return bool(tokens) and tokens[-1].kind in TAKES_TEXT and (len(tokens) == 1 or tokens[-2].kind in (NEWLINE, "{"))


def _unquoted_path(written: str, keyword: str, span: Span, notes: Diagnostics) -> Token:
    meant = '"' + written.replace("\\", "\\\\") + '"'
    message = f"`{keyword}` takes a text in double quotes"
    notes.error("MIX0120", message, span, "not in quotes", help=f"write `{keyword} {meant}`", edits=(Edit(span, meant),))
    return Token("STRING", meant, span.start, span.end)


def _unquoted(name: str, span: Span, notes: Diagnostics) -> Token:
    notes.error(
        "MIX0120",
        f"a value of the teacher column stands in double quotes: `teacher \"{name}\"`",
        span,
        "not in quotes",
        help=f'write `"{name}"`',
        edits=(Edit(span, f'"{name}"'),),
    )
    return Token("STRING", f'"{name}"', span.start, span.end)


def _broken_string(text: str, at: int, path: str, notes: Diagnostics) -> Token:
    """A string in other quotes, with an escape that there is not, or without an end."""
    if quoted := QUOTED.match(text, at):
        inner = quoted.group()[1:-1].replace("\\", "\\\\").replace('"', '\\"')
        span = Span(path, at, quoted.end())
        notes.error(
            "MIX0107",
            "a string stands in plain double quotes",
            span,
            "",
            help=f'write `"{inner}"`',
            edits=(Edit(span, f'"{inner}"'),),
        )
        return Token("STRING", f'"{inner}"', at, quoted.end())
    if text[at] == '"' and (loose := LOOSE_STRING.match(text, at)):
        wrong = [m for m in re.finditer(r"\\(.)", loose.group()) if m.group(1) not in '"\\']
        edits = tuple(Edit(Span(path, at + m.start(), at + m.start() + 1), "\\\\") for m in wrong)
        first = Span(path, at + wrong[0].start(), at + wrong[0].end())
        notes.error(
            "MIX0106",
            f"`{wrong[0].group()}` is not an escape",
            first,
            'only `\\"` and `\\\\` are',
            help=f"write `\\{wrong[0].group()}`, a backslash being `\\\\`",
            edits=edits,
        )
        mended = re.sub(r"\\(.)", lambda m: m.group() if m.group(1) in '"\\' else "\\" + m.group(), loose.group())
        return Token("STRING", mended, at, loose.end())
    rest = REST.match(text, at + 1)
    assert rest is not None
    body = rest.group().rstrip()
    body = re.sub(r"[ \t]*(?:\{[^{}]*\}?|[)\]},][)\]}, \t]*)$", "", body)
    end = at + 1 + len(body)
    notes.error(
        "MIX0105",
        "a string has no end",
        Span(path, at, end),
        f"opened with `{text[at]}`, not closed on its line",
        help='close it with `"` on the same line' + (", and write `\\\\` for a backslash" if "\\" in body else ""),
        edits=(Edit(Span(path, end, end), '"'),) if text[at] == '"' and body and not {"\\", '"', "#"} & set(body) else (),
    )
    value = body.replace("\\", "\\\\").replace('"', '\\"')
    return Token("STRING", f'"{value}"', at, end, lost=True)

"""Numbers and parameters, and the ways in which they are nearly right: reported with a fix, and read as they were meant."""

import math
import re
from fractions import Fraction
from functools import cache

from ...grammar import table
from ..diagnostics import Diagnostics, Edit
from ..source import Span

SCALES = {"k": 1_000, "M": 1_000_000, "B": 1_000_000_000}
UNITS = ("examples", "prompts", "tokens", "steps", "epochs", "nats")
PLAIN = 15
"""Digits of a whole number that needs no looking at: most numbers."""
LONGEST = 40
PARAMETER_LIKE = r"\$"

Read = tuple[str, str, int, int, bool]
"""Kind, text as meant, start, end, and whether it is lost."""

THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9A-Za-z_])")
UNDERSCORES = re.compile(r"[0-9]+(?:_[0-9]+)+(?![0-9A-Za-z_])")
NO_LEADING = re.compile(r"\.[0-9]+(?![0-9A-Za-z_.])")
NO_TRAILING = re.compile(r"([0-9]+)\.(?![0-9.A-Za-z_])")
APART = re.compile(r"([0-9]+(?:\.[0-9]+)?)[ \t]+(%|[kKmMbB](?![A-Za-z0-9_(]))")
WRONG_CASE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([Kmb])(?![A-Za-z0-9_])")
TOUCHING = re.compile(rf"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+|[kMB])?)({'|'.join(UNITS)})(?![A-Za-z0-9_])")
ANYTHING = re.compile(r"[0-9.][0-9A-Za-z_]*(?:\.[0-9A-Za-z_]+)*%?")
FOLLOWED = re.compile(r"[0-9A-Za-z_]|\.(?!\.)|,[0-9]{3}(?![0-9A-Za-z_])")
AFTER_SPACE = re.compile(r"[ \t]+(?:%|[kKmMbB](?![A-Za-z0-9_(]))")


@cache
def _strict() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    terminals = table()["terminals"]
    number, percent, parameter, share = (
        re.compile(terminals[n]) for n in ("NUMBER", "PERCENT", "PARAM", "PARAM_PERCENT")
    )
    return number, percent, parameter, share


def read_number(text: str, at: int, path: str, notes: Diagnostics, *, inside: bool) -> Read:
    """The number that starts at `at`; `inside` brackets a comma may part two numbers."""
    number, percent, _, _ = _strict()
    if found := percent.match(text, at):
        return _sound("PERCENT", found.group(), at, found.end(), path, notes)
    found = number.match(text, at)
    if found:
        after = FOLLOWED.match(text, found.end())
        commas = THOUSANDS.match(text, at)
        parted = after is not None and after.group().startswith(",")
        if parted and inside and not (commas and ",0" in commas.group()):
            after = None
        if after is None and not AFTER_SPACE.match(text, found.end()):
            return _sound("NUMBER", found.group(), at, found.end(), path, notes)
    return _mend(text, at, path, notes)


def read_parameter(text: str, at: int, path: str, notes: Diagnostics) -> Read:
    """The parameter whose `$` stands at `at`."""
    _, _, parameter, share = _strict()
    if found := share.match(text, at):
        return "PARAM_PERCENT", found.group(), at, found.end(), False
    if not (found := parameter.match(text, at)):
        notes.error(
            "MIX0107",
            "a parameter is `$` and its name",
            Span(path, at, at + 1),
            "no name follows",
            help="write `$name`",
        )
        return "?", "$", at, at + 1, True
    if apart := re.compile(r"[ \t]+%").match(text, found.end()):
        _report(f"`%` touches its number: `{found.group()}%`", Span(path, at, apart.end()), found.group() + "%", notes)
        return "PARAM_PERCENT", found.group() + "%", at, apart.end(), False
    return "PARAM", found.group(), at, found.end(), False


def value_of(text: str) -> int | float:
    """The value of a number as written, `k M B` applied: an int where it is whole."""
    if text.isdecimal() and len(text) <= PLAIN:
        return int(text)
    scale = SCALES.get(text[-1:], 1)
    exact = Fraction(text.rstrip("kMB")) * scale
    return exact.numerator if exact.denominator == 1 else float(exact)


def _sound(kind: str, text: str, start: int, end: int, path: str, notes: Diagnostics) -> Read:
    if text.isdecimal() and len(text) <= PLAIN:
        return kind, text, start, end, False
    digits = text.rstrip("%kMB")
    too_long = len(text) > LONGEST
    if (
        too_long
        or not math.isfinite(float(digits))
        or (not float(digits) and re.search("[1-9]", re.split("[eE]", digits)[0]))
    ):
        label = f"more than {LONGEST} characters" if too_long else "beyond what a number can hold"
        notes.error("MIX0104", "a number is too long, too large or too small", Span(path, start, end), label)
        return kind, "0%" if kind == "PERCENT" else "0", start, end, True
    return kind, text, start, end, False


def _mend(text: str, at: int, path: str, notes: Diagnostics) -> Read:
    touching = TOUCHING.match(text, at)
    if touching:
        end = touching.end(1)
        message = f"a unit stands apart from its number: `{touching[1]} {touching[2]}`"
        span = Span(path, at, touching.end())
        _report(message, span, f"{touching[1]} {touching[2]}", notes)
        return _sound("NUMBER", touching[1], at, end, path, notes)
    for pattern, message, meant in MENDS:
        if (found := pattern.match(text, at)) and (whole := meant(found)):
            if pattern in TAKES_PERCENT and text.startswith("%", found.end()):
                whole, end = whole + "%", found.end() + 1
            else:
                end = found.end()
            _report(message.format(whole), Span(path, at, end), whole, notes)
            return _sound("PERCENT" if whole.endswith("%") else "NUMBER", whole, at, end, path, notes)
    found = ANYTHING.match(text, at)
    assert found is not None
    notes.error(
        "MIX0104",
        f"`{found.group()}` is neither a number nor a name",
        Span(path, at, found.end()),
        "numbers are written `12`, `0.5`, `1e-5`, `4k`, `2M`, `40%`",
    )
    return "NUMBER", "0", at, found.end(), True


def _scale(letter: str) -> str:
    return letter.lower() if letter in "kK" else letter.upper()


MENDS = (
    (NO_LEADING, "a number starts with a digit: `{}`", lambda m: "0" + m[0]),
    (THOUSANDS, "a number has no thousands separators: `{}`", lambda m: m[0].replace(",", "")),
    (UNDERSCORES, "a number has no thousands separators: `{}`", lambda m: m[0].replace("_", "")),
    (NO_TRAILING, "a number ends with a digit: `{}`", lambda m: m[1]),
    (APART, "`%`, `k`, `M` and `B` touch their number: `{}`", lambda m: m[1] + (m[2] if m[2] == "%" else _scale(m[2]))),
    (WRONG_CASE, "thousands, millions and billions are `k`, `M` and `B`: `{}`", lambda m: m[1] + _scale(m[2])),
)
TAKES_PERCENT = (THOUSANDS, UNDERSCORES, NO_LEADING, NO_TRAILING)


def _report(message: str, span: Span, meant: str, notes: Diagnostics) -> None:
    notes.error("MIX0104", message, span, "", help=f"write `{meant}`", edits=(Edit(span, meant),))

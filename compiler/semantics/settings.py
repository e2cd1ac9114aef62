"""Settings of a block, read one by one: each the right kind, in the right unit, once."""

from dataclasses import dataclass

from ..clauses import Amount
from ..diagnostics import Diagnostics, Edit, Label
from ..source import Span
from ..syntax import ast
from .meant import meant, once, quoted

_REPEATABLE = {"scan", "benchmark", "baseline", "expect"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Reads the settings of one block; what is wrong with them goes to `notes`, and the answer is then None."""

    block: ast.Block
    notes: Diagnostics

    def all(self, keyword: str) -> list[ast.Setting]:
        return [line for line in self.block.lines if isinstance(line, ast.Setting) and line.keyword.text == keyword]

    def one(self, keyword: str, required: str = "") -> ast.Setting | None:
        """The setting, if it is there; `required` is the help that a missing one gets."""
        found = self.all(keyword)
        for extra in found[1:]:
            if keyword not in _REPEATABLE:
                self.notes.error(
                    "MIX0202",
                    f"`{keyword}` is set twice",
                    extra.span,
                    "again here",
                    secondary=(Label(found[0].span, "first here"),),
                    **once(found[0], extra),
                )
        if not found and required and not self.block.may_have(keyword):
            self.notes.error("MIX0207", f"`{self.title}` needs `{keyword}`", self.block.head, "in this block", help=required)
        return found[0] if found else None

    @property
    def title(self) -> str:
        name, kind = self.block.name, self.block.kind
        text = name.text if isinstance(name, ast.Name) else name.value if name else ""
        return f"teacher {text} generate" if kind == "generate" else f"{kind} {text}".rstrip()

    def text(self, keyword: str, required: str = "") -> ast.String | None:
        """A string setting."""
        setting = self.one(keyword, required)
        if setting is None:
            return None
        if isinstance(setting.value, ast.String):
            if setting.value.value:
                return setting.value
            self.notes.error("MIX0301", f"`{keyword}` is empty", setting.value.span)
            return None
        wrong(self.notes, keyword, "a text in double quotes", setting)
        return None

    def column(self, keyword: str, required: str = "") -> ast.Name | ast.String | None:
        """A column: a plain name, or a string."""
        setting = self.one(keyword, required)
        if setting is None or isinstance(setting.value, (ast.Name, ast.String)):
            return setting.value if setting else None  # type: ignore[return-value]
        wrong(self.notes, keyword, "a column's name", setting)
        return None

    def word(self, keyword: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        setting = self.one(keyword)
        if setting is None:
            return default
        text = setting.value.text if isinstance(setting.value, ast.Name) else None
        if text not in choices:
            listed = ", ".join(f"`{c}`" for c in choices)
            written = setting.value.value if isinstance(setting.value, ast.String) else text or ""
            given = meant(written, choices, setting.value.span)
            self.notes.error("MIX0302", f"`{keyword}` is one of {listed}", setting.value.span, "not one of them", **given)
            return default
        return text

    def number(
        self, keyword: str, unit: str | None, *, whole: bool = False, least: float | None = None, most: float | None = None
    ) -> int | float | None:
        """A number in `unit` (None: bare), from `least` to `most`."""
        setting = self.one(keyword)
        return None if setting is None else number(self.notes, keyword, setting.value, unit, whole=whole, least=least, most=most)

    def amount(self, keyword: str, units: tuple[str, ...], *, example: str, least: float = 1) -> Amount | None:
        """A number in one of `units`: a share is at most 100 %, epochs are above 0, anything else is whole and not under `least`."""
        setting = self.one(keyword)
        if setting is None:
            return None
        unit = setting.value.unit if isinstance(setting.value, ast.Number) else None
        if isinstance(setting.value, ast.Number) and unit not in units:
            written = f"`{keyword}` is not in {unit}" if unit else f"`{keyword}` needs a unit"
            self.notes.error(
                "MIX0303" if unit else "MIX0309",
                written,
                setting.value.span,
                f"these are {unit}" if unit else "a bare number",
                help=f"it is in {' or '.join(f'`{u}`' for u in units)}: write `{keyword} {example}`",
            )
            return None
        share, parts = unit == "%", unit in ("%", "epochs")
        lowest = 0 if share else 0.001 if parts else least
        found = number(self.notes, keyword, setting.value, unit, whole=not parts, least=lowest, most=100 if share else None)
        return None if found is None or unit is None else Amount(value=found, unit=unit)

    def flag(self, keyword: str) -> bool:
        """`true` or `false`; false where it is not set."""
        setting = self.one(keyword)
        if setting is None or isinstance(setting.value, ast.Boolean):
            return setting is not None and setting.value.value  # type: ignore[union-attr]
        wrong(self.notes, keyword, "`true` or `false`", setting)
        return False


def number(
    notes: Diagnostics,
    keyword: str,
    value: ast.Value,
    unit: str | None,
    *,
    whole: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> int | float | None:
    """The number of a value that must be in `unit`, whole, not under `least` and not above `most` where asked."""
    sign = 1
    if isinstance(value, ast.Unary) and value.operator == "-" and isinstance(value.operand, ast.Number):
        sign, value = -1, value.operand
    if not isinstance(value, ast.Number):
        notes.error("MIX0301", f"`{keyword}` takes a number{f' of {unit}' if unit else ''}", value.span, "not a number")
        return None
    amount = sign * value.value
    if value.unit != unit:
        _wrong_unit(notes, keyword, value, unit)
        return None
    if whole and amount != int(amount):
        notes.error("MIX0306", f"`{keyword}` takes a whole number", value.span, "has a fraction")
        return None
    if least is not None and amount < least:
        notes.error("MIX0306", f"`{keyword}` must be at least {least:g}", value.span, "too small")
        return None
    if most is not None and amount > most:
        notes.error("MIX0306", f"`{keyword}` must be at most {most:g}", value.span, "too large")
        return None
    return amount


def _wrong_unit(notes: Diagnostics, keyword: str, value: ast.Number, unit: str | None) -> None:
    written = value.text or str(value.value)
    if any(
        d.code == "MIX0114" and d.primary and d.primary.span.path == value.span.path and 0 <= d.primary.span.start - value.span.end <= 1
        for d in notes
    ):
        return  # the parser has said what is wrong with the unit behind this number
    if value.unit is None:
        notes.error(
            "MIX0309",
            f"`{keyword}` needs a unit",
            value.span,
            "a bare number",
            help=f"write `{keyword} {written} {unit}`",
            edits=(Edit(Span(value.span.path, value.span.end, value.span.end), f" {unit}"),),
        )
    else:
        right = f"`{keyword} {written} {unit}`" if unit else f"`{keyword} {written}`"
        notes.error("MIX0303", f"`{keyword}` is not in {value.unit}", value.span, f"these are {value.unit}", help=f"write {right}")


def wrong(notes: Diagnostics, keyword: str, expected: str, setting: ast.Setting) -> None:
    """Report a value of the wrong kind; a bare word where a text is expected lacks its quotes."""
    value = setting.value
    bare = isinstance(value, ast.Name) and expected == "a text in double quotes"
    text = quoted(value.text) if isinstance(value, ast.Name) else ""
    notes.error(
        "MIX0301",
        f"`{keyword}` takes {expected}",
        value.span,
        "not in quotes" if bare else "something else",
        help=f"write `{keyword} {text}`" if bare else None,
        edits=(Edit(value.span, text),) if bare else (),
    )

"""`test` blocks: what each expects, typed. How a fixture takes the place of the corpora is told by `fixture`."""

from ..diagnostics import Diagnostics, Label
from ..expectations import Expectation, ExpectedError
from ..syntax import ast
from ..syntax.format import format_clause, format_expression
from . import ir
from .meant import meant
from .selection import Groups, named_group, tokens_known
from .settings import Settings

_UNITS = ("examples", "prompts", "tokens", "%", "% of tokens")
_OF_A_RUN = ("MIX04", "MIX05")
_NO_END = ("MIX0402", "MIX0403", "MIX0420", "MIX0421")


def trial(block: ast.Block, groups: Groups, tokens: str | None, notes: Diagnostics) -> ir.Trial | None:
    """One `test` block; `tokens` is the score that counts tokens, where `select` names it or there is one."""
    settings = Settings(block, notes)
    given = settings.text("given", 'name its rows: `given "rows.jsonl"`')
    if not settings.all("expect"):
        settings.one("expect", "say what should come out: `expect selected == 3 examples`, or `expect error MIX0401`")
    found = [made for line in settings.all("expect") if (made := _expect(line, groups, notes)) is not None]
    expectations = tuple(e for e in found if isinstance(e, Expectation))
    errors = [e for e in found if isinstance(e, ExpectedError)]
    tokens_known(tokens, groups, expectations, notes)
    for extra in (*expectations[:1], *errors[1:]) if errors else ():
        message = "a run ends with one error, or with a selection" if extra in errors else "a run that ends with an error selects nothing"
        first = Label(errors[0].span, "expects this error")
        notes.error("MIX0421", message, extra.span, "cannot hold as well", secondary=(first,), help="write two tests")
    if given is None or not isinstance(block.name, ast.String):
        return None
    return ir.Trial(name=block.name.value, given=given, expectations=expectations, error=errors[0] if errors else None, span=block.head)


def _expect(line: ast.Setting, groups: Groups, notes: Diagnostics) -> Expectation | ExpectedError | None:
    value = line.value
    if not isinstance(value, ast.Expect):
        return None
    if value.operator is None:
        return _error(line, value.amount, notes) if isinstance(value.amount, ast.Name) else None
    group = named_group(value.subject, groups, notes) if isinstance(value.subject, ast.Group) else None
    amount = _amount(value.amount, group is None and not isinstance(value.subject, ast.Group), notes)
    if amount is None or (isinstance(value.subject, ast.Group) and group is None):
        return None
    number, unit = amount
    return Expectation(text=format_clause(line), group=group, operator=value.operator, amount=number, unit=unit, span=line.span)


def _amount(amount: ast.Number | ast.Param | ast.Name, whole: bool, notes: Diagnostics) -> tuple[float, str] | None:
    """The number and its unit; `whole`: of all selected rows, of which a share says nothing."""
    if not isinstance(amount, ast.Number):
        notes.error("MIX0301", "an expectation takes a number", amount.span, "not a number")
        return None
    written = format_expression(amount)
    if amount.unit is None:
        help = f"write `{written} examples`" + ("" if whole else f", `{written}%` or `{written} tokens`")
        notes.error("MIX0309", "an expectation needs a unit", amount.span, "of what?", help=help)
    elif amount.unit not in _UNITS:
        message = f"selected rows are counted in examples, prompts, tokens, `%` or `% of tokens`, not in {amount.unit}"
        notes.error("MIX0303", message, amount.span, "another unit")
    elif whole and amount.unit.startswith("%"):
        help = 'expect a share of a group, as in `expect teacher "NAME" <= 40%`'
        notes.error("MIX0303", "all selected rows are always 100% of them", amount.span, "a share of what?", help=help)
    elif amount.unit.startswith("%") and not 0 <= amount.value <= 100:
        notes.error("MIX0306", "a share is between 0% and 100%", amount.span, "out of range")
    elif amount.value < 0 or (not amount.unit.startswith("%") and amount.value != int(amount.value)):
        notes.error("MIX0306", f"a number of {amount.unit} is whole and not negative", amount.span, "out of range")
    else:
        return amount.value, amount.unit
    return None


def _error(line: ast.Setting, code: ast.Name, notes: Diagnostics) -> ExpectedError | None:
    from ..codes.all import CODES

    ends = [c for c in CODES if c.startswith(_OF_A_RUN) and c not in _NO_END]
    if code.text in ends:
        return ExpectedError(text=format_clause(line), code=code.text, span=line.span)
    if code.text in CODES:
        help = "a test is of a recipe that passes `mixc check`: its run ends with a code of MIX04xx or MIX05xx"
        notes.error("MIX0302", f"a run cannot end with `{code.text}`", code.span, "not an end of a run", help=help)
        return None
    given = meant(code.text, ends, code.span, "`mixc explain` lists the codes; a run ends with one of MIX04xx or MIX05xx")
    notes.error("MIX0302", f"there is no code `{code.text}`", code.span, "not known", **given)
    return None

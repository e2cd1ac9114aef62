"""What `test` blocks expect, checked for names: groups as in a quota, codes as in `mixc explain`."""

from ..codes.all import CODES
from ..diagnostics import Diagnostics
from ..syntax import ast
from .meant import meant
from .selection import Groups, group


def expectations(block: ast.Block, groups: Groups, notes: Diagnostics) -> None:
    """Report the names in a test's `expect` lines that nothing declares."""
    for line in block.lines:
        if not isinstance(line, ast.Setting) or not isinstance(line.value, ast.Expect):
            continue
        expect = line.value
        if isinstance(expect.subject, ast.Group):
            group(expect.subject, groups, notes)
        elif isinstance(expect.amount, ast.Name) and expect.amount.text not in CODES:
            code = expect.amount
            given = meant(code.text, CODES, code.span, "`mixc explain` lists the codes")
            notes.error("MIX0201", f"no error has the code `{code.text}`", code.span, "not a code", **given)

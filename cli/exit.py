"""The contracted exit codes, and which of them a set of diagnostics means."""

from collections.abc import Iterable

from ..compiler.diagnostics import Diagnostic, Severity

FINE = 0
WRONG = 1
DIFFERENT = 2
INFEASIBLE = 3
FAILED = 4
INTERRUPTED = 130
PIPE_CLOSED = 141

_INFEASIBLE_CODE = "MIX0401"
_IMPOSSIBLE_CODES = frozenset(("MIX0402", "MIX0407", "MIX0408"))
_RUN_BAND = "MIX05"
_RUN_CODES = frozenset(("MIX0430",))
"""Of other bands, what only a run meets: a model that cannot be used."""
_NAMED_CODES = frozenset(("MIX0524", "MIX0525", "MIX0526", "MIX0535", "MIX0539", "MIX0541", "MIX0542", "MIX0543"))
"""What a command line names that is not there: nothing ran that could fail."""
_DIFFERENCES = frozenset(("MIX0534", "MIX0536"))
"""What is not as a lock or a manifest says."""


def exit_code(diagnostics: Iterable[Diagnostic], *, selects: bool = False) -> int:
    """3 for an infeasible selection, 2 where all there is is drift, else 4 for a failed run, else 1 for any other error; warnings alone are fine.

    `selects`: a selection was asked for, so that what no rows whatever can satisfy is infeasible too, and not only wrong.
    """
    codes = [d.code for d in diagnostics if d.severity is Severity.ERROR]
    if _INFEASIBLE_CODE in codes or (selects and codes and _IMPOSSIBLE_CODES.issuperset(codes)):
        return INFEASIBLE
    if codes and _DIFFERENCES.issuperset(codes):
        return DIFFERENT
    if any((code.startswith(_RUN_BAND) and code not in _NAMED_CODES) or code in _RUN_CODES for code in codes):
        return FAILED
    return WRONG if codes else FINE

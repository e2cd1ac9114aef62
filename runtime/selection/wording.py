"""Clauses of a selection in the language's canonical form, for the changes that are proposed."""

import re

from ...compiler.plan.stages import AtMost, Budget, Group, Quota
from .problem import Clause

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def rewritten(clause: Clause) -> str:
    """The clause as one would type it with the numbers it now has."""
    match clause:
        case AtMost():
            return f"keep at most {clause.count} per prompt"
        case Budget():
            return f"budget {'up to ' if clause.up_to else ''}{clause.amount} {clause.unit}"
        case Quota():
            return f"quota {titled(clause.group)} {_bounds(clause)}"


def idle(clause: Clause) -> bool:
    """Whether the clause asks for nothing, whatever the rows are: a floor of nothing, a cap of everything."""
    return isinstance(clause, Quota) and not clause.equal and _sides(clause) == (None, None)


def titled(group: Group) -> str:
    """A group as a quota writes it."""
    value = _quoted(group.value)
    match group.kind:
        case "teacher":
            return f"teacher {group.value}"
        case "teacher_value":
            return f"teacher {value}"
        case "column":
            column = group.column or ""
            return f"column {column if PLAIN.fullmatch(column) else _quoted(column)} {value}"
        case _:
            return f"skill {value}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bounds(quota: Quota) -> str:
    end = quota.unit if quota.unit.startswith("%") else f" {quota.unit}"
    low, high = (quota.low, quota.high) if quota.equal or idle(quota) else _sides(quota)
    if low is not None and high is not None:
        percent = "%" if quota.unit.startswith("%") else ""
        return f"= {_number(low)}{end}" if quota.equal else f"{_number(low)}{percent}..{_number(high)}{end}"
    return f">= {_number(low)}{end}" if low is not None else f"<= {_number(high or 0)}{end}"


def _sides(quota: Quota) -> tuple[float | None, float | None]:
    """The bounds of a quota, without one that everything meets."""
    whole = quota.high is not None and quota.high >= 100 and quota.unit.startswith("%")
    return quota.low or None, None if whole else quota.high


def _number(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))

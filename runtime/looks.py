"""What a condition saw of one row: each of its parts with its values, what they come to together, and the least change that would turn it."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..compiler.expressions import Expression, Operation
from ..compiler.plan.units import unit_of
from .account import Look, Value
from .built import Built
from .path import Atom, Clause, barriers

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def looks(build: Built, clause: Clause, row: Mapping[str, Any]) -> tuple[Look, ...]:
    """Each part of the clause's condition on this row of the ledger."""
    return tuple(_look(build, atom, row) for atom in clause.atoms)


def holds(condition: Expression, seen: Mapping[Expression, bool | None]) -> bool | None:
    """Whether a condition holds, given its parts; None where a missing value leaves it open."""
    match condition:
        case Operation(operator="not", arguments=(inner,)):
            found = holds(inner, seen)
            return None if found is None else not found
        case Operation(operator="and" | "or" as joint, arguments=arguments):
            each, settles = [holds(a, seen) for a in arguments], joint == "or"
            return settles if settles in each else None if None in each else not settles
        case _:
            return seen[condition]


def _look(build: Built, atom: Atom, row: Mapping[str, Any]) -> Look:
    if atom.truth is not None or atom.left is None or atom.right is None or atom.operator is None:
        truth = atom.truth
        found = build.value(truth, row) if truth is not None and truth.column is not None else None
        return Look(text=atom.text, met=found, left=found, name=atom.text)
    sign, left, right = atom.operator, atom.left, atom.right
    if left.column is None and right.column is not None:
        sign, left, right = _MIRRORED.get(sign, sign), right, left
    mine, theirs = (build.value(side, row) for side in (left, right))
    unit = unit_of(left.expression, build.plan) or unit_of(right.expression, build.plan)
    return Look(
        text=atom.text, met=None if mine is None or theirs is None else COMPARE[sign](mine, theirs), left=_plain(mine), name=left.text,
        operator=sign, right=_plain(theirs), other=right.text, constant=right.column is None, within=_within(atom, row), unit=unit,
    )  # fmt: skip


def _plain(value: object) -> Value:
    return value if isinstance(value, float | int | str | bool | None) else str(value)


def _within(atom: Atom, row: Mapping[str, Any]) -> str | None:
    """The row's group of the quantile or rank that it was held against, in words."""
    groups = [node.group for node in barriers(atom.expression) if node.group is not None]
    if not groups:
        return None
    match groups[-1].name:
        case "teacher":
            return row["teacher"]
        case "skill":
            return ", ".join(row["skills"]) or "no skill"
        case _:
            return None


def lacking(condition: Expression, seen: Mapping[Expression, Look], wanted: bool = True, missing_will_do: bool = False) -> str | None:
    """What must be otherwise for the condition to be `wanted`; None where it is.

    With `missing_will_do` a missing value will do as well: the condition must be other than the opposite of `wanted`.
    """
    match condition:
        case Operation(operator="not", arguments=(inner,)):
            return lacking(inner, seen, not wanted, missing_will_do)
        case Operation(operator="and" | "or" as joint, arguments=arguments):
            each = [lacking(a, seen, wanted, missing_will_do) for a in arguments]
            every = (joint == "and") == wanted
            if not every and None in each:
                return None
            return (" and " if every else ", or ").join(dict.fromkeys(need for need in each if need)) or None
        case _:
            look = seen[condition]
            return None if look.met is wanted or (missing_will_do and look.met is None) else _lacking(look, wanted)


def _lacking(look: Look, wanted: bool) -> str:
    if look.met is None:
        missing = look.name if look.left is None else look.other
        return f"{missing} has no value, and needs one" if look.operator else f"`{look.text}` has no value, and must be {'true' if wanted else 'false'}"
    if look.operator is None:
        return f"`{look.text}` must be {'true' if wanted else 'false'}"
    sign = look.operator if wanted else OPPOSITE[look.operator]
    unit = f" {look.unit}" if look.unit else ""
    mine, bound = look.left, look.right
    if isinstance(mine, bool | str) or isinstance(bound, bool | str) or mine is None or bound is None:
        said = {"==": "must be", "!=": "must be other than"}.get(sign, f"must be {sign}")
        return f"{look.name} is {shown(mine)} and {said} {shown(bound)}"
    to = f"{shown(bound)}{unit}" + ("" if look.constant else f" ({look.other}{f' {look.within}' if look.within else ''})")
    by = shown(abs(mine - bound))
    match sign:
        case "==":
            return f"{look.name} is {shown(mine)} and must be {to}"
        case "!=":
            return f"{look.name} must be other than {to}"
        case ">=" | "<=":
            return f"{look.name} {shown(mine)} must {'rise' if sign == '>=' else 'fall'} by {by}{unit} to {to}"
        case _:
            far = f" by more than {by}{unit}," if mine != bound else ""
            return f"{look.name} {shown(mine)} must {'rise' if sign == '>' else 'fall'}{far} {'above' if sign == '>' else 'below'} {to}"


def shown(value: object) -> str:
    """A value for people: whole numbers in full, others with six digits."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}"
        case float():
            return f"{int(value):,}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
        case _:
            return f'"{value}"'

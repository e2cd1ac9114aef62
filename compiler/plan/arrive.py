"""Whether a later plan can bring rows to a stage that an earlier one did not. It reads conditions, never data, and doubts in favour of `yes`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..expressions import Column, Constant, Constants, Expression, Operation, columns
from .stages import Decontaminate, Dedup, Filter, Heldout, Scan, Score, Stage, Tag, Teachers

_STRICTER = {"<=": ("<", "<="), "<": ("<",), ">=": (">", ">="), ">": (">",)}


def arrive(before: Sequence[Stage], after: Sequence[Stage]) -> bool:
    """Whether rows may come through the stages `after` that do not come through `before`; both as `normalize` leaves them."""
    old, new = ({kind: [s for s in stages if isinstance(s, kind)] for kind in _KINDS} for stages in (before, after))
    scanned = _scans(old[Scan], new[Scan])
    named = _teachers(_only(old[Teachers]), _only(new[Teachers]))
    guarded = _heldout(_only(old[Heldout]), _only(new[Heldout])) and _clean(_only(old[Decontaminate]), _only(new[Decontaminate]))
    if not (scanned and named and guarded):
        return True
    clean = _only(new[Decontaminate])
    if (_essence(old[Dedup]) or (clean and clean.of != "prompt")) and _essence(_above(before)) != _essence(_above(after)):
        return True  # a row that left may have stood for another, or have taken its prompt's rows with it
    if old[Dedup] and _essence(old[Dedup]) != _essence(new[Dedup]):
        return True
    asked = _conditions(old[Filter])
    values = {column.name for condition in asked for column in columns(condition) if column.source == "score"}
    skilled = any(Column("role", "skill") in columns(condition) for condition in asked)
    if any(_scored(before, name) != _scored(after, name) for name in values):
        return True
    if skilled and _essence(old[Tag]) != _essence(new[Tag]):
        return True
    return not _all(asked, _conditions(new[Filter]))


def narrows(before: Expression | None, after: Expression | None) -> bool:
    """Whether every row that passes `after` passes `before`, as far as their text can tell; None lets everything pass."""
    return before is None or (after is not None and _all(_conjuncts(before), _conjuncts(after)))


_KINDS = (Scan, Teachers, Heldout, Decontaminate, Dedup, Filter, Tag)


def _only(stages: list[Any]) -> Any:
    return stages[0] if stages else None


def _above(stages: Sequence[Stage]) -> list[Stage]:
    return [s for s in stages if isinstance(s, Scan | Teachers | Heldout | Decontaminate)]


def _essence(stages: Sequence[Any]) -> list[str]:
    """The stages without their ids and inputs, which tell nothing here."""
    return [repr([(name, getattr(s, name)) for name in s.__dataclass_fields__ if name not in ("id", "inputs")]) for s in stages]


def _scored(stages: Sequence[Stage], name: str) -> list[str]:
    """What the score of that name is; a filter reads it by name."""
    return _essence([replace(s, rows="") for s in stages if isinstance(s, Score) and s.name == name])


def _scans(before: list[Scan], after: list[Scan]) -> bool:
    known = {s.corpus: s for s in before}
    return all(s.corpus in known and _scan(known[s.corpus], s) for s in after)


def _scan(before: Scan, after: Scan) -> bool:
    if (before.path, before.roles) != (after.path, after.roles):
        return False
    old, new = (scan.where and scan.where.condition for scan in (before, after))
    if before.sample is None:
        return narrows(old, new)
    return after.sample is not None and after.sample <= before.sample and old == new and before.seed == after.seed


def _teachers(before: Teachers | None, after: Teachers | None) -> bool:
    if before is None or after is None or not before.teachers:
        return before is None or after is not None
    known = {t.name: t for t in before.teachers}
    return bool(after.teachers) and all(
        t.name in known and t.corpus == known[t.name].corpus and narrows(known[t.name].condition, t.condition) for t in after.teachers
    )


def _heldout(before: Heldout | None, after: Heldout | None) -> bool:
    return before is None or (after is not None and before.scan == after.scan)


def _clean(before: Decontaminate | None, after: Decontaminate | None) -> bool:
    if before is None or before.because is not None:
        return True
    return after is not None and (before.against, before.words, before.of, before.field) == (after.against, after.words, after.of, after.field)


def _conditions(filters: list[Filter]) -> list[Expression]:
    return [part for f in filters for where in f.wheres for part in _conjuncts(where.condition)]


def _conjuncts(condition: Expression) -> list[Expression]:
    match condition:
        case Operation(operator="and", arguments=parts):
            return [each for part in parts for each in _conjuncts(part)]
        case _:
            return [condition]


def _all(before: list[Expression], after: list[Expression]) -> bool:
    return all(any(_implies(new, old) for new in after) for old in before)


def _implies(new: Expression, old: Expression) -> bool:
    """Whether `new` being true makes `old` true: the same, a tighter bound, fewer values."""
    if new == old:
        return True
    match new, old:
        case (
            Operation(operator=tight, arguments=(left, Constant(value=int() | float() as low))),
            Operation(operator=wide, arguments=(same, Constant(value=int() | float() as high))),
        ) if left == same and wide in _STRICTER:
            inside = low < high if wide[0] == "<" else low > high
            return (inside and tight in (wide[0], f"{wide[0]}=")) or (low == high and tight in _STRICTER[wide])
        case (
            Operation(operator="==", arguments=(left, Constant(value=value))),
            Operation(operator="in", arguments=(same, Constants(values=values))),
        ):
            return left == same and value in values
        case (
            Operation(operator="in", arguments=(left, Constants(values=fewer))),
            Operation(operator="in", arguments=(same, Constants(values=values))),
        ):
            return left == same and set(fewer) <= set(values)
        case _:
            return False

"""Whether a later plan can bring rows to a stage that an earlier one did not. It reads conditions, never data, and doubts in favour of `yes`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..expressions import Column, Constant, Constants, Expression, Operation, columns, conjuncts
from .stages import Decontaminate, Dedup, Filter, Heldout, Profile, Scan, Score, Select, Stage, Tag, Teachers

Kind = TypeVar("Kind")
_STRICTER = {"<=": ("<", "<="), "<": ("<",), ">=": (">", ">="), ">": (">",)}


def arrive(before: Sequence[Stage], after: Sequence[Stage]) -> bool:
    """Whether rows may come through the stages `after` that do not come through `before`; both as `normalize` leaves them."""
    scanned = _scans(_of(before, Scan), _of(after, Scan))
    named = _teachers(_only(before, Teachers), _only(after, Teachers))
    clean = _only(after, Decontaminate)
    guarded = _heldout(_only(before, Heldout), _only(after, Heldout)) and _clean(_only(before, Decontaminate), clean)
    if not (scanned and named and guarded) or _essence(_others(before)) != _essence(_others(after)):
        return True
    copies = _essence(_of(before, Dedup))
    if (copies or (clean and clean.of != "prompt")) and _essence(_above(before)) != _essence(_above(after)):
        return True  # a row that left may have stood for another, or have taken its prompt's rows with it
    if copies and copies != _essence(_of(after, Dedup)):
        return True
    asked = _conditions(_of(before, Filter))
    values = {column.name for condition in asked for column in columns(condition) if column.source == "score"}
    skilled = any(Column("role", "skill") in columns(condition) for condition in asked)
    if any(_scored(before, name) != _scored(after, name) for name in values):
        return True
    if skilled and _essence(_of(before, Tag)) != _essence(_of(after, Tag)):
        return True
    return not _all(asked, _conditions(_of(after, Filter)))


def narrows(before: Expression | None, after: Expression | None) -> bool:
    """Whether every row that passes `after` passes `before`, as far as their text can tell; None lets everything pass."""
    return before is None or (after is not None and _all(conjuncts(before), conjuncts(after)))


def _of(stages: Sequence[Stage], kind: type[Kind]) -> list[Kind]:
    return [stage for stage in stages if isinstance(stage, kind)]


def _others(stages: Sequence[Stage]) -> list[Stage]:
    """Stages that nothing here is known of: whatever differs in them may bring rows."""
    known = Scan | Teachers | Heldout | Decontaminate | Dedup | Filter | Tag | Score | Profile | Select
    return [stage for stage in stages if not isinstance(stage, known)]


def _only(stages: Sequence[Stage], kind: type[Kind]) -> Kind | None:
    return next(iter(_of(stages, kind)), None)


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
    free: dict[str, Any] = {"id": "", "where": None, "sample": None, "license": None, "require": None, "seed": 0}
    if replace(before, **free) != replace(after, **free):
        return False
    if after.roles.license and before.require and not (after.require and {*after.require.allowed} <= {*before.require.allowed}):
        return False
    old, new = (scan.where and scan.where.condition for scan in (before, after))
    if before.sample is None:
        return narrows(old, new)
    return after.sample is not None and after.sample <= before.sample and old == new and before.seed == after.seed


def _teachers(before: Teachers | None, after: Teachers | None) -> bool:
    if before is None or after is None:
        return before is None
    if _essence([replace(before, teachers=())]) != _essence([replace(after, teachers=())]):
        return False
    if not before.teachers:
        return True
    known = {t.name: t for t in before.teachers}
    return bool(after.teachers) and all(
        t.name in known
        and replace(t, condition=None) == replace(known[t.name], condition=None)
        and narrows(known[t.name].condition, t.condition)
        for t in after.teachers
    )


def _heldout(before: Heldout | None, after: Heldout | None) -> bool:
    return before is None or (after is not None and _essence([before.scan]) == _essence([after.scan]))


def _clean(before: Decontaminate | None, after: Decontaminate | None) -> bool:
    if before is None or before.because is not None:
        return True
    return after is not None and _essence([before]) == _essence([after])


def _conditions(filters: list[Filter]) -> list[Expression]:
    return [part for f in filters for where in f.wheres for part in conjuncts(where.condition)]


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

"""Quotas that no selection of a row or more can satisfy, whatever the data: found with exact numbers, never where one could."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil

from ..clauses import Budget, Group, Quota
from .bounds import Bounds, Total, bounds_of, decimal, exact, percent, total_of

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Kinship:
    """Which groups share rows. `chains`: a skill's chain in the tree (without a tree there are none); `one_skill`: a row has one.

    `teachers`: the declared ones, of which every row has exactly one; `single`: columns with one value a row.
    """

    teachers: tuple[str, ...] = ()
    chains: Mapping[str, str] | None = None
    one_skill: bool = False
    single: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Quotas that exclude one another (`floors` ask for more than `caps` and `budget` leave): what is wrong, and the sum.

    `lower`: a floor and the number that it would have to be, where changing it alone is enough.
    """

    what: str
    sum: str
    floors: tuple[Quota, ...] = ()
    caps: tuple[Quota, ...] = ()
    budget: Budget | None = None
    lower: tuple[Quota, Fraction] | None = None


@dataclass(slots=True)
class _Node:
    """A group with the highest of its floors and the lowest of its caps, over the groups that lie within it."""

    name: str
    low: Number = 0
    high: Number | None = None
    floor: Bounds | None = None
    cap: Bounds | None = None
    within: list["_Node"] = field(default_factory=list)
    apart: bool = True
    """No row is in two of `within`."""


def conflicts(quotas: Iterable[Quota], budgets: Iterable[Budget], kinship: Kinship) -> list[Conflict]:
    """The conflicts there are, each quota in one at most."""
    found: list[Conflict] = []
    told: set[int] = set()
    budgets, quotas = tuple(budgets), tuple(quotas)
    for measure in ("examples", "tokens"):
        total = total_of(measure, budgets)
        made = [b for q in quotas if (b := bounds_of(q, total))]
        for way in ("share", "amount", *(["most"] if total.high is not None and total.low < total.high else [])):
            for conflict in _conflicts(made, total, kinship, way):
                members = {id(q) for q in (*conflict.floors, *conflict.caps)}
                if not members & told:
                    told |= members
                    found.append(conflict)
    return found


def _conflicts(made: list[Bounds], total: Total, kinship: Kinship, way: str) -> Iterator[Conflict]:
    """Conflicts seen one way: between shares, between amounts, or between floors where as much is selected as the budget allows.

    The last is sound because the floors' shares are at most 100% (else they are told as shares): less is asked of less, but never
    so much less that what is left grows.
    """
    shares = way == "share"
    nodes: dict[Group, _Node] = {}
    for b in made:
        node = nodes.setdefault(b.quota.group, _Node(title(b.quota.group)))
        low, high = {"share": (b.share_least, b.share_most), "amount": (b.least, b.most), "most": (b.least_of_all, None)}[way]
        if low > node.low:
            node.low, node.floor = low, b
        if high is not None and (node.high is None or high < node.high):
            node.high, node.cap = high, b
    for root in _roots(nodes, total, kinship, shares):
        yield from _asked(root, total, way)[2]
    if way != "most":
        yield from _left(nodes, total, kinship, shares)


def title(group: Group) -> str:
    """A group as a quota writes it."""
    quoted = group.value if group.kind == "teacher" else f'"{group.value}"'
    return f"{group.kind.removesuffix('_value')} {f'{group.column} ' if group.column else ''}{quoted}"


def _roots(nodes: dict[Group, _Node], total: Total, kinship: Kinship, shares: bool) -> list[_Node]:
    """One root for each kind of group: all rows, under which the groups stand, a skill under its nearest ancestor."""
    roots: dict[tuple[str, str | None], _Node] = {}
    for group, node in nodes.items():
        kind = (group.kind, group.column)
        root = roots.setdefault(kind, _Node("all", high=Fraction(1) if shares else total.high))
        apart = {"skill": kinship.one_skill, "column": group.column in kinship.single}.get(group.kind, True)
        root.apart = node.apart = apart
        above = root if group.kind != "skill" else _ancestor(group.value, nodes, kinship.chains or {}) or root
        above.within.append(node)
    return list(roots.values())


def _ancestor(name: str, nodes: dict[Group, _Node], chains: Mapping[str, str]) -> _Node | None:
    for above in reversed(chains.get(name, name).split("->")[:-1]):
        if (found := nodes.get(Group(kind="skill", value=above))) is not None:
            return found
    return None


def _asked(node: _Node, total: Total, way: str) -> tuple[Number, tuple[Bounds, ...], list[Conflict]]:
    """How much a group must have at least, because of which floors, and the conflicts within it."""
    below = [_asked(child, total, way) for child in node.within]
    conflicts = [c for _, _, found in below for c in found]
    least = [(low, floors) for low, floors, _ in below if floors]
    if node.apart or not least:
        asked, floors = sum((low for low, _ in least), start=Fraction(0)), tuple(b for _, floors in least for b in floors)
    else:
        asked, floors = max(least, key=lambda pair: pair[0])
    if node.floor is not None and node.low >= asked:
        asked, floors = node.low, (node.floor,)
    if node.high is not None and asked > node.high and floors:
        found = _conflict(node, floors, total, way)
        conflicts.append(replace(found, lower=_lower(floors, asked - node.high, way)) if found.floors != found.caps else found)
        return 0, (), conflicts
    return asked, floors, conflicts


def _conflict(node: _Node, floors: tuple[Bounds, ...], total: Total, way: str) -> Conflict:
    unit, shares = total.measure, way == "share"
    of = "" if shares and unit == "examples" else " of the tokens" if shares else f" {unit}"
    parts = _sum([{"share": b.share_least, "amount": b.least, "most": b.least_of_all}[way] for b in floors], shares)
    quotas = tuple(b.quota for b in floors)
    mixed = not shares and total.budget is not None and any("%" in q.unit for q in (*quotas, *([node.cap.quota] if node.cap else [])))
    shares_of = f"; shares are of {total.budget.amount:,} {unit}" if mixed and total.budget else ""
    if node.cap is None and shares:
        return Conflict("these floors ask for more than everything", f"{parts}{of}", quotas)
    if node.cap is None:
        what = "these floors ask for" if len(quotas) > 1 else "this floor asks for"
        return Conflict(f"{what} more {unit} than the budget", f"{parts}{of}, and the budget is {node.high:,}{shares_of}", quotas, (), total.budget)
    cap = percent(Fraction(node.high or 0)) if shares else f"{node.high:,}{of}"
    said = f"{parts}{of}, and `{node.name}` has at most {cap}{shares_of}"
    one = quotas == (node.cap.quota,)
    if one and total.budget:
        sum_ = f"at least {node.floor.least if node.floor else 0:,} and at most {node.high:,} of {total.budget.amount:,} {unit}"
        return Conflict(f"no whole number of {unit} lies between these bounds", sum_, quotas, (), total.budget)
    same = len(floors) == 1 and floors[0].quota.group == node.cap.quota.group
    what = "a floor above the cap of the same group" if same else f"what lies within `{node.name}` is asked for more than its cap allows"
    return Conflict(what, said, quotas, (node.cap.quota,), total.budget if not shares else None)


def _lower(floors: tuple[Bounds, ...], excess: Number, way: str) -> tuple[Quota, Fraction] | None:
    """The last floor that is high enough to give way by the excess, and what is left of it, in the unit that it is written in."""
    for b in reversed(floors):
        share = "%" in b.quota.unit
        if not b.quota.equal and share is (way == "share") and b.quota.low is not None:
            left = exact(b.quota.low) - (excess * 100 if share else ceil(excess))
            if left > 0:
                return b.quota, left
    return None


def _left(nodes: dict[Group, _Node], total: Total, kinship: Kinship, shares: bool) -> Iterator[Conflict]:
    """Caps on every teacher there is that leave part of the selection to nobody."""
    if not kinship.teachers:
        return
    mine = [nodes.get(Group(kind="teacher", value=name)) for name in kinship.teachers]
    caps = [n.cap for n in mine if n is not None and n.cap is not None]
    highs = [n.high for n in mine if n is not None and n.high is not None]
    if len(caps) < len(mine) or len(highs) < len(mine):
        return
    needed: Number = Fraction(1) if shares else total.low
    if sum(highs) < needed:
        of = "" if shares and total.measure == "examples" else " of the tokens" if shares else f" {total.measure}"
        parts = _sum(highs, shares)
        wanted = "100%" if shares else f"{needed:,}"
        budget = None if shares else total.budget
        who = "these are all the teachers, and their caps leave" if len(caps) > 1 else "this is the only teacher, and its cap leaves"
        yield Conflict(f"{who} part of the selection to nobody", f"{parts}{of}, and {wanted} are to be selected", (), tuple(b.quota for b in caps), budget)


def _sum(numbers: list, shares: bool) -> str:
    shown = [percent(n) if shares else decimal(Fraction(n)) for n in numbers]
    total = sum(numbers, start=Fraction(0))
    return shown[0] if len(shown) == 1 else f"{' + '.join(shown)} = {percent(total) if shares else decimal(total)}"

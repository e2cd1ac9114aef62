"""Lints of clauses that change nothing (MIX0609): implied by another one, or true of every row."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from ..clauses import Budget, Group, Keep, Quota
from ..diagnostics import Diagnostics, Edit, Label
from ..reason.assume import is_certain, never_false
from ..reason.bounds import bounds_of, total_of
from ..reason.facts import Facts
from ..reason.quotas import title
from ..reason.rows import Origin, Premise, is_possible, needed, told
from ..source import Span
from .subject import Rule, Subject

_LABELS = 4
_MOST = 20
"""Idle conditions of one spec for which the clauses that make them so are looked for."""


def implied_condition(subject: Subject, notes: Diagnostics) -> None:
    """A `where` that every row passes which comes to it."""
    alive = [(o, facts) for o in subject.origins if (facts := o.facts()) is not None]
    held: list[Premise] = []
    told_why = 0
    for number, where in subject.wheres:
        premise = Premise(where.condition, where.span, number)
        if alive and all(never_false(where.condition, facts, number) for _, facts in alive):
            certain = all(is_certain(where.condition, facts, number) for _, facts in alive)
            bare = [facts for o, _ in alive if (facts := told(o, ())) is not None]
            always = all(never_false(where.condition, facts, number) for facts in bare)
            because = [] if always or told_why >= _MOST else _because(alive, held, premise, certain=certain)
            told_why += not always
            _tell(subject, notes, where.span, because, always=always, drops_nulls=not certain)
        alive = [(o, facts) for o, facts in alive if is_possible(premise, facts)]
        held.append(premise)


def _because(alive: list[tuple[Origin, Facts]], held: Sequence[Premise], last: Premise, *, certain: bool) -> list[Span]:
    spans: dict[Span, None] = {}
    for origin, _ in alive[:_LABELS]:

        def proves(kept: Iterable[Premise], origin: Origin = origin) -> bool:
            facts = told(origin, kept)
            test = is_certain if certain else never_false
            return facts is None or test(last.condition, facts, last.scope)

        if not proves(()):
            spans |= {p.span: None for p in needed((*origin.premises, *held), last, proves)}
    return list(spans)


def _tell(subject: Subject, notes: Diagnostics, span: Span, because: list[Span], *, always: bool, drops_nulls: bool) -> None:
    what = "this drops only rows without a value" if drops_nulls else "this drops nothing"
    why = "it is true of every row" + (" that has one" if drops_nulls else "") if always else "other clauses have seen to it"
    _redundant(subject, notes, f"{what}: {why}", span, [Label(s, "says as much") for s in because], safe=not drops_nulls)


def larger_keep(subject: Subject, notes: Diagnostics) -> None:
    """`keep best 3` after `keep best 2`; `keep at most 3` where `keep best 2` has left two."""
    tightest: Keep | None = None
    for step in subject.mixture.selection.steps:
        if not isinstance(step, Keep):
            continue
        if tightest is not None and step.count >= tightest.count:
            label = Label(tightest.span, f"leaves {tightest.count:,} of each prompt")
            _redundant(subject, notes, f"at most {tightest.count:,} of each prompt's rows are left here", step.span, [label], safe=step.by == tightest.by)
        else:
            tightest = step
    most = subject.mixture.selection.at_most
    if most is not None and tightest is not None and most.count >= tightest.count:
        label = Label(tightest.span, f"leaves {tightest.count:,} of each prompt")
        _redundant(subject, notes, f"at most {tightest.count:,} of each prompt's rows are left to choose from", most.span, [label])


def implied_quota(subject: Subject, notes: Diagnostics) -> None:
    """A quota that says nothing, or no more than another one of the same group, of one above or below it, or the budget."""
    selection = subject.mixture.selection
    asked = [(q, found) for q in selection.quotas if (found := _asked(q, selection.budgets)) is not None]
    tightest = _tightest(asked)
    chains = dict((subject.mixture.skills.tree if subject.mixture.skills else None) or ())
    below = _highest_below(asked, chains)
    for quota, sides in asked:
        if not sides:
            _redundant(subject, notes, "this quota asks for nothing: every selection keeps it", quota.span, [])
            continue
        others = [tightest[quota.group, quota.unit, side][1] for side in sides]
        if all(o is not quota for o in others):
            labels = [Label(o.span, "asks for as much") for o in {id(o): o for o in others}.values()]
            _redundant(subject, notes, f"another quota of {title(quota.group)} asks for as much or more", quota.span, labels)
        elif set(sides) == {"high"} and (cap := _cap_above(quota, sides["high"], chains, tightest)) is not None:
            what = f"the cap of {title(cap.group)} is as low, and what lies within cannot have more"
            _redundant(subject, notes, what, quota.span, [Label(cap.span, "caps all of it")])
        elif set(sides) == {"low"} and (floor := below.get((quota.group, quota.unit), (Fraction(0), quota)))[0] >= sides["low"]:
            what = f"the floor of {title(floor[1].group)} is as high, and lies within"
            _redundant(subject, notes, what, quota.span, [Label(floor[1].span, "asks for as much of a part")])


Sides = dict[str, Fraction]
"""The bounds of a quota that say something, `low` and `high`, as shares or as amounts."""
Tightest = dict[tuple[Group, str, str], tuple[Fraction, Quota]]


def _asked(quota: Quota, budgets: Sequence[Budget]) -> Sides | None:
    total = total_of("tokens" if "tokens" in quota.unit else "examples", budgets)
    b = None if quota.equal else bounds_of(quota, total)
    if b is None:
        return None
    share = "%" in quota.unit
    low, high = (b.share_least, b.share_most) if share else (Fraction(b.least), None if b.most is None else Fraction(b.most))
    everything = Fraction(1) if share else total.high
    sides = {"low": low} if low > 0 else {}
    return sides | ({"high": high} if high is not None and (everything is None or high < everything) else {})


def _tightest(asked: Iterable[tuple[Quota, Sides]]) -> Tightest:
    """The highest floor and the lowest cap of each group in each unit, the first of equal ones."""
    found: Tightest = {}
    for quota, sides in asked:
        for side, number in sides.items():
            key = (quota.group, quota.unit, side)
            if key not in found or (number > found[key][0] if side == "low" else number < found[key][0]):
                found[key] = (number, quota)
    return found


def _above(quota: Quota, chains: dict[str, str]) -> list[Group]:
    if quota.group.kind != "skill":
        return []
    return [Group(kind="skill", value=name) for name in chains.get(quota.group.value, "").split("->")[:-1]]


def _cap_above(quota: Quota, high: Fraction, chains: dict[str, str], tightest: Tightest) -> Quota | None:
    for group in _above(quota, chains):
        cap = tightest.get((group, quota.unit, "high"))
        if cap is not None and cap[0] <= high:
            return cap[1]
    return None


def _highest_below(asked: Iterable[tuple[Quota, Sides]], chains: dict[str, str]) -> dict[tuple[Group, str], tuple[Fraction, Quota]]:
    """For each skill the highest floor among those that lie within it."""
    found: dict[tuple[Group, str], tuple[Fraction, Quota]] = {}
    for quota, sides in asked:
        for group in _above(quota, chains):
            if "low" in sides and sides["low"] > found.get((group, quota.unit), (Fraction(0), quota))[0]:
                found[group, quota.unit] = (sides["low"], quota)
    return found


def _redundant(subject: Subject, notes: Diagnostics, message: str, span: Span, labels: list[Label], *, safe: bool = True) -> None:
    if not subject.is_own(span):
        return  # what a variant makes idle of its parent is not the parent's fault
    edits = (Edit(subject.line_of(span), ""),) if safe else ()
    more = (f"and {len(labels) - _LABELS:,} more",) if len(labels) > _LABELS else ()
    notes.warning("MIX0609", message, span, "changes nothing" if safe else "changes little", secondary=tuple(labels[:_LABELS]), notes=more, help="take it out", edits=edits)


RULES: tuple[Rule, ...] = (implied_condition, larger_keep, implied_quota)

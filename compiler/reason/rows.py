"""The rows that can reach a clause, told apart by where they come from, and the clauses that a proof about them needs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..expressions import Expression, Operation, columns
from ..source import Span
from .assume import assume
from .domain import Domain
from .facts import Facts

_MOST_STEPS = 5_000
"""Conditions times origins; with more a corpus is looked at as a whole: less is proven, in time that stays linear."""
_MOST_TRIED = 40


@dataclass(frozen=True, slots=True)
class Premise:
    """A condition that holds of every row here, its place, and its number among the clauses (ranks are taken anew in each)."""

    condition: Expression
    span: Span
    scope: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Rows of one corpus, or of one teacher of it: what holds of them before `select`. `alias`: roles as the columns they are."""

    ranges: dict[Expression, Domain]
    alias: dict[Expression, Expression] = field(default_factory=dict)
    premises: tuple[Premise, ...] = ()

    def facts(self) -> Facts | None:
        """What is known of these rows; None where there can be none."""
        return told(self, self.premises)


def grouped(found: Sequence[Origin], wholes: Sequence[Origin], anything: Origin, conditions: int) -> tuple[Origin, ...]:
    """The origins that there is time for: all, else those of whole corpora, else one that may be anything."""
    for origins in (found, wholes):
        if len(origins) * max(conditions, 80) <= _MOST_STEPS:
            return tuple(origins)
    return (anything,)


def told(origin: Origin, premises: Iterable[Premise]) -> Facts | None:
    """What is known of rows of which the premises hold; None where they exclude one another."""
    facts = Facts(domains=dict(origin.ranges), alias=origin.alias)
    return facts if all(assume(p.condition, facts, p.scope) for p in premises) else None


def is_possible(premise: Premise, facts: Facts) -> bool:
    """Take down a premise if it can hold together with the facts; else leave them as they are."""
    layer = facts.layer()
    if not assume(premise.condition, layer, premise.scope):
        return False
    facts.write_down(layer)
    return True


def has_choice(e: Expression) -> bool:
    """Whether a condition holds in one way or another, so that what comes after it may tell more of it."""
    return isinstance(e, Operation) and (e.operator in ("or", "not", "in") or any(has_choice(a) for a in e.arguments))


def excluding(origin: Origin, premises: Sequence[Premise], last: Premise) -> tuple[Premise, ...]:
    """Those of `premises` because of which `last` cannot hold: none of them can be left out, unless there are very many."""
    return needed(premises, last, lambda kept: told(origin, (*kept, last)) is None)


def needed(premises: Sequence[Premise], last: Premise, proves: Callable[[Sequence[Premise]], bool]) -> tuple[Premise, ...]:
    """A small part of the premises with which `proves` still holds (of all of them it does)."""
    read = columns(last.condition)
    near = tuple(p for p in premises if read & columns(p.condition))
    if not proves(near):
        near = tuple(premises)
    for one in near:
        if proves((one,)):
            return (one,)
    if len(near) <= _MOST_TRIED:
        for one in near:
            fewer = tuple(p for p in near if p is not one)
            if proves(fewer):
                near = fewer
    return near

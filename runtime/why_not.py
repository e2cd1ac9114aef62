"""The least that would have to be otherwise: for a dropped row to come in, clause by clause, or for a selected one to drop out."""

from collections.abc import Iterator, Sequence

from ..compiler.clauses import Where
from .account import Account, Need, Rival, Standing, Ticket, Visit
from .built import Built
from .looks import lacking, shown
from .path import path

NOT_SCORED = "not known, for the row was dropped before it was scored"


def needs(build: Built, account: Account) -> tuple[Need, ...]:
    """Of a dropped row what the clause that dropped it asks for, then what each later one would; of a selected row what each would take to lose it.

    Later clauses are held against the other rows as they were: thresholds and prices would move a little.
    """
    return tuple(_to_lose(build, account) if account.selected else _to_enter(build, account))


def _to_enter(build: Built, account: Account) -> Iterator[Need]:
    step = account.step or 0
    if step == 0:
        clause, _, said = (account.reason or "").partition(": ")
        yield Need(clause=clause, must=f"{said or 'dropped'}; this comes before every filter, so the data or that clause must change")
    for clause, visit in zip(path(build.plan), account.visits, strict=True):
        if visit.number < step:
            continue
        if visit.outcome == "not reached" and visit.would is None and not visit.scored:
            yield Need(clause=visit.clause, must=NOT_SCORED)
            continue
        if isinstance(clause.step, Where):
            seen = {atom.expression: look for atom, look in zip(clause.atoms, visit.looks, strict=True)}
            if must := lacking(clause.step.condition, seen):
                yield Need(clause=visit.clause, must=must)
            elif visit.outcome == "dropped":
                yield Need(clause=visit.clause, must=(account.reason or "").removeprefix(f"{visit.clause}: "))
        elif must := _to_win(visit, account.tie):
            yield Need(clause=visit.clause, must=must)
    if account.standing is not None and (must := _to_be_chosen(account.standing, account, step > len(account.visits))):
        yield Need(clause=account.standing.clause, must=must)


def _to_win(visit: Visit, tie: int) -> str | None:
    """What a row asks for that is not among the best of its prompt."""
    if visit.value is None:
        return "it has no value to be compared by, and needs one"
    rival, unit = visit.rival, _unit(visit.unit)
    if rival is None or rival.ahead is None or (visit.outcome == "not reached" and visit.would):
        return None
    if rival.ahead == 0:
        return f"{shown(visit.value)}{unit} is as much as row {rival.row_id} has, and its hash {tie:016x} is the larger: any rise wins"
    last = "" if visit.count == 1 else ", the last that is kept,"
    return f"{shown(visit.value)}{unit} must rise by more than {shown(-rival.ahead)}, to beat row {rival.row_id}{last} with {shown(rival.value)}"


def _to_be_chosen(standing: Standing, account: Account, candidate: bool) -> str | None:
    if standing.tickets is not None:
        return _to_be_drawn(standing.tickets) if candidate else None
    if standing.value is None:
        return (account.reason or "").partition(": ")[2] if candidate else None
    if standing.unknown is not None:
        return f"not known, for {standing.unknown}"
    if standing.advantage is None:
        return None
    rival, low = standing.rival, -standing.advantage
    unit = f"{_unit(standing.unit)}{' x tokens' if standing.weighted else ''}"
    worth = f"its {_objective(standing)} {shown(standing.value)}{unit}"
    if low < 0 and not candidate:
        return None
    parts = []
    if rival is not None and rival.ahead == 0 and rival.tie < account.tie:
        parts.append(f"{worth} is that of row {rival.row_id}, which is in for its smaller hash, {rival.tie:016x} against {account.tie:016x}: any rise exchanges the two")
    elif low > 0:
        parts.append(f"{worth} is {shown(low)} below what its place costs by the prices, and must rise by about that")
        parts += [_exchanged(rival, unit)] if rival is not None and rival.ahead is not None and rival.ahead < 0 else []
    elif candidate:
        parts.append(f"{worth} is {'just ' if not low else ''}what its place costs by the prices{'' if not low else ' and more'}, but whole rows do not come out even and others have the place")
        parts += [_exchanged(rival, unit)] if rival is not None and rival.ahead is not None and rival.ahead < 0 else []
    freed = [c for c in standing.charges if c.amount < 0 and standing.advantage - c.amount > 0]
    if low >= 0 and freed:
        parts.append("or a bound must give way: without the price of " + " or of ".join(f"`{c.clause}`" for c in freed) + " it would be in")
    return "; ".join(parts) or None


def _to_be_drawn(tickets: Sequence[Ticket]) -> str:
    if not tickets:
        return "the profile must have tried one of its skills: leaves that were never tried are not drawn from"
    return "another seed, or a larger budget: it is a draw, and the row was not drawn"


def _exchanged(rival: Rival, unit: str) -> str:
    return f"once it has risen by more than {shown(-(rival.ahead or 0.0))}{unit} it takes the place of row {rival.row_id}"


def _to_lose(build: Built, account: Account) -> Iterator[Need]:
    for clause, visit in zip(path(build.plan), account.visits, strict=True):
        if isinstance(clause.step, Where):
            seen = {atom.expression: look for atom, look in zip(clause.atoms, visit.looks, strict=True)}
            if must := lacking(clause.step.condition, seen, wanted=False, missing_will_do=True):
                yield Need(clause=visit.clause, must=must)
        elif visit.rival is None:
            yield Need(clause=visit.clause, must="nothing: no other row of its prompt came so far")
        elif visit.rival.ahead == 0:
            yield Need(clause=visit.clause, must=f"any fall: row {visit.rival.row_id} has the same value and the larger hash, {visit.rival.tie:016x}")
        else:
            by = shown(visit.rival.ahead)
            yield Need(clause=visit.clause, must=f"{shown(visit.value)}{_unit(visit.unit)} must fall by more than {by}, below row {visit.rival.row_id}")
    if account.standing is not None:
        yield Need(clause=account.standing.clause, must=_to_be_dropped(account.standing, account.tie))


def _to_be_dropped(standing: Standing, tie: int) -> str:
    if standing.tickets is not None:
        return "another seed, or other weights: it was drawn"
    if standing.advantage is None:
        return "nothing: there is no budget, so every candidate is selected"
    unit, rival = f"{_unit(standing.unit)}{' x tokens' if standing.weighted else ''}", standing.rival
    if standing.advantage > 0:
        first = f"its {_objective(standing)} {shown(standing.value)}{unit} must fall by about {shown(standing.advantage)}, to what its place costs by the prices"
    else:
        first = f"little: its {_objective(standing)} {shown(standing.value)}{unit} is {'just' if not standing.advantage else 'less than'} what its place costs by the prices"
    if rival is None or rival.ahead is None or rival.ahead < 0:
        return first
    if rival.ahead == 0 and rival.tie > tie:
        return f"any fall: row {rival.row_id}, which could stand in its place, has the same objective and the larger hash, {rival.tie:016x} against {tie:016x}"
    return f"{first}; once it has fallen by more than {shown(rival.ahead)}{unit} row {rival.row_id} takes its place"


def _objective(standing: Standing) -> str:
    return "random number" if standing.clause == "maximize random" else "objective"


def _unit(unit: str | None) -> str:
    return f" {unit}" if unit else ""

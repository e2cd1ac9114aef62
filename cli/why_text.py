"""The account of a row for people, clause by clause, and as JSON. It counts nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from ..runtime.account import Account, Charge, Look, Rival, Standing, Ticket, Visit
from ..runtime.built import Built
from ..runtime.looks import shown

INDENT = 5
SHORT = 12
NOT_SCORED = "not known: the row was dropped before this was worked out"
MARKS = {"passed": "ok", "dropped": "OUT", "not reached": "--"}
STYLES = {"ok": "success", "OUT": "error", "in": "success", "--": "dim"}


def why_json(build: Built, found: Sequence[Account]) -> str:
    """All of it: the folder, and an account for each row."""
    return json.dumps({"build": str(build.folder), "rows": [asdict(each) for each in found]}, indent=2, ensure_ascii=False)


def why_text(found: Sequence[Account], console: Console) -> None:
    """One paragraph a row, the clauses in the order in which they acted."""
    for number, account in enumerate(found):
        if number:
            console.print()
        for line in _account(account, console.width):
            console.print(line, soft_wrap=True)


def _account(account: Account, width: int) -> Iterator[Text]:
    told = [f"prompt {account.prompt_id}", f"teacher {account.teacher}", *account.skills]
    told += [f"{account.tokens:,} tokens"] if account.tokens is not None else []
    yield Text(f"row {account.row_id}", style="message")
    yield from _wrapped(", ".join(told), width, 2)
    if account.selected:
        yield Text("  selected", style="success")
    else:
        for line in _wrapped(f"dropped: {account.reason}", width, 2):
            line.stylize("error")
            yield line
    if account.arms:
        also = "also " if account.selected else ""
        yield from _wrapped(f"{also}in the selection of {', '.join(account.arms)}", width, 2)
    yield Text("")
    for visit in account.visits:
        yield from _visit(account, visit, width)
    if account.standing is not None:
        yield from _standing(account, account.standing, width)
    if account.needs is not None:
        yield Text("")
        yield from _needs(account, width)


def _head(mark: str, text: str, width: int) -> Iterator[Text]:
    first, *rest = wrap(text, max(width - INDENT - 1, 40), break_on_hyphens=False) or [""]
    yield Text.assemble((f"{mark:>{INDENT - 1}}", STYLES[mark]), " ", (first, "message" if mark != "--" else "dim"))
    yield from (Text(f"{'':{INDENT}}{line}") for line in rest)


def _wrapped(text: str, width: int, indent: int = INDENT + 2) -> Iterator[Text]:
    yield from (Text(line) for line in wrap(text, max(width, 40), initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False, break_long_words=False))


def _visit(account: Account, visit: Visit, width: int) -> Iterator[Text]:
    later = {True: " (would pass)", False: " (would fail)"}.get(visit.would, "") if visit.would is not None else ""  # type: ignore[arg-type]
    mark = MARKS[visit.outcome]
    yield from _head(mark, f"{visit.clause}{later if mark == '--' else ''}", width)
    if mark == "--" and account.step == 0:
        return
    for look in visit.looks:
        if look.operator is not None or look.text != visit.clause.removeprefix("where "):
            yield from _wrapped(_look(look, "no value" if visit.scored else NOT_SCORED), width)
    if visit.kind == "keep best":
        yield from _wrapped(_kept(account, visit), width)


def _look(look: Look, none: str) -> str:
    if look.operator is None:
        return f"{look.text}: {none if look.met is None else shown(look.met)}"
    unit = f" {look.unit}" if look.unit else ""
    if look.met is None:
        return f"{look.name if look.left is None else look.other}: {none}"
    opposite = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
    sign = look.operator if look.met else opposite[look.operator]
    bound = f"{shown(look.right)}{unit}" + ("" if look.constant else f", the {look.other}" if look.within is None else f", the {look.other} ({look.within})")
    return f"{look.name} {shown(look.left)} {sign} {bound}{_distance(look)}"


def _distance(look: Look) -> str:
    if isinstance(look.left, bool | str) or isinstance(look.right, bool | str) or look.left is None or look.right is None:
        return ""
    if look.operator in ("==", "!="):
        return ""
    apart = shown(abs(look.left - look.right))
    return f": misses it by {apart}" if not look.met else f": {apart} to spare" if look.left != look.right else ", just met"


def _kept(account: Account, visit: Visit) -> str:
    unit = f" {visit.unit}" if visit.unit else ""
    if visit.value is None:
        return "no value to be compared by" if visit.scored else NOT_SCORED
    mine = f"{shown(visit.value)}{unit}"
    if visit.outcome == "not reached":
        if visit.rival is None:
            return f"{mine}; there would be room for it"
        return f"{mine} against {shown(visit.rival.value)} of the last one kept, {_row(visit.rival)}"
    place = f"{_ordinal(visit.place)} of its prompt with {mine}" if visit.place else mine
    if visit.rival is None:
        return f"{place}; no other came so far" if visit.place == 1 and visit.count == 1 else f"{place}; none was left out"
    if visit.outcome == "passed":
        return f"{place}; {_row(visit.rival)} is the best left out with {shown(visit.rival.value)}: {_ahead(account, visit.rival, True)}"
    last = "won" if visit.count == 1 else "was the last kept"
    return f"{place}; {_row(visit.rival)} {last} with {shown(visit.rival.value)}: {_ahead(account, visit.rival, False)}"


def _ahead(account: Account, rival: Rival, won: bool) -> str:
    if rival.ahead is None:
        return "not comparable"
    if rival.ahead == 0:
        if (account.tie < rival.tie) is not won:
            return "the same; of many selections of the same objective one was taken by the hashes of all its rows"
        return f"the same, decided by the smaller hash, {account.tie:016x} against {rival.tie:016x}"
    return f"{shown(abs(rival.ahead))} {'ahead' if rival.ahead > 0 else 'behind'}"


def _row(rival: Rival) -> str:
    return f"row {rival.row_id[:SHORT]} ({rival.teacher})"


def _standing(account: Account, standing: Standing, width: int) -> Iterator[Text]:
    reached = account.selected or (account.step or 0) > len(account.visits)
    mark = "in" if account.selected else "OUT" if reached else "--"
    would = ""
    if not reached and standing.advantage is not None:
        would = " (by the prices it would be in)" if standing.advantage > 0 else " (by the prices it would not be in)"
        would = would if standing.advantage else " (by the prices it might be in or not)"
    yield from _head(mark, f"{standing.clause}{would}", width)
    if standing.tickets is not None:
        for said in _tickets(account, standing.tickets) if reached else ():
            yield from _wrapped(said, width)
        return
    if standing.value is None:
        yield from _wrapped("no objective: it has no value to be maximised" if standing.scored else NOT_SCORED, width)
        return
    if standing.unknown is not None:
        yield from _wrapped(f"objective {_number(standing.value, standing)}", width)
        yield from _wrapped(f"advantage not known: {standing.unknown}", width)
        return
    if standing.advantage is None:
        yield from _wrapped(f"objective {_number(standing.value, standing)}" + ("; there is no budget, every candidate is selected" if reached else ""), width)
        return
    rows = [("objective", standing.value, _unit(standing)), *((c.clause, c.amount, _each(c, standing)) for c in standing.charges)]
    rows.append(("advantage", standing.advantage, "" if not standing.estimated else "by the prices of the others"))
    room = max(min(max(len(name) for name, _, _ in rows), width - INDENT - 44), 24)
    for name, amount, note in rows:
        first, *rest = wrap(name, room, break_on_hyphens=False)
        figure = f"{amount:>12.4g}" if name == "objective" or not amount else f"{amount:>+12.4g}"
        style = "message" if name == "advantage" else ""
        yield Text(f"{'':{INDENT + 2}}{first:<{room}} {figure}  {note}".rstrip(), style=style)
        yield from (Text(f"{'':{INDENT + 4}}{line}") for line in rest)
    if standing.rival is not None and reached:
        yield from _wrapped(_exchange(account, standing.rival), width)


def _tickets(account: Account, tickets: Sequence[Ticket]) -> Iterator[str]:
    """What a draw is to the row: its leaves, and what each of them had to win with."""
    if not tickets:
        yield "not drawn: the profile tried none of its skills, so that no draw can reach it"
        return
    yield f"{'drawn' if account.selected else 'not drawn'}: rows are drawn by chance, with the seed of the spec; nothing is compared"
    for each in tickets:
        yield f"`{each.leaf}` has weight {shown(each.weight)}: {100 * each.chance:.3g}% of the first draw, shared by {each.available:,} candidate{'' if each.available == 1 else 's'}"


def _exchange(account: Account, rival: Rival) -> str:
    """What the row with which it could change places says of this one."""
    kind = "the best that is out" if account.selected else "the last that is in"
    return f"of the rows with which it could change places {kind} is {_row(rival)} with {shown(rival.value)}: {_ahead(account, rival, account.selected)}"


def _each(charge: Charge, standing: Standing) -> str:
    if not charge.price:
        return "by its prompt"
    unit = f" {_unit(standing)}" if _unit(standing) else ""
    return f"{charge.price:.3g}{unit} {'an' if charge.unit == 'example' else 'a'} {charge.unit}"


def _unit(standing: Standing) -> str:
    return f"{standing.unit or ''}{' x tokens' if standing.weighted else ''}".strip()


def _number(value: float, standing: Standing) -> str:
    return f"{shown(value)} {_unit(standing)}".rstrip()


def _ordinal(place: int | None) -> str:
    if place is None:
        return "not"
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _needs(account: Account, width: int) -> Iterator[Text]:
    yield Text("it is in; what it would take to lose it" if account.selected else "what would let it in", style="message")
    if not account.needs:
        yield from _wrapped("nothing that one clause alone decides", width, 2)
    for number, need in enumerate(account.needs or ()):
        then = "" if account.selected or number == 0 else "then "
        yield from _wrapped(f"{then}{need.clause}: {need.must}", width, 2)

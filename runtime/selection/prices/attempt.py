"""One attempt at a selection with as many rows as a budget says, or any number: prices from a sample, the rows that those leave in play, whole
rows of them, and the proof.
"""

from math import inf

import numpy as np

from ..problem import Conflict, Infeasible
from ..table import Selected, Table
from .bounded import bounded, nothing_outside
from .classes import Classes
from .constraints import Constraints, constraints
from .doubt import Margin, core, everything, near
from .dual import System, system
from .estimated import SMALL, estimated
from .newton import newton
from .passes import FINE, priced_classes, proof, sample, survivors
from .pool import SCALE, WORTH, Pool, pool
from .repair import Repaired, repaired
from .report import member
from .selected import selected
from .sifted import margin

SELECTED = 4000
SHARE = 50
AIM = 1e-5
ROUNDS = 3
WIDER = 4.0


def attempt(table: Table, known: Classes, count: int | None, *, counting: bool = False) -> Selected | Infeasible:
    """The best selection of `count` rows. `counting`: each row is worth one, and as many are wanted as there can be."""
    made = constraints(table, known, count)
    short = starved(known, made)
    if short:
        return Infeasible(conflict=Conflict(members=tuple(member(table, known, i) for i in short[:1]), changes=()))
    return _priced(table, known, made, count, counting)


def starved(known: Classes, made: Constraints) -> list[int]:
    """Clauses that ask for more, or less, than all rows together can give."""
    found = []
    for j in range(made.height):
        each = [
            int(o) * int(n) + int(t) * int(w)
            for o, t, n, w in zip(made.ones[j], made.tokens[j], known.rows, known.tokens, strict=True)
        ]
        most, least = sum(v for v in each if v > 0), sum(v for v in each if v < 0)
        if most < made.low[j] or least > made.high[j] or made.low[j] > made.high[j]:
            found.append(int(made.clause[j]))
    return found


def _expected(table: Table, known: Classes) -> int:
    """About how many rows will be selected."""
    mean = max(int(known.tokens.sum()) / max(known.total, 1), 1.0)
    sizes = [b.amount if b.unit == "examples" else b.amount / mean for b in table.budgets]
    return max(1, int(min(*sizes, known.total, *sizes)))


def _priced(table: Table, known: Classes, made: Constraints, count: int | None, counting: bool) -> Selected | Infeasible:
    part = 1.0 if known.total <= SMALL else min(1.0, max(SELECTED / _expected(table, known), 1 / SHARE))
    full = system(made, 1.0, known)
    drawn = sample(table, known, part)
    price, spread, smooth = estimated(drawn, made, known, part)
    room = margin(full, spread, 2 * smooth + 2.0**-20)
    passes, bound, start = 2, None, np.zeros(made.height, np.int64)
    best: tuple[Pool, np.ndarray] | None = None
    for _ in range(ROUNDS):
        cut, at = room, price
        if part == 1.0:
            inside = pool(drawn)
        else:
            start = _fitting(known, made, at, full)
            inside = survivors(table, known, made, start, room)
            passes += 1
        answer = _whole(inside, made, full, price, 2 * smooth * part**0.5, None if part == 1.0 else room, counting)
        price = answer.price
        whole = _fitting(known, made, price, full)
        if part == 1.0 or nothing_outside(known, made, start, cut, whole):
            proven = bounded(inside, known, made, whole)
        else:
            proven = proof(table, known, made, whole)
            passes += 1
        bound = proven if bound is None else min(bound, proven)
        if answer.chosen is not None and (best is None or inside.worth[answer.chosen].sum() > best[0].worth[best[1]].sum()):
            best = inside, answer.chosen
        outside = proven * 2.0 ** -(SCALE + FINE) - answer.bound
        if part == 1.0 or (best is not None and outside <= AIM / 4 * abs(answer.bound)):
            break
        room = room.wider(3)
    if best is None or bound is None:
        return Infeasible(conflict=Conflict(members=tuple(member(table, known, i) for i in range(len(table.clauses))), changes=(), proven=False))
    return selected(table, known, made, full, price, (bound, known.total if count is None else count), *best, passes)


def _whole(inside: Pool, made: Constraints, held: System, start: np.ndarray, smooth: float, room: Margin | None, counting: bool) -> Repaired:
    """Prices over a pool, and whole rows of it."""
    found = newton(inside, made, held, start, smooth=smooth, doubt=max(1000, 12 * made.height), margin=room)
    narrow = near(held, found.smooth).wider(WIDER)
    answer = Repaired(None, found.price, inf)
    for width in (narrow, narrow.wider(WIDER**2), everything(held)):
        part = core(inside, made, held, found.price, found.smooth, width)
        answer = repaired(part, float(inside.worth[part.taken].sum()) * 2.0**-WORTH, found.price, AIM / 2, counting)
        if answer.chosen is not None and part.holds(answer.price):
            break
    return answer


def _fitting(known: Classes, made: Constraints, price: np.ndarray, held: System) -> np.ndarray:
    """Prices of the constraints themselves in units of 2^-FINE of a whole value; halved until 64 bits hold what they make of any row: so high
    are prices only where nothing satisfies the constraints.
    """
    while True:
        whole = np.rint(price / held.unit * 2.0 ** (SCALE + FINE)).astype(np.int64)
        try:
            priced_classes(known, made, whole)
            return whole
        except OverflowError:
            price = price / 2

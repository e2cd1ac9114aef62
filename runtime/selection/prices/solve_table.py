"""Solves a selection over a table of any size by Lagrangian prices, with a proof of how far from the best the answer can be.

Prices come from a sample of the prompts; one pass keeps the rows that any prices near those leave in play; a linear program over the rows in
doubt makes the prices exact, an integer program makes the rows whole; one pass in integers proves the bound. No answer depends on the order
of the rows, on files or on threads.
"""

from dataclasses import replace
from fractions import Fraction
from math import fsum, inf

import numpy as np
import polars as pl

from ..outcomes import broken
from ..problem import Conflict, Infeasible
from ..table import Selected, Table
from .classes import Classes, classes
from .constraints import Constraints, constraints
from .bounded import bounded, nothing_outside
from .core import Margin, core, everything, near
from .dual import System, system
from .newton import newton
from .passes import FINE, proof, sample, survivors
from .pool import SCALE, WORTH, Pool, scaled
from .repair import Repaired, repaired
from .report import member, reported
from .sifted import covariance, margin, within

SELECTED = 4000
SHARE = 50
SMALL = 200_000
COARSE = 16
AIM = 1e-5
ROUNDS = 3
TRIES = 3
WIDER = 4.0


def solve_table(table: Table) -> Selected | Infeasible:
    """The selection of nearly the highest objective among those that satisfy every clause, how near, or why there is none."""
    known = classes(table)
    if not table.budgets:
        return _everything(table, known)
    up_to = [b.amount for b in table.budgets if b.up_to]
    if up_to and table.count is None:
        return _filled(table, known, min(*up_to, known.total, *up_to))
    return _attempt(table, known, table.count)


def _filled(table: Table, known: Classes, most: int) -> Selected | Infeasible:
    """As many rows as a budget `up to` and the other clauses allow, and among those sets the best."""
    first = _attempt(table, known, most)
    if isinstance(first, Selected):
        return first
    counted = replace(table, frame=table.frame.with_columns(objective=pl.lit(1.0)))
    reached = _attempt(counted, replace(known, largest=1.0), None)
    if isinstance(reached, Infeasible):
        return reached
    least, top = round(reached.objective), min(int(reached.bound + 1e-6), most - 1)
    for count in range(top, least - 1, -1):
        if count - least < TRIES or count == top:
            found = _attempt(table, known, count)
            if isinstance(found, Selected):
                return found
    return reached  # cannot be: a selection of `least` rows was found


def _attempt(table: Table, known: Classes, count: int | None) -> Selected | Infeasible:
    made = constraints(table, known, count)
    short = starved(known, made)
    if short:
        return Infeasible(conflict=Conflict(members=tuple(member(table, known, i) for i in short[:1]), changes=()))
    return _priced(table, known, made, count)


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


def _priced(table: Table, known: Classes, made: Constraints, count: int | None) -> Selected | Infeasible:
    part = 1.0 if known.total <= SMALL else min(1.0, max(SELECTED / _expected(table, known), 1 / SHARE))
    full = system(made, 1.0, known)
    pool, drawn = sample(table, known, part)
    price, spread, smooth = _estimated(pool, drawn, made, known, part)
    room = margin(full, spread, 2 * smooth + 2.0**-20)
    passes, bound = 2, None
    best: tuple[Pool, np.ndarray] | None = None
    for _ in range(ROUNDS):
        cut, at = room, price
        if part < 1.0:
            pool = survivors(table, known, made, integers(at, full), room)
            passes += 1
        answer = _whole(pool, made, full, price, 2 * smooth * part**0.5, None if part == 1.0 else room)
        price = answer.price
        whole = integers(price, full)
        if part == 1.0 or nothing_outside(known, made, integers(at, full), cut, whole):
            proven = bounded(pool, known, made, whole)
        else:
            proven = proof(table, known, made, whole)
            passes += 1
        bound = proven if bound is None else min(bound, proven)
        if answer.chosen is not None:
            best = pool, answer.chosen
        outside = proven * 2.0 ** -(SCALE + FINE) - answer.bound
        if part == 1.0 or (best is not None and outside <= AIM / 4 * abs(answer.bound)):
            break
        room = room.wider(3)
    if best is None or bound is None:
        return Infeasible(conflict=Conflict(members=tuple(member(table, known, i) for i in range(len(table.clauses))), changes=(), proven=False))
    return _selected(table, known, made, full, price, (bound, known.total if count is None else count), *best, passes)


def _whole(pool: Pool, made: Constraints, held: System, start: np.ndarray, smooth: float, room: Margin | None) -> Repaired:
    """Prices over a pool, and whole rows of it."""
    found = newton(pool, made, held, start, smooth=smooth, doubt=max(1000, 12 * made.height), margin=room)
    narrow = near(held, found.smooth).wider(WIDER)
    answer = Repaired(None, found.price, inf)
    for width in (narrow, narrow.wider(WIDER**2), everything(held)):
        part = core(pool, made, held, found.price, found.smooth, width)
        answer = repaired(part, float(pool.worth[part.taken].sum()) * 2.0**-WORTH, found.price, AIM / 4)
        if answer.chosen is not None and part.holds(answer.price):
            break
    return answer


def _estimated(pool: Pool, drawn: np.ndarray, made: Constraints, known: Classes, part: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Prices over a sample, how they vary, and the smoothing they were found with: first over a sixteenth of it, then over what that leaves."""
    doubt = max(300, 12 * made.height)
    price, smooth = np.zeros(made.height), 0.25
    spread = np.zeros((made.height, made.height))
    if pool.size > SMALL // COARSE:
        coarse = pool.where(drawn < part / COARSE) if part < 1 else pool.where(drawn < 1 / COARSE)
        held = system(made, part / COARSE, known)
        rough = newton(coarse, made, held, price, smooth=smooth, doubt=doubt, least=2.0**-5, ridge=0.5)
        spread = covariance(coarse, held, rough, 1 / COARSE)
        price, smooth = rough.price, rough.smooth
    held = system(made, part, known)
    inside = np.ones(pool.size, bool)
    tries = 4 if spread.any() else 1
    while True:
        room = margin(held, spread, 2 * smooth + 2.0**-20) if spread.any() else None
        if room is not None:
            inside = within(pool, held, price, room)
        sifted = pool.where(inside)
        found = newton(sifted, made, held, price, smooth=smooth, doubt=doubt, margin=room, least=2.0**-9, ridge=0.5)
        price, smooth, tries = found.price, found.smooth, tries - 1
        if not tries or not np.any((held.advantage(pool, price) > 0) & ~inside):
            return price, covariance(sifted, held, found, part), smooth


def integers(price: np.ndarray, held: System) -> np.ndarray:
    """Prices of the constraints themselves in units of 2^-FINE of a whole value."""
    return np.rint(price / held.unit * 2.0 ** (SCALE + FINE)).astype(np.int64)


def _selected(
    table: Table, known: Classes, made: Constraints, held: System, price: np.ndarray, proven: tuple[int, int], pool: Pool, chosen: np.ndarray, passes: int
) -> Selected:
    width = len(known.rows)
    counts, amounts = np.zeros((2, width), np.int64)
    np.add.at(counts, pool.cls[chosen], 1)
    np.add.at(amounts, pool.cls[chosen], pool.tokens[chosen])
    power = scaled(known.largest)
    unit = 2.0 ** (SCALE - power)
    prices = [0.0] * len(table.clauses)
    for j in range(made.height):
        prices[int(made.clause[j])] += float(price[j] / held.unit[j] * unit * float(made.scale[j]))
    if table.at_most is not None:
        prices[0] = _of_prompts(pool, held, price) * unit
    done = reported(table, known, counts, amounts, int(np.bincount(pool.prompt[chosen]).max(initial=0)), tuple(prices))
    wrong = [o.clause.text for o in done if broken(o)]
    if wrong:
        raise RuntimeError(f"the solver returned a selection that breaks `{wrong[0]}`; this is a bug in mixc")
    objective = fsum(pool.value[chosen])
    bound, most = proven  # each of `most` rows may be worth half a unit more than it was rounded to
    ceiling = float((Fraction(bound, 2**FINE) + Fraction(most, 2)) / Fraction(2) ** power)
    top = max(objective, float(np.nextafter(ceiling, np.inf)))
    return Selected(
        rows=pool.row.filter(pl.Series(chosen)).sort(),
        objective=objective,
        bound=top,
        gap=0.0 if top == objective else (top - objective) / abs(objective) if objective else inf,
        resolution=0.0,
        method="prices",
        outcomes=done,
        prices=tuple(prices),
        passes=passes,
    )


def _of_prompts(pool: Pool, held: System, price: np.ndarray) -> float:
    """What one row more in every prompt would add: the best advantage that each prompt leaves out."""
    advantage = held.advantage(pool, price)
    inside = advantage > 0
    order = np.lexsort((-advantage[inside], pool.prompt[inside]))
    prompt, gain = pool.prompt[inside][order], advantage[inside][order]
    first = np.flatnonzero(np.r_[True, prompt[1:] != prompt[:-1]])[: len(prompt)]
    place = np.arange(len(prompt)) - np.repeat(first, np.diff(np.r_[first, len(prompt)]))
    return fsum(gain[place == held.at_most])


def _everything(table: Table, known: Classes) -> Selected | Infeasible:
    held = table.frame.select("row", "prompt", "objective").collect(engine="streaming")
    fullest = int(held["prompt"].value_counts()["count"].max() or 0) if held.height else 0  # pyright: ignore[reportArgumentType]
    prices = (0.0,) * len(table.clauses)
    done = reported(table, known, known.rows, known.tokens, fullest, prices)
    for i, outcome in enumerate(done):
        if broken(outcome):
            return Infeasible(conflict=Conflict(members=(member(table, known, i),), changes=(), all_selected=True))
    total = fsum(held["objective"])
    return Selected(
        rows=held["row"].sort(),
        objective=total,
        bound=total,
        gap=0.0,
        resolution=0.0,
        method="all",
        outcomes=done,
        prices=prices,
        passes=2,
    )

"""Prices that minimise the Lagrangian dual over a pool: semismooth Newton steps, the smoothing lowered until few rows are in doubt.

The dual has kinks where a price is zero (a bound on one side, or on both): steps move within the signs of the prices, as orthant-wise
methods do (Andrew and Gao 2007). Prices are bounded, so that a pool without a solution ends in large prices, not in none.
"""

from dataclasses import dataclass, replace

import numpy as np

from .constraints import Constraints
from .doubt import Core, Margin, core, everything, near
from .dual import Point, System, curvature, point, product
from .pool import Pool

STEPS = 20
LEAST = 2.0**-40
MOST = 1000.0
FARTHEST = 0.25
SHORTER = 0.25
WIDER = 4.0
OFTEN = 3
TIED = 0.8
STEEP = 64.0
LOST = 2.0
HALVINGS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Prices of the constraints in their units of `System`, the smoothing they were found with, the rows that were then in doubt, and the
    dual over them.
    """

    price: np.ndarray
    smooth: float
    core: Core
    at: Point


def newton(
    pool: Pool,
    made: Constraints,
    held: System,
    start: np.ndarray,
    *,
    smooth: float,
    doubt: int,
    margin: Margin | None = None,
    least: float = LEAST,
    ridge: float = 0.01,
) -> Priced:
    """The prices, from `start` and a smoothing of `smooth` on, until at most `doubt` rows are taken in part or the smoothing is `least`.

    `margin`: how far the prices may be from `start`; rows that this leaves in no doubt are not looked at unless prices leave it.
    `ridge`: half of it times the squared prices is added to the dual. Bounds then give way by `ridge` typical rows for a price of 1, which is
    the greatest value of a row; a pool without a solution ends in large prices, not in none.
    """
    # As if the worth of each constraint's rows were spread evenly: what holds back a price that no row is near to.
    width = held.ones.shape[1]
    counts, amounts = np.bincount(pool.cls, minlength=width), np.bincount(pool.cls, pool.tokens, width)
    even = product(np.abs(held.ones), counts) + product(np.abs(held.tokens), amounts)
    price, room = np.clip(start, -MOST, MOST), margin or everything(held)
    part = core(pool, made, held, price, smooth, room)
    former, again, inner = (price, np.inf), 0, 0
    while True:
        price, at = _settled(part, price, smooth, ridge, even)
        if not part.holds(price):
            again += 1
            room = everything(held) if again >= OFTEN else room.wider(WIDER)
            part = core(pool, made, held, price, smooth, room)
            continue
        if len(at.inner) <= doubt or smooth <= least:
            return Priced(price, smooth, part, at)
        # Rows that tie stay in doubt at any smoothing above their tie-breaks, and prices then move in a straight line with it.
        lower = max(smooth / (STEEP if len(at.inner) > TIED * inner > 0 else 4.0), least)
        ahead = price + (price - former[0]) * (smooth - lower) / (former[1] - smooth)
        room = everything(held) if again >= OFTEN else near(held, smooth).wider(WIDER**again)
        again, inner = max(again - 1, 0), len(at.inner)
        part = _within(part, core(part.pool, part.made, part.held, price, smooth, room))
        former, smooth = (price, smooth), lower
        price = _better(part, price, np.clip(ahead, -MOST, MOST), smooth, ridge)


def _better(part: Core, price: np.ndarray, ahead: np.ndarray, smooth: float, ridge: float) -> np.ndarray:
    """Of two prices the one at which the dual is less."""
    ahead = np.where(price * ahead < 0, 0.0, ahead)
    if not part.holds(ahead):
        return price
    values = [point(part.pool, part.held, p, smooth).value + ridge / 2 * float((p * p).sum()) for p in (price, ahead)]
    return ahead if values[1] < values[0] else price


def _within(outer: Core, inner: Core) -> Core:
    """The core of a core as that of the whole pool."""
    taken = outer.taken.copy()
    taken[outer.inside[inner.taken]] = True
    return replace(inner, inside=outer.inside[inner.inside], taken=taken, outer=outer)


def _settled(part: Core, price: np.ndarray, smooth: float, ridge: float, even: np.ndarray) -> tuple[np.ndarray, Point]:
    """The prices at which the dual over the core is least, or the first on the way there that the core does not hold for."""
    pool, held = part.pool, part.held
    at = point(pool, held, price, smooth)
    damping = 0.01
    for _ in range(STEPS):
        slope = _slope(held, price, at.activity, ridge)
        if np.all(np.abs(slope) <= 1e-3 * np.sqrt(held.size)):
            break
        free = np.flatnonzero(slope)
        bend = curvature(pool, held, at, smooth)[np.ix_(free, free)]
        bend[np.diag_indices_from(bend)] += damping * even[free] + ridge
        step = np.zeros_like(price)
        step[free] = -np.linalg.solve(bend, slope[free])
        step *= min(1.0, FARTHEST / np.abs(step).max())
        halvings = 0
        while halvings < HALVINGS and not part.holds(price + step, LOST):
            step, halvings = step / 2, halvings + 1
        moved = _moved(pool, held, price, at, step, slope, smooth, ridge)
        if moved is None:
            if damping > 1e6:
                break
            damping *= 30.0
            continue
        price, at, length = moved
        if halvings and not part.holds(price):
            break
        damping = max(damping / 10.0, 1e-4) if length == 1.0 else damping if length == SHORTER else min(damping * 8.0, 1e6)
    return price, at


def _slope(held: System, price: np.ndarray, activity: np.ndarray, ridge: float) -> np.ndarray:
    """The slope of steepest descent: zero where a price of zero should stay so."""
    over, under = held.high - activity + ridge * price, held.low - activity + ridge * price
    at_zero = np.where(over < 0, over, np.where(under > 0, under, 0.0))
    slope = np.where(price > 0, over, np.where(price < 0, under, at_zero))
    return np.where(held.low == held.high, over, slope)


def _moved(
    pool: Pool, held: System, price: np.ndarray, at: Point, step: np.ndarray, slope: np.ndarray, smooth: float, ridge: float
) -> tuple[np.ndarray, Point, float] | None:
    """The first of ever shorter steps that lowers the dual enough."""
    equal = held.low == held.high
    sign = np.where(price != 0, np.sign(price), -np.sign(slope))
    before = at.value + ridge / 2 * float((price * price).sum())
    length = 1.0
    for _ in range(3):
        tried = price + length * step
        tried = np.clip(np.where(~equal & (tried * sign < 0), 0.0, tried), -MOST, MOST)
        there = point(pool, held, tried, smooth)
        if there.value + ridge / 2 * float((tried * tried).sum()) <= before + 1e-4 * float((slope * (tried - price)).sum()):
            return tried, there, length
        length *= SHORTER
    return None

"""Prices that minimise the Lagrangian dual over a pool: semismooth Newton steps, the smoothing lowered until few rows are in doubt.

The dual has kinks where a price is zero (a bound on one side, or on both): steps move within the signs of the prices, as orthant-wise
methods do (Andrew and Gao 2007). Prices are bounded, so that a pool without a solution ends in large prices, not in none.
"""

from dataclasses import dataclass

import numpy as np

from .dual import Point, System, curvature, point
from .pool import Pool

STEPS = 40
LEAST = 2.0**-40


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Prices of the constraints in their units of `System`, the smoothing they were found with, and the dual there."""

    price: np.ndarray
    smooth: float
    at: Point


def newton(pool: Pool, held: System, start: np.ndarray, *, smooth: float, doubt: int, most: float) -> Priced:
    """The prices, from `start` and a smoothing of `smooth` on, until at most `doubt` rows are taken in part. No price exceeds `most`."""
    price = np.clip(start, -most, most)
    while True:
        price, at = _settled(pool, held, price, smooth, most)
        if len(at.inner) <= doubt or smooth <= LEAST:
            return Priced(price, smooth, at)
        smooth /= 4.0


def _settled(pool: Pool, held: System, price: np.ndarray, smooth: float, most: float) -> tuple[np.ndarray, Point]:
    at = point(pool, held, price, smooth)
    size = np.maximum(np.abs(np.where(np.isfinite(held.high), held.high, 0)), np.abs(np.where(np.isfinite(held.low), held.low, 0))) + 1.0
    damping = 1e-9
    for _ in range(STEPS):
        slope = _slope(held, price, at.activity, most)
        if np.all(np.abs(slope) <= 1e-3 * np.sqrt(size)):
            break
        free = np.flatnonzero(slope)
        bend = curvature(pool, held, at, smooth)[np.ix_(free, free)]
        bend[np.diag_indices_from(bend)] += damping * max(float(np.trace(bend)), 1.0) + 1e-12
        step = np.zeros_like(price)
        step[free] = -np.linalg.solve(bend, slope[free])
        sign = np.where(price != 0, np.sign(price), -np.sign(slope))
        moved = _moved(pool, held, price, at, step, sign, slope, smooth, most)
        if moved is None:
            if damping > 1e3:
                break
            damping = max(damping * 100.0, 1e-6)
            continue
        price, at = moved
        damping = max(damping / 10.0, 1e-10)
    return price, at


def _slope(held: System, price: np.ndarray, activity: np.ndarray, most: float) -> np.ndarray:
    """The steepest descent's slope: zero where a price of zero should stay so, or a price at its limit would leave it."""
    over, under = held.high - activity, held.low - activity
    at_zero = np.where(over < 0, over, np.where(under > 0, under, 0.0))
    equal = held.low == held.high
    slope = np.where(price > 0, over, np.where(price < 0, under, at_zero))
    slope = np.where(equal, over, slope)
    outward = (np.abs(price) >= most) & (np.sign(price) == -np.sign(slope))
    return np.where(outward, 0.0, slope)


def _moved(
    pool: Pool, held: System, price: np.ndarray, at: Point, step: np.ndarray, sign: np.ndarray, slope: np.ndarray, smooth: float, most: float
) -> tuple[np.ndarray, Point] | None:
    """The first of ever shorter steps that lowers the dual enough."""
    equal = held.low == held.high
    length = 1.0
    for _ in range(12):
        tried = price + length * step
        tried = np.where(~equal & (tried * sign < 0), 0.0, tried)
        tried = np.clip(tried, -most, most)
        there = point(pool, held, tried, smooth)
        if there.value <= at.value + 1e-4 * float(slope @ (tried - price)):
            return tried, there
        length /= 3.0
    return None

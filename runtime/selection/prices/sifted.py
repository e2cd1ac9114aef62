"""From prices over a sample to how far they may be from those of the whole table: the sandwich estimate of their covariance.

A row then matters for the whole table only where its advantage is above zero by some prices within that distance.
"""

import numpy as np

from .doubt import Margin
from .dual import System, curvature, point, product
from .newton import Priced
from .pool import Pool
from .segments import starts

DEVIATIONS = 5.0
"""How many standard deviations the prices are trusted to stay within; what leaves them is noticed by the proof."""


def covariance(pool: Pool, held: System, found: Priced, part: float) -> np.ndarray:
    """float[constraints, constraints]: how far prices found over `part` of the prompts vary, in units of `System`."""
    at = point(pool, held, found.price, found.smooth)
    taken = np.flatnonzero(at.taken > 0)
    columns = held.columns(pool.cls[taken], pool.tokens[taken]) * at.taken[taken]
    sums = np.add.reduceat(columns, starts(pool.prompt[taken]), axis=1) if len(taken) else columns
    scatter = product(sums, sums.T) * (1.0 - part) + np.eye(len(columns))
    noise = np.sqrt(np.diag(scatter))
    near = (found.price != 0) | (held.high - at.activity < DEVIATIONS * noise) | (at.activity - held.low < DEVIATIONS * noise)
    active = np.flatnonzero(near)
    bend = curvature(pool, held, at, found.smooth)[np.ix_(active, active)]
    inverse = np.linalg.inv(bend + 0.5 * np.eye(len(active)))
    full = np.zeros_like(scatter)
    full[np.ix_(active, active)] = product(product(inverse, scatter[np.ix_(active, active)]), inverse)
    return full


def margin(held: System, spread: np.ndarray, least: float) -> Margin:
    """The margin of each class where prices vary by `spread`: the deviation is a convex function of tokens, and the margin its chord from
    the shortest row of the class to the longest.
    """
    ones, tokens = product(spread, held.ones), product(spread, held.tokens)
    square = (held.ones * ones).sum(0), 2 * (held.tokens * ones).sum(0), (held.tokens * tokens).sum(0)

    def deviation(w: np.ndarray) -> np.ndarray:
        return DEVIATIONS * np.sqrt(np.maximum(square[0] + square[1] * w + square[2] * w * w, 0.0))

    few, many = held.shortest, np.maximum(held.longest, held.shortest + 1)
    slope = (deviation(many) - deviation(few)) / (many - few)
    return Margin(np.minimum(deviation(few) - slope * few, 4.0) + least, np.clip(slope, 0.0, 4.0))


def within(pool: Pool, held: System, price: np.ndarray, room: Margin) -> np.ndarray:
    """bool[rows]: the rows that prices within the margin of `price` leave in play."""
    return held.advantage(pool, price) > -room.of(pool)

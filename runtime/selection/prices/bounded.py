"""The Lagrangian bound from the rows that survived a pass, in integers, and the proof that no other row adds to it: prices that stay within
the margin of that pass cannot make one worth more than nothing. It reads no table.
"""

import numpy as np

from .classes import Classes
from .constraints import Constraints
from .doubt import Margin
from .passes import FINE, priced_classes, summed
from .pool import Pool, scaled
from .segments import runs, top


def nothing_outside(known: Classes, made: Constraints, at: np.ndarray, margin: Margin, price: np.ndarray) -> bool:
    """Whether every row that a pass at the integer prices `at` dropped is worth nothing at `price`: a linear function of its tokens says so,
    for those of the shortest and of the longest row of each class.
    """
    before, after = priced_classes(known, made, at, margin), priced_classes(known, made, price)
    ones, tokens = before[0] - after[0], before[1] - after[1]
    there = known.rows > 0
    return all(bool(np.all((ones + tokens * w)[there] <= 0)) for w in (known.shortest, known.longest))


def bounded(pool: Pool, known: Classes, made: Constraints, price: np.ndarray) -> int:
    """What `proof` returns, where the rows of the pool alone are worth something."""
    ones, tokens = priced_classes(known, made, price)
    whole = np.rint(pool.value * 2.0 ** scaled(known.largest)).astype(np.int64)
    advantage = whole * 2**FINE - ones[pool.cls] - tokens[pool.cls] * pool.tokens
    live = np.flatnonzero(advantage > 0)
    gain, prompt = advantage[live], pool.prompt[live]
    if made.at_most is not None and len(gain):
        first, _, place = runs(prompt)
        gain = gain[top(gain, first, place, made.at_most)]
    return made.allowance(price) + summed(gain)

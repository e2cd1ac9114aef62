"""The rows that were chosen from a pool as a selection: their exact objective, its gap to the bound, prices in the units of clauses."""

from fractions import Fraction
from math import fsum, inf

import numpy as np
import polars as pl

from ..outcomes import broken
from ..table import Selected, Table
from .classes import Classes
from .constraints import Constraints
from .dual import System
from .passes import FINE
from .pool import SCALE, Pool, scaled
from .report import reported
from .segments import crowded, runs, top


def selected(
    table: Table, known: Classes, made: Constraints, held: System, price: np.ndarray, proven: tuple[int, int], pool: Pool, chosen: np.ndarray, passes: int
) -> Selected:
    """The rows of a mask of the pool, with what became of each clause. `proven`: the bound as `proof` has it, and the most rows it is of."""
    counts, amounts = np.zeros((2, len(known.rows)), np.int64)
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
    most_worth = max(objective, float(np.nextafter(ceiling, np.inf)))
    return Selected(
        rows=pool.row.filter(pl.Series(chosen)).sort(),
        objective=objective,
        bound=most_worth,
        gap=0.0 if most_worth == objective else (most_worth - objective) / abs(objective) if objective else inf,
        resolution=0.0,
        method="prices",
        outcomes=done,
        prices=tuple(prices),
        passes=passes,
    )


def _of_prompts(pool: Pool, held: System, price: np.ndarray) -> float:
    """What one row more in every prompt would add: the best advantage that each prompt leaves out."""
    if held.at_most is None:
        return 0.0
    advantage = held.advantage(pool, price)
    live = np.flatnonzero(advantage > 0)
    rows = live[crowded(pool.prompt[live], held.at_most)]
    if not len(rows):
        return 0.0
    gain = advantage[rows]
    first, _, place = runs(pool.prompt[rows])
    return fsum(np.maximum.reduceat(np.where(top(gain, first, place, held.at_most), 0.0, gain), first))

"""Which leaves of a tree are nearest to a text, given the vectors of both. Exact on the numbers that it is given; knows no model and no rows."""

from collections.abc import Sequence

import numpy as np

from ..compiler.plan.stages import Nearest

SCALE = float(1 << 24)
"""Vectors are rounded to multiples of 1/SCALE. Their products are then whole numbers below 2^53, whose float64 sums are exact in any order."""
ARROW = "->"


def describe(chain: str, description: str | None = None) -> str:
    """What is embedded of a node: its name, then those above it, the nearest first; then what the tree says of it."""
    *above, name = chain.split(ARROW)
    said = f"{name} ({', '.join(reversed(above))})" if above else name
    return f"{said}: {description}" if description else said


def similarities(texts: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """float64[texts, leaves]: the products of unit vectors as whole numbers, of which SCALE^2 is 1."""
    return np.rint(texts * SCALE) @ np.rint(leaves * SCALE).T


def nearest(clause: Nearest, names: Sequence[str], found: np.ndarray) -> list[list[str]]:
    """For each text the `names` (sorted) of the leaves that the clause gives it, sorted. `found`: `similarities`; of equal ones the first name is nearer."""
    order = np.argsort(-found, axis=1, kind="stable")[:, : clause.top or found.shape[1]]
    values = np.take_along_axis(found, order, axis=1)
    taken = np.ones(values.shape, bool)
    if clause.margin is not None:
        taken &= values >= values[:, :1] - clause.margin * SCALE * SCALE
    if clause.least is not None:
        taken &= values >= clause.least * SCALE * SCALE
    return [sorted(names[int(i)] for i in row[chosen]) for row, chosen in zip(order, taken, strict=True)]
